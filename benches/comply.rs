//! Verdicts on 20 tags against an effective policy of 50 keys.

#[path = "support/tags.rs"]
mod tags;

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use tagwarden::engine::compliance::validate;
use tagwarden::engine::tagging::Tagging;

use tags::Case;

fn comply(criterion: &mut Criterion) {
    for (name, case) in [
        ("comply/compliant", Case::compliant()),
        ("comply/wrong", Case::wrong()),
    ] {
        let sent = case.sent();
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let tagging = Tagging::new(black_box(Case::question(&sent)));
                tagging.is_ok_and(|tagging| validate(&case.rules(), &tagging).is_compliant())
            });
        });
    }
}

criterion_group!(benches, comply);
criterion_main!(benches);
