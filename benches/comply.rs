//! Verdicts on 20 tags by an effective policy of 50 keys, and the time from the tag policies of a
//! large organization to its snapshot. A target that is missed ends the bench with an error.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

#[path = "support/organization.rs"]
#[expect(clippy::unwrap_used, reason = "names and policies are written here")]
mod organization;
#[path = "support/tags.rs"]
mod tags;

use std::alloc::System;
use std::collections::HashSet;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use hdrhistogram::Histogram;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tagwarden::compiler::compile;
use tagwarden::engine::compliance::validate;
use tagwarden::engine::tagging::Tagging;
use tagwarden::model::tag_policy::Dialect;

use tags::Case;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How many verdicts of each sort.
const VERDICTS: usize = 200_000;
/// How many times the organization is compiled.
const ROUNDS: usize = 7;
/// The most nanoseconds of the median of a verdict.
const MOST_NANOS: u64 = 2_000;
/// The most milliseconds of the median of a compilation.
const MOST_MILLIS: u128 = 1_000;

fn main() {
    println!("| verdict | p50 ns | p99 ns | p99.9 ns | mean ns | allocations |");
    println!("|---|---|---|---|---|---|");
    for dialect in Dialect::ALL {
        let found = row(&format!("{dialect}, compliant"), &Case::compliant(dialect));
        assert!(
            found.median <= MOST_NANOS,
            "{dialect}: over {MOST_NANOS} ns"
        );
        assert_eq!(found.allocations, 0, "{dialect}: allocations");
        row(&format!("{dialect}, 5 wrong values"), &Case::wrong(dialect));
    }
    println!();
    compiling();
}

struct Found {
    median: u64,
    allocations: usize,
}

fn row(name: &str, case: &Case) -> Found {
    let tags = case.sent();
    let judge = || {
        let tagging = Tagging::new(black_box(Case::question(&tags))).unwrap();
        black_box(validate(&case.rules(), &tagging)).is_compliant()
    };
    let region = Region::new(ALLOCATOR);
    black_box(judge());
    let allocations = region.change().allocations;
    let clock = clock();
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    for _ in 0..VERDICTS {
        let start = Instant::now();
        black_box(judge());
        let spent = u64::try_from(start.elapsed().as_nanos()).unwrap();
        histogram.record(spent.saturating_sub(clock)).unwrap();
    }
    let start = Instant::now();
    for _ in 0..VERDICTS {
        black_box(judge());
    }
    let mean = start.elapsed().as_nanos() / u128::try_from(VERDICTS).unwrap();
    let at = |quantile| histogram.value_at_quantile(quantile);
    let (median, high, tail) = (at(0.5), at(0.99), at(0.999));
    println!("| {name} | {median} | {high} | {tail} | {mean} | {allocations} |");
    Found {
        median,
        allocations,
    }
}

/// What two readings of the clock cost.
fn clock() -> u64 {
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    for _ in 0..10_000 {
        let start = Instant::now();
        let spent = start.elapsed().as_nanos();
        histogram.record(u64::try_from(spent).unwrap()).unwrap();
    }
    histogram.value_at_quantile(0.5)
}

fn compiling() {
    let bundle = organization::bundle();
    let mut millis: Vec<u128> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let snapshot = black_box(compile(&bundle));
            let spent = start.elapsed().as_millis();
            drop(snapshot);
            spent
        })
        .collect();
    millis.sort_unstable();
    let region = Region::new(ALLOCATOR);
    let snapshot = compile(&bundle).unwrap();
    let change = region.change();
    let kept = change
        .bytes_allocated
        .saturating_sub(change.bytes_deallocated);
    let accounts = snapshot.tags.accounts();
    let count = accounts.len();
    let distinct: HashSet<usize> = accounts
        .map(|node| Arc::as_ptr(&node.policies).addr())
        .collect();
    let median = millis.get(ROUNDS / 2).copied().unwrap();
    println!(
        "| accounts | folders | tag policies | median ms | least ms | most ms | effective policies of accounts | bytes kept an account |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    println!(
        "| {count} | {} | {} | {median} | {} | {} | {} | {} |",
        organization::FOLDERS,
        bundle.tag_policies.len(),
        millis.first().unwrap(),
        millis.last().unwrap(),
        distinct.len(),
        kept / count,
    );
    assert!(median <= MOST_MILLIS, "over {MOST_MILLIS} ms");
    assert!(count >= organization::ACCOUNTS, "{count} accounts");
}
