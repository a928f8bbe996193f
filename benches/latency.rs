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
#[path = "support/trial.rs"]
mod trial;

use std::hint::black_box;

use point::point;
use profiles::floor::Floor;
use profiles::question::Question;
use profiles::{Case, Shape, single};
use rounds::median;
use row::Row;
use tagwarden::compiler::compile;
use tagwarden::engine::decide;
use tagwarden::engine::request::Request;
use tagwarden::model::verdict::Outcome;
use tagwarden::snapshot::Snapshot;
use trial::{Order, Targets, Trial, clock, in_a_row};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many distinct requests; warm caches hold what they need.
const DISTINCT: usize = 4_096;
/// How many distinct requests of the worst profile.
const WORST_DISTINCT: usize = 256;
/// How many distinct requests of the wide profile.
const WIDE_DISTINCT: usize = 400_000;

/// How many policies of one statement there are, from few to many.
const SIZES: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];

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
        let mut trial = Trial::new(&case.snapshot, requests);
        (0..rounds).for_each(|_| trial.round());
        let measured = trial.measured();
        measured.tell(&told, targets(name, draw));
        for percentile in PERCENTILES {
            point("latency", &told, percentile, measured.at(percentile));
        }
    }
}

/// Warm: the same number of distinct requests, whatever the number of policies. All numbers of
/// policies take turns in each round, so that a slow moment meets them alike. Beside each, the least
/// that it could cost.
fn growth(rounds: usize) {
    let snapshots = SIZES.map(|policies| compile(&single::bundle(policies)).unwrap());
    let requests = SIZES.map(|policies| single::requests(policies, DISTINCT));
    let corpora = || snapshots.iter().zip(&requests);
    let mut trials: Vec<Trial<'_>> = corpora()
        .map(|(own, asked)| Trial::new(own, asked))
        .collect();
    let mut floors: Vec<Beside<'_>> = corpora()
        .zip(SIZES)
        .map(|((own, asked), policies)| Beside::new(policies, own, asked))
        .collect();
    for _ in 0..rounds {
        trials.iter_mut().for_each(Trial::round);
        floors.iter_mut().for_each(Beside::round);
    }
    for ((policies, trial), beside) in SIZES.into_iter().zip(&trials).zip(floors) {
        let name = format!("single, {policies} policies");
        let measured = trial.measured();
        measured.tell(&name, ("", ""));
        point("growth", "p50", policies as f64, measured.p50);
        point("growth", "p99", policies as f64, measured.at(99.0));
        beside.tell(policies);
        grown(&name, trial, &trials[0]);
    }
}

/// How much slower the calls of each round were than with the fewest policies.
fn grown(name: &str, trial: &Trial<'_>, least: &Trial<'_>) {
    let rounds = trial.medians().iter().zip(least.medians());
    let (ratio, spread) = median(rounds.map(|(own, least)| own / least).collect());
    Row {
        figure: &format!("latency: {name}, growth of p50"),
        value: ratio,
        unit: "times",
        target: "<= 2",
        spread: Some(spread),
        distinct: DISTINCT,
        ..Row::default()
    }
    .print();
}

/// Calls in a row, by turns with the floor's.
struct Beside<'a> {
    snapshot: &'a Snapshot,
    requests: &'a [Request<'a>],
    floor: Floor,
    questions: Vec<Question>,
    order: Order,
    ours: Vec<f64>,
    least: Vec<f64>,
}

impl<'a> Beside<'a> {
    /// The answers must be the same.
    fn new(policies: usize, snapshot: &'a Snapshot, requests: &'a [Request<'a>]) -> Self {
        let floor = Floor::new(policies);
        let questions = single::questions(policies, requests.len());
        for (request, question) in requests.iter().zip(&questions) {
            let allowed = decide(snapshot, request).unwrap().outcome == Outcome::Allow;
            assert_eq!(allowed, floor.allows(question), "{question:?}");
        }
        Self {
            snapshot,
            requests,
            floor,
            order: Order::new(questions.len(), 11),
            questions,
            ours: Vec::new(),
            least: Vec::new(),
        }
    }

    fn round(&mut self) {
        let order = self.order.next();
        let decided = in_a_row(order, |place| {
            decide(self.snapshot, black_box(&self.requests[place]))
        });
        let bound = in_a_row(order, |place| {
            self.floor.allows(black_box(&self.questions[place]))
        });
        self.ours.push(decided);
        self.least.push(bound);
    }

    fn tell(self, policies: usize) {
        let ratios = self.ours.iter().zip(&self.least);
        let (ratio, spread) = median(ratios.map(|(own, least)| own / least).collect());
        let (ours, least) = (median(self.ours).0, median(self.least).0);
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
            distinct: self.questions.len(),
        }
        .print();
    }
}
