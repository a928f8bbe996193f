//! Time a decision of each engine, by number of policies. `--short` asks little.
//!
//! Prints the rows of `benches/support/row.rs` and the points of `benches/support/point.rs`.

#[path = "../../../support/point.rs"]
mod point;
#[path = "../../../support/row.rs"]
mod row;

use std::time::Duration;

use point::point;
use row::Row;
use tagwarden_engines::corpus::Corpus;
use tagwarden_engines::engines;
use tagwarden_engines::run::{Effort, Runner, compared, median, spread, time};

/// What the server uses too, and engines that allocate gain by it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The number of policies that the target is told for.
const TOLD: usize = 10_000;

fn main() {
    let short = std::env::args().any(|argument| argument == "--short");
    let full = Effort {
        requests: 4_096,
        comparing: Duration::from_secs(100),
        rounds: 7,
        turn: Duration::from_millis(300),
    };
    let little = Effort {
        requests: 256,
        comparing: Duration::from_millis(100),
        rounds: 3,
        turn: Duration::from_millis(2),
    };
    let (effort, sizes): (_, &[usize]) = match short {
        true => (little, &[10, 1_000, TOLD]),
        false => (full, &[10, 1_000, TOLD, 100_000]),
    };
    for &policies in sizes {
        println!("# {policies} policies");
        let corpus = Corpus::new(policies, effort.requests);
        let mut runners = compared(engines(&corpus), &effort);
        time(&mut runners, &effort);
        let [own, others @ ..] = runners.as_slice() else {
            unreachable!("tagwarden is the first")
        };
        tell_own(policies, own, others);
        for other in others {
            tell(policies, own, other);
        }
    }
}

/// The row of tagwarden, against the fastest of the others.
fn tell_own(policies: usize, own: &Runner, others: &[Runner]) {
    let by_time = |a: &&Runner, b: &&Runner| a.median().total_cmp(&b.median());
    let fastest = others.iter().min_by(by_time).expect("others");
    let target = if policies == TOLD { "ratio >= 50" } else { "" };
    let anchor = format!(
        "{}, {:.0} ns; ratio: it by tagwarden",
        fastest.name(),
        fastest.median()
    );
    print(policies, own, target, &anchor, &ratios(fastest, own));
}

/// The row of another engine.
fn tell(policies: usize, own: &Runner, other: &Runner) {
    let anchor = format!("tagwarden, {:.0} ns", own.median());
    print(policies, other, "", &anchor, &ratios(other, own));
}

fn print(policies: usize, runner: &Runner, target: &str, anchor: &str, ratios: &[f64]) {
    let name = runner.name();
    point("engines", name, policies as f64, runner.median());
    Row {
        figure: &format!("engines: {name}; {policies} policies"),
        value: runner.median(),
        unit: "ns",
        target,
        anchor,
        ratio: Some(median(ratios.to_vec())),
        spread: Some(spread(ratios)),
        distinct: runner.distinct,
    }
    .print();
}

fn ratios(one: &Runner, other: &Runner) -> Vec<f64> {
    let rounds = one.nanos.iter().zip(&other.nanos);
    rounds.map(|(one, other)| one / other).collect()
}
