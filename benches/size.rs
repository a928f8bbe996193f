//! What a snapshot keeps of each policy with a single statement, by how many there are: the bytes
//! that compiling asked the allocator for and did not give back, less those of a snapshot of nothing.
//! Beside them the bytes of the documents. `--short` leaves out the largest.
//!
//! A counter slows an allocator down: what compiling takes is measured elsewhere (`compile`).

#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends; counts are far below what a float holds"
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

#[path = "support/files.rs"]
#[expect(unreachable_pub, reason = "shared")]
mod files;
#[path = "support/point.rs"]
mod point;
#[path = "support/row.rs"]
mod row;

use std::alloc::System;

use files::{documents, files};
use point::point;
use profiles::single;
use row::Row;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tagwarden::compiler::compile;
use tagwarden::model::bundle::Bundle;

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn main() {
    let short = std::env::args().any(|argument| argument == "--short");
    let sizes = if short {
        &[1_000, 10_000][..]
    } else {
        &[1_000, 10_000, 100_000]
    };
    let nothing = kept(&Bundle::default());
    for &policies in sizes {
        let bundle = single::bundle(policies);
        let each = (kept(&bundle) - nothing) as f64 / policies as f64;
        let texts: usize = documents(&files(&bundle)).iter().map(|one| one.len()).sum();
        tell(policies, each, texts as f64 / policies as f64);
    }
}

/// The bytes of a snapshot.
fn kept(bundle: &Bundle) -> usize {
    let region = Region::new(ALLOCATOR);
    let snapshot = compile(bundle).unwrap();
    let change = region.change();
    drop(snapshot);
    change.bytes_allocated - change.bytes_deallocated
}

fn tell(policies: usize, each: f64, document: f64) {
    point("size", "snapshot", policies as f64, each);
    point("size", "documents", policies as f64, document);
    Row {
        figure: &format!("size: snapshot, a policy of one statement, {policies} policies"),
        value: each,
        unit: "bytes",
        target: "<= 500",
        anchor: &format!("JSON with its attachment, {document:.0} bytes"),
        ratio: Some(each / document),
        ..Row::default()
    }
    .print();
}
