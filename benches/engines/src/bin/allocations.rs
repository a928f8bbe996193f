//! Allocations a decision of each engine. Apart from the times, because counting costs time.
//!
//! Prints the rows of `benches/support/row.rs`.

#[path = "../../../support/row.rs"]
mod row;

use std::alloc::System;

use row::Row;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tagwarden_engines::corpus::Corpus;
use tagwarden_engines::engines;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const POLICIES: usize = 10_000;
const REQUESTS: usize = 64;

fn main() {
    let corpus = Corpus::new(POLICIES, REQUESTS);
    for (number, mut engine) in engines(&corpus).into_iter().enumerate() {
        // What is made once, at the first request, does not count.
        engine.allows(0);
        let region = Region::new(ALLOCATOR);
        for place in 0..REQUESTS {
            engine.allows(place);
        }
        let change = region.change();
        let count = change.allocations + change.reallocations;
        Row {
            figure: &format!(
                "engines: allocations a decision, {}; {POLICIES} policies",
                engine.name()
            ),
            value: count as f64 / REQUESTS as f64,
            unit: "allocations",
            target: if number == 0 { "<= 0" } else { "" },
            distinct: REQUESTS,
            ..Row::default()
        }
        .print();
    }
}
