//! Verdicts on 20 tags by an effective policy of 50 keys, and the time from the tag policies of a
//! large organization to its snapshot. A target that is missed ends the bench with an error, but for
//! `--short`, which does little. Prints the rows of `support/row.rs` too.

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends; times are far below what a float holds"
)]

#[path = "support/organization.rs"]
#[expect(clippy::unwrap_used, reason = "names and policies are written here")]
mod organization;
#[path = "support/row.rs"]
mod row;
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

use row::Row;
use tags::Case;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// How much is measured.
#[derive(Clone, Copy)]
struct Effort {
    /// How many verdicts of each sort.
    verdicts: usize,
    /// How many times the organization is compiled.
    rounds: usize,
    /// Whether a missed target is an error.
    judged: bool,
}

const FULL: Effort = Effort {
    verdicts: 200_000,
    rounds: 7,
    judged: true,
};
const SHORT: Effort = Effort {
    verdicts: 1_000,
    rounds: 1,
    judged: false,
};
/// The most nanoseconds of the median of a verdict.
const MOST_NANOS: u64 = 2_000;
/// The most milliseconds of the median of a compilation.
const MOST_MILLIS: u128 = 1_000;

fn main() {
    let short = std::env::args().any(|argument| argument == "--short");
    let effort = if short { SHORT } else { FULL };
    println!("| verdict | p50 ns | p99 ns | p99.9 ns | mean ns | allocations |");
    println!("|---|---|---|---|---|---|");
    for dialect in Dialect::ALL {
        let found = row(
            effort,
            &format!("{dialect}, compliant"),
            &Case::compliant(dialect),
        );
        assert!(
            !effort.judged || found.median <= MOST_NANOS,
            "{dialect}: over {MOST_NANOS} ns"
        );
        assert_eq!(found.allocations, 0, "{dialect}: allocations");
        row(
            effort,
            &format!("{dialect}, 5 wrong values"),
            &Case::wrong(dialect),
        );
    }
    println!();
    compiling(effort);
}

struct Found {
    median: u64,
    allocations: usize,
}

fn row(effort: Effort, name: &str, case: &Case) -> Found {
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
    for _ in 0..effort.verdicts {
        let start = Instant::now();
        black_box(judge());
        let spent = u64::try_from(start.elapsed().as_nanos()).unwrap();
        histogram.record(spent.saturating_sub(clock)).unwrap();
    }
    let start = Instant::now();
    for _ in 0..effort.verdicts {
        black_box(judge());
    }
    let mean = start.elapsed().as_nanos() / u128::try_from(effort.verdicts).unwrap();
    let at = |quantile| histogram.value_at_quantile(quantile);
    let (median, high, tail) = (at(0.5), at(0.99), at(0.999));
    println!("| {name} | {median} | {high} | {tail} | {mean} | {allocations} |");
    print(&format!("{name}, p50"), median as f64, "ns", "<= 2000");
    print(&format!("{name}, p99"), high as f64, "ns", "");
    let counted = format!("{name}, allocations");
    print(&counted, allocations as f64, "allocations", "");
    Found {
        median,
        allocations,
    }
}

fn print(what: &str, value: f64, unit: &str, target: &str) {
    Row {
        figure: &format!("comply: {what}"),
        value,
        unit,
        target,
        distinct: 1,
        ..Row::default()
    }
    .print();
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

fn compiling(effort: Effort) {
    let bundle = organization::bundle();
    let mut millis: Vec<u128> = (0..effort.rounds)
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
    let median = millis.get(effort.rounds / 2).copied().unwrap();
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
    let spread = [millis.first(), millis.last()].map(|millis| *millis.unwrap() as f64);
    Row {
        figure: &format!("comply: compiling {count} accounts"),
        value: median as f64,
        unit: "ms",
        target: "<= 1000",
        spread: Some(spread),
        ..Row::default()
    }
    .print();
    assert!(
        !effort.judged || median <= MOST_MILLIS,
        "over {MOST_MILLIS} ms"
    );
    assert!(count >= organization::ACCOUNTS, "{count} accounts");
}
