//! From a bundle to a snapshot: time, the bytes that stay, and all bytes ever allocated, for
//! single-statement policies.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

#[path = "support/profiles.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared; each binary uses a part, and a corpus that cannot be drawn ends it"
)]
mod profiles;

use std::alloc::System;
use std::hint::black_box;
use std::time::{Duration, Instant};

use profiles::single;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tagwarden::compiler::compile;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const ROUNDS: usize = 7;

fn main() {
    println!(
        "| policies | median ms | least ms | most ms | bytes a policy | bytes allocated a policy |"
    );
    println!("|---|---|---|---|---|---|");
    for policies in [10_000, 100_000] {
        row(policies);
    }
}

fn row(policies: usize) {
    let bundle = single::bundle(policies);
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let snapshot = black_box(compile(&bundle));
            let spent = start.elapsed();
            drop(snapshot);
            spent
        })
        .collect();
    times.sort_unstable();
    let region = Region::new(ALLOCATOR);
    let snapshot = compile(&bundle).unwrap();
    let change = region.change();
    drop(snapshot);
    let kept = change
        .bytes_allocated
        .saturating_sub(change.bytes_deallocated);
    let at = |place: usize| times.get(place).map_or(0, Duration::as_micros);
    let ms = |micros: u128| format!("{}.{:02}", micros / 1_000, micros % 1_000 / 10);
    println!(
        "| {policies} | {} | {} | {} | {} | {} |",
        ms(at(ROUNDS / 2)),
        ms(at(0)),
        ms(at(ROUNDS - 1)),
        kept / policies,
        change.bytes_allocated / policies,
    );
}
