//! Instructions of a thousand decisions, counted under valgrind: steady where clocks are not.

#![expect(missing_docs, reason = "the macros of gungraun make items without any")]

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

use gungraun::{library_benchmark, library_benchmark_group, main};
use profiles::{Case, Shape};
use tagwarden::engine::decide;

const DECISIONS: usize = 1_000;

fn typical() -> Case {
    Case::new(Shape::typical(), DECISIONS)
}

fn heavy() -> Case {
    Case::new(Shape::heavy(), DECISIONS)
}

#[library_benchmark]
#[bench::typical(typical())]
#[bench::heavy(heavy())]
fn thousand_decisions(case: Case) -> Case {
    for request in &case.requests {
        let _ = black_box(decide(black_box(&case.snapshot), black_box(request)));
    }
    case
}

library_benchmark_group!(name = decisions; benchmarks = thousand_decisions);
main!(library_benchmark_groups = decisions);
