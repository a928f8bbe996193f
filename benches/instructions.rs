//! Instructions of a thousand decisions, and of a thousand answers from bytes to bytes, counted under
//! valgrind: steady where clocks are not.

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
use profiles::handler::Handler;
use profiles::{Case, Shape};
use tagwarden::engine::decide;
use tagwarden::model::caller::Origin;

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

#[library_benchmark]
#[bench::single(Handler::new(DECISIONS))]
fn thousand_answers(handler: Handler) -> Handler {
    let mut answer = Vec::with_capacity(4_096);
    for question in &handler.questions {
        answer.clear();
        let _ = handler
            .pdp
            .answer(Origin::Loopback, black_box(question), &mut answer);
        black_box(&answer);
    }
    handler
}

library_benchmark_group!(name = decisions; benchmarks = thousand_decisions, thousand_answers);
main!(library_benchmark_groups = decisions);
