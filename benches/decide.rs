//! Medians of `engine::decide`: each profile under Zipf and under uniform access, and the growth
//! with the number of policies. One iteration is one decision.

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

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use profiles::{Case, Shape, single};
use tagwarden::compiler::compile;
use tagwarden::engine::decide;
use tagwarden::engine::request::Request;
use tagwarden::snapshot::Snapshot;

/// How many distinct requests.
const DISTINCT: usize = 4_096;
/// How many of the worst profile.
const WORST_DISTINCT: usize = 256;

fn by_profile(criterion: &mut Criterion) {
    let worst = (Shape::worst(), WORST_DISTINCT);
    for (shape, distinct) in [
        (Shape::typical(), DISTINCT),
        (Shape::heavy(), DISTINCT),
        worst,
    ] {
        let case = Case::new(shape, distinct);
        let name = case.profile.shape.name;
        one(
            criterion,
            &format!("{name}/zipf"),
            &case.snapshot,
            &case.requests,
        );
        one(
            criterion,
            &format!("{name}/uniform"),
            &case.snapshot,
            &case.uniform(distinct),
        );
    }
}

fn by_size(criterion: &mut Criterion) {
    for policies in [10, 100, 1_000, 10_000, 100_000] {
        let snapshot = compile(&single::bundle(policies)).unwrap();
        let requests = single::requests(policies, DISTINCT);
        one(
            criterion,
            &format!("single/{policies}"),
            &snapshot,
            &requests,
        );
    }
}

fn one(criterion: &mut Criterion, name: &str, snapshot: &Snapshot, requests: &[Request<'_>]) {
    let mut next = requests.iter().cycle();
    criterion.bench_function(name, |bencher| {
        bencher.iter(|| {
            next.next()
                .map(|request| decide(snapshot, black_box(request)))
        });
    });
}

criterion_group!(decisions, by_profile, by_size);
criterion_main!(decisions);
