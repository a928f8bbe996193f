//! Latency of single decisions: histograms for each profile, and the growth with the number of
//! policies. `--short` asks less; `--wide` adds the profile of a million principals.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a bench that cannot go on ends"
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

use std::hint::black_box;
use std::time::Instant;

use hdrhistogram::Histogram;
use profiles::random::Random;
use profiles::{Case, Shape, Shares, single};
use tagwarden::compiler::compile;
use tagwarden::engine::decide;
use tagwarden::engine::request::Request;
use tagwarden::snapshot::Snapshot;

/// How many distinct requests; warm caches hold what they need.
const DISTINCT: usize = 4_096;
/// How many distinct requests of the worst profile.
const WORST_DISTINCT: usize = 256;
/// How many distinct requests of the wide profile.
const WIDE_DISTINCT: usize = 400_000;

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
    println!("clock: {} ns a reading, taken off", clock());
    heading();
    for shape in [Shape::typical(), Shape::heavy(), Shape::worst()] {
        let slow = shape.name == "worst";
        let (rounds, distinct) = if slow {
            (effort.rounds.div_ceil(5), WORST_DISTINCT)
        } else {
            (effort.rounds, DISTINCT)
        };
        both(&Case::new(shape, distinct), rounds, distinct);
    }
    for policies in [10, 100, 1_000, 10_000, 100_000] {
        let snapshot = compile(&single::bundle(policies)).unwrap();
        let requests = single::requests(policies, DISTINCT);
        row(
            &format!("single, {policies} policies"),
            "uniform",
            &snapshot,
            &requests,
            effort.rounds,
        );
    }
    if has("--wide") {
        let case = Case::new(
            Shape::wide(effort.principals, effort.policies),
            effort.distinct,
        );
        both(&case, effort.rounds.div_ceil(50), effort.distinct);
    }
}

fn both(case: &Case, rounds: usize, distinct: usize) {
    let name = case.profile.shape.name;
    row(name, "Zipf", &case.snapshot, &case.requests, rounds);
    row(
        name,
        "uniform",
        &case.snapshot,
        &case.uniform(distinct),
        rounds,
    );
}

fn heading() {
    println!("| profile | who asks | distinct | p50 ns | p99 ns | p99.9 ns | mean ns | shares |");
    println!("|---|---|---|---|---|---|---|---|");
}

/// Asks in rounds, each in another order, and prints one row.
fn row(name: &str, draw: &str, snapshot: &Snapshot, requests: &[Request<'_>], rounds: usize) {
    let shares = Shares::of(snapshot, requests);
    let mut order: Vec<usize> = (0..requests.len()).collect();
    let mut random = Random::new(7);
    let clock = clock();
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    let mut sum = 0;
    for _ in 0..rounds {
        shuffle(&mut random, &mut order);
        let start = Instant::now();
        for &place in &order {
            let _ = black_box(decide(snapshot, black_box(&requests[place])));
        }
        sum += start.elapsed().as_nanos();
        for &place in &order {
            let start = Instant::now();
            let _ = black_box(decide(snapshot, black_box(&requests[place])));
            let spent = u64::try_from(start.elapsed().as_nanos()).unwrap();
            histogram.record(spent.saturating_sub(clock)).unwrap();
        }
    }
    let mean = sum / u128::try_from(rounds * requests.len()).unwrap();
    let at = |quantile| histogram.value_at_quantile(quantile);
    println!(
        "| {name} | {draw} | {} | {} | {} | {} | {mean} | {shares} |",
        requests.len(),
        at(0.5),
        at(0.99),
        at(0.999),
    );
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
