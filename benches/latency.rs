//! Latency of single decisions: histograms for each profile, and the growth with the number of
//! policies. `--short` asks less; `--wide` adds the profile of a million principals.
//!
//! Memory is the product's: its allocator decides what lies beside what.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends; nanoseconds stay far below 2^52"
)]

#[path = "support/profiles.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared; each binary uses a part, and a corpus that cannot be drawn ends it"
)]
mod profiles;

#[path = "support/point.rs"]
mod point;
#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/row.rs"]
mod row;

use std::hint::black_box;
use std::time::Instant;

use hdrhistogram::Histogram;
use point::point;
use profiles::floor::Floor;
use profiles::random::Random;
use profiles::{Case, Shape, Shares, single};
use rounds::median;
use row::Row;
use tagwarden::compiler::compile;
use tagwarden::engine::decide;
use tagwarden::engine::request::Request;
use tagwarden::model::verdict::Outcome;
use tagwarden::snapshot::Snapshot;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many distinct requests; warm caches hold what they need.
const DISTINCT: usize = 4_096;
/// How many distinct requests of the worst profile.
const WORST_DISTINCT: usize = 256;
/// How many distinct requests of the wide profile.
const WIDE_DISTINCT: usize = 400_000;

/// What is plotted of the latency of a profile.
const PERCENTILES: [f64; 4] = [50.0, 90.0, 99.0, 99.9];

/// How much is asked.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    principals: usize,
    policies: usize,
    distinct: usize,
}

fn main() {
    let has = |name: &str| std::env::args().any(|argument| argument == name);
    let full = Effort {
        rounds: 100,
        principals: 1_000_000,
        policies: 100_000,
        distinct: WIDE_DISTINCT,
    };
    let short = Effort {
        rounds: 5,
        principals: 20_000,
        policies: 2_000,
        distinct: 8_000,
    };
    let effort = if has("--short") { short } else { full };
    eprintln!("a reading of the clock takes {} ns; taken off", clock());
    for shape in [Shape::typical(), Shape::heavy(), Shape::worst()] {
        let slow = shape.name == "worst";
        let (rounds, distinct) = if slow {
            (effort.rounds.div_ceil(5), WORST_DISTINCT)
        } else {
            (effort.rounds, DISTINCT)
        };
        both(&Case::new(shape, distinct), rounds, distinct);
    }
    growth(effort.rounds);
    if has("--wide") {
        let shape = Shape::wide(effort.principals, effort.policies);
        let case = Case::new(shape, effort.distinct);
        both(&case, effort.rounds.div_ceil(50), effort.distinct);
    }
}

/// The most that the median and the 99th percentile should be, in nanoseconds.
type Targets = (&'static str, &'static str);

fn targets(profile: &str, draw: &str) -> Targets {
    match (profile, draw) {
        ("typical", _) => ("<= 250", "<= 2000"),
        ("heavy", _) => ("<= 500", "<= 2000"),
        ("wide", "Zipf") => ("<= 1000", "<= 3000"),
        ("wide", _) => ("<= 1500", ""),
        _ => ("", ""),
    }
}

fn both(case: &Case, rounds: usize, distinct: usize) {
    let name = case.profile.shape.name;
    let uniform = case.uniform(distinct);
    for (draw, requests) in [("Zipf", &case.requests), ("uniform", &uniform)] {
        let told = format!("{name}, {draw}");
        let measured = measure(&case.snapshot, requests, rounds);
        measured.tell(&told, targets(name, draw));
        for percentile in PERCENTILES {
            point("latency", &told, percentile, measured.at(percentile));
        }
    }
}

/// Warm: the same number of distinct requests, whatever the number of policies. Beside each the
/// least that it could cost, in the same rounds.
fn growth(rounds: usize) {
    let mut least = None;
    for policies in [10, 100, 1_000, 10_000, 100_000] {
        let snapshot = compile(&single::bundle(policies)).unwrap();
        let requests = single::requests(policies, DISTINCT);
        let name = format!("single, {policies} policies");
        let measured = measure(&snapshot, &requests, rounds);
        measured.tell(&name, ("", ""));
        point("growth", "p50", policies as f64, measured.p50);
        point("growth", "p99", policies as f64, measured.at(99.0));
        beside_the_floor(policies, &snapshot, &requests, rounds);
        let least = *least.get_or_insert(measured.p50);
        Row {
            figure: &format!("latency: {name}, growth of p50"),
            value: measured.p50 / least,
            unit: "times",
            target: "<= 2",
            distinct: DISTINCT,
            ..Row::default()
        }
        .print();
    }
}

/// Calls in a row, by turns with the floor's.
fn beside_the_floor(policies: usize, snapshot: &Snapshot, requests: &[Request<'_>], rounds: usize) {
    let floor = Floor::new(policies);
    let questions = single::questions(policies, requests.len());
    for (request, question) in requests.iter().zip(&questions) {
        let allowed = decide(snapshot, request).unwrap().outcome == Outcome::Allow;
        assert_eq!(allowed, floor.allows(question), "{question:?}");
    }
    let mut order: Vec<usize> = (0..requests.len()).collect();
    let mut random = Random::new(11);
    let (mut ours, mut least, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        shuffle(&mut random, &mut order);
        let decided = in_a_row(&order, |place| {
            decide(snapshot, black_box(&requests[place]))
        });
        let bound = in_a_row(&order, |place| floor.allows(black_box(&questions[place])));
        ours.push(decided);
        least.push(bound);
        ratios.push(decided / bound);
    }
    let (ratio, spread) = median(ratios);
    let (ours, least) = (median(ours).0, median(least).0);
    point("growth", "calls in a row", policies as f64, ours);
    point("growth", "flat texts in a row", policies as f64, least);
    Row {
        figure: &format!("latency: single, {policies} policies, by the lower bound"),
        value: ours,
        unit: "ns",
        target: "",
        anchor: &format!("flat texts compared, {least:.0} ns"),
        ratio: Some(ratio),
        spread: Some(spread),
        distinct: requests.len(),
    }
    .print();
}

/// The mean time of a call, in nanoseconds.
fn in_a_row<T>(order: &[usize], mut call: impl FnMut(usize) -> T) -> f64 {
    let start = Instant::now();
    for &place in order {
        black_box(call(place));
    }
    start.elapsed().as_nanos() as f64 / order.len() as f64
}

/// Single calls, and calls in a row, in nanoseconds.
struct Measured {
    histogram: Histogram<u64>,
    p50: f64,
    p50_spread: [f64; 2],
    mean: f64,
    mean_spread: [f64; 2],
    distinct: usize,
    shares: Shares,
}

impl Measured {
    /// A percentile of all calls.
    fn at(&self, percentile: f64) -> f64 {
        self.histogram.value_at_percentile(percentile) as f64
    }

    fn tell(&self, name: &str, (p50, p99): Targets) {
        let row = |figure: &str, value, target, spread| {
            Row {
                figure: &format!("latency: {name}, {figure}"),
                value,
                unit: "ns",
                target,
                spread,
                distinct: self.distinct,
                ..Row::default()
            }
            .print();
        };
        row("p50", self.p50, p50, Some(self.p50_spread));
        row("p99", self.at(99.0), p99, None);
        row("p99.9", self.at(99.9), "", None);
        row("mean in a row", self.mean, "", Some(self.mean_spread));
        eprintln!("{name}: {}", self.shares);
    }
}

/// Asks in rounds, each in another order. Medians are of the rounds, tails of all calls.
fn measure(snapshot: &Snapshot, requests: &[Request<'_>], rounds: usize) -> Measured {
    let mut order: Vec<usize> = (0..requests.len()).collect();
    let mut random = Random::new(7);
    let clock = clock();
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    let (mut medians, mut means) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        shuffle(&mut random, &mut order);
        means.push(in_a_row(&order, |place| {
            decide(snapshot, black_box(&requests[place]))
        }));
        let mut round = Histogram::<u64>::new(3).unwrap();
        for &place in &order {
            let start = Instant::now();
            let _ = black_box(decide(snapshot, black_box(&requests[place])));
            let spent = u64::try_from(start.elapsed().as_nanos()).unwrap();
            round.record(spent.saturating_sub(clock)).unwrap();
        }
        medians.push(round.value_at_quantile(0.5) as f64);
        histogram.add(round).unwrap();
    }
    let (p50, p50_spread) = median(medians);
    let (mean, mean_spread) = median(means);
    Measured {
        histogram,
        p50,
        p50_spread,
        mean,
        mean_spread,
        distinct: requests.len(),
        shares: Shares::of(snapshot, requests),
    }
}

fn shuffle(random: &mut Random, order: &mut [usize]) {
    for place in (1..order.len()).rev() {
        order.swap(place, random.below(place + 1));
    }
}

/// What two readings of the clock cost.
fn clock() -> u64 {
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    for _ in 0..10_000 {
        let start = Instant::now();
        histogram
            .record(u64::try_from(start.elapsed().as_nanos()).unwrap())
            .unwrap();
    }
    histogram.value_at_quantile(0.5)
}
