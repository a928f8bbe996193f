//! Requests through a real Envoy that asks tagwarden, beside the same Envoy that asks a tonic server
//! which always says OK.
//!
//! Both servers run all the time, each a process of one thread on one core; Envoy and the load have
//! the other. Rounds take turns between the two listeners of one Envoy. `--short` only shows that it
//! works. `--serve ours --socket PATH` is a server alone.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends; counts are far below what a float holds"
)]

#[path = "support/grpc/child.rs"]
#[expect(dead_code, reason = "shared; this bench counts no processor time")]
mod child;
#[path = "support/eci.rs"]
mod eci;
#[path = "support/mesh/envoy.rs"]
mod envoy;
#[path = "support/mesh/load.rs"]
mod load;
#[path = "support/row.rs"]
mod row;
#[path = "support/mesh/served.rs"]
mod served;

use std::time::Duration;

use envoy::Envoy;
use hdrhistogram::Histogram;
use load::{DISTINCT, Way};
use row::Row;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How much is measured. Machines that others share change from second to second: many short rounds
/// tell two servers apart where few long ones do not.
struct Effort {
    throughput: Rounds,
    tails: Rounds,
}

/// Rounds, and how long each server has in one.
struct Rounds {
    count: usize,
    time: Duration,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).cloned()
    };
    let socket = value("--socket").unwrap_or_default();
    match value("--serve").as_deref() {
        Some("ours") => return served::ours(&socket),
        Some("bare") => return served::bare(&socket),
        _ => {}
    }
    let Some(program) = envoy::program() else {
        println!("skipped: no Envoy; scripts/tools.sh installs it");
        return;
    };
    let short = arguments.iter().any(|argument| argument == "--short");
    let effort = if short {
        Effort {
            throughput: rounds(1, 300),
            tails: rounds(1, 300),
        }
    } else {
        Effort {
            throughput: rounds(201, 300),
            tails: rounds(21, 1_500),
        }
    };
    child::pin_load();
    let folder = tempfile::tempdir().unwrap();
    let start = |name: &str| child::Server::start(&["--serve", name], &folder.path().join(name));
    let servers = [start("ours"), start("bare")];
    let sockets = servers.each_ref().map(|server| &*server.unix);
    let envoy = Envoy::start(&program, &sockets);
    let ways = [0, 1].map(|place| Way {
        address: envoy.addresses[place].clone(),
    });
    let capacity = throughput(&effort.throughput, &ways);
    tails(&effort.tails, &ways, capacity / 2.0);
}

fn rounds(count: usize, milliseconds: u64) -> Rounds {
    Rounds {
        count,
        time: Duration::from_millis(milliseconds),
    }
}

/// Requests a second; tells what both can do.
fn throughput(effort: &Rounds, [ours, bare]: &[Way; 2]) -> f64 {
    let mut rounds = Vec::new();
    for round in 0..=effort.count {
        // Who is first changes; the first round warms up.
        let pair = if round % 2 == 0 {
            let own = ours.closed(effort.time);
            (own, bare.closed(effort.time))
        } else {
            let other = bare.closed(effort.time);
            (ours.closed(effort.time), other)
        };
        if round > 0 {
            rounds.push(pair);
        }
    }
    let ratios = sorted(rounds.iter().map(|(own, other)| own / other));
    let own = median(&sorted(rounds.iter().map(|pair| pair.0)));
    let other = median(&sorted(rounds.iter().map(|pair| pair.1)));
    Row {
        figure: "mesh: through Envoy, beside a server that always says OK",
        value: own,
        unit: "requests/s",
        target: "ratio >= 0.9",
        anchor: &format!("{other:.0} requests/s"),
        ratio: Some(median(&ratios)),
        spread: Some([ratios[0], ratios[ratios.len() - 1]]),
        distinct: DISTINCT,
    }
    .print();
    own.min(other)
}

/// What is added to the 99th percentile at a rate that both can do.
fn tails(effort: &Rounds, [ours, bare]: &[Way; 2], rate: f64) {
    let p99 = |times: &Histogram<u64>| times.value_at_quantile(0.99) as f64 / 1e3;
    let mut rounds = Vec::new();
    for round in 0..effort.count {
        let pair = if round % 2 == 0 {
            let own = p99(&ours.open(rate, effort.time));
            (own, p99(&bare.open(rate, effort.time)))
        } else {
            let other = p99(&bare.open(rate, effort.time));
            (p99(&ours.open(rate, effort.time)), other)
        };
        rounds.push(pair);
    }
    let added = sorted(rounds.iter().map(|(own, other)| own - other));
    let other = median(&sorted(rounds.iter().map(|pair| pair.1)));
    Row {
        figure: "mesh: through Envoy, p99 added at half of its capacity",
        value: median(&added),
        unit: "µs",
        anchor: &format!("{other:.0} µs"),
        spread: Some([added[0], added[added.len() - 1]]),
        distinct: DISTINCT,
        ..Row::default()
    }
    .print();
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn median(sorted: &[f64]) -> f64 {
    sorted[sorted.len() / 2]
}
