//! From documents to a snapshot: time beside what `serde_json` takes to parse the same bytes into
//! `Value`, for single-statement policies. Long files are read by all processors, so the ratio is
//! told of a process that has one; what all of them make of it stands beside it.
//!
//! `--short` leaves out the largest; `--write DIRECTORY POLICIES` writes the documents instead. The
//! process with one processor is made by `taskset`.

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
#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/row.rs"]
mod row;

use std::fs;
use std::hint::black_box;
use std::num::NonZero;
use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::Instant;

use files::{documents, files};
use mimalloc::MiMalloc;
use point::point;
use profiles::single;
use rounds::median;
use row::Row;
use tagwarden::compiler::compile;
use tagwarden::document::bundle::{BundleFiles, Strictness, read_bundle};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut rest = arguments.iter().skip_while(|one| *one != "--write").skip(1);
    if let (Some(directory), Some(policies)) = (rest.next(), rest.next()) {
        let files = files(&single::bundle(policies.parse().unwrap()));
        return write(Path::new(directory), &files);
    }
    let processors = available_parallelism().map_or(1, NonZero::get);
    if processors > 1 {
        let mut alone = Command::new("taskset");
        alone.args(["--cpu-list", "0"]);
        alone.arg(std::env::current_exe().unwrap()).args(&arguments);
        let status = alone.status().unwrap();
        assert!(status.success(), "with one processor: {status}");
    }
    let short = arguments.iter().any(|one| one == "--short");
    let sizes = if short {
        &[1_000, 10_000][..]
    } else {
        &[1_000, 10_000, 100_000]
    };
    for policies in sizes {
        if processors == 1 {
            times(*policies);
        } else {
            at_once(*policies, processors);
        }
    }
}

/// Reading and compiling by all processors.
fn at_once(policies: usize, processors: usize) {
    let files = files(&single::bundle(policies));
    let mut spent = Vec::new();
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let loaded = read_bundle(&files, Strictness::Strict).unwrap();
        let snapshot = compile(&loaded.bundle).unwrap();
        spent.push(start.elapsed().as_secs_f64() * 1_000.0);
        drop((snapshot, loaded));
    }
    let (value, spread) = median(spent);
    let step = format!("read and compile by {processors} processors");
    point("compile", &step, policies as f64, value);
    Row {
        figure: &format!("compile: {step}, {policies} policies"),
        value,
        unit: "ms",
        spread: Some(spread),
        ..Row::default()
    }
    .print();
}

/// Parsing and compiling in turn, so that both meet the same weather.
fn times(policies: usize) {
    let files = files(&single::bundle(policies));
    let documents = documents(&files);
    let (mut parsed, mut read, mut compiled, mut ratios) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for text in &documents {
            black_box(serde_json::from_str::<serde_json::Value>(text).unwrap());
        }
        let parsing = start.elapsed().as_secs_f64() * 1_000.0;
        let start = Instant::now();
        let loaded = read_bundle(&files, Strictness::Strict).unwrap();
        let reading = start.elapsed().as_secs_f64() * 1_000.0;
        let start = Instant::now();
        let snapshot = compile(&loaded.bundle).unwrap();
        let compiling = start.elapsed().as_secs_f64() * 1_000.0;
        drop((snapshot, loaded));
        parsed.push(parsing);
        read.push(reading);
        compiled.push(compiling);
        ratios.push((reading + compiling) / parsing);
    }
    let tell = |figure: &str, values, unit, target| {
        let (value, spread) = median(values);
        Row {
            figure: &format!("compile: {figure}, {policies} policies"),
            value,
            unit,
            target,
            spread: Some(spread),
            ..Row::default()
        }
        .print();
    };
    for (step, values) in [
        ("serde_json to Value", parsed),
        ("read", read),
        ("compile", compiled),
    ] {
        point("compile", step, policies as f64, median(values.clone()).0);
        tell(step, values, "ms", "");
    }
    let figure = "read and compile, in times of serde_json to Value";
    // Where so few are, what does not depend on them weighs.
    let target = if policies < 10_000 { "" } else { "<= 3" };
    tell(figure, ratios, "times", target);
}

fn write(directory: &Path, files: &BundleFiles) {
    for (path, content) in files.iter() {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}
