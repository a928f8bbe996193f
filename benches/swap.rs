//! Whether a decision waits for a swap: the time from a request's bytes to its answer's bytes,
//! through the service and without a socket, with and without swaps, in rounds by turns.
//!
//! `--seconds N` tells how long each round takes (default 3), `--rounds N` how many (default 7).

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends; times are far below what a float holds"
)]

#[path = "../tests/swap/question.rs"]
#[expect(
    dead_code,
    clippy::panic,
    reason = "shared with the test, which compares answers; a bench that cannot go on ends"
)]
mod question;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use prost::Message as _;
use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::caller::Origin;
use tagwarden::publish::{Publisher, publication};
use tagwarden::service::pdp::{self, Clock, Pdp};
use tagwarden::snapshot::Revision;
use tagwarden::wire::v1;

fn main() {
    let (seconds, rounds) = (argument("--seconds", 3), argument("--rounds", 7));
    let bundles = question::bundles();
    let messages: Vec<Vec<u8>> = question::asked(&bundles)
        .into_iter()
        .map(|asked| asked.message.encode_to_vec())
        .collect();
    let (mut publisher, reader) = publication().unwrap();
    publish(&mut publisher, &bundles, 1);
    let pdp = Pdp::new(pdp::Config {
        reader,
        directory: Arc::new(Directory::default()),
        clock: Clock::default(),
    });
    let mut ratios = Vec::new();
    println!(
        "| round | p50 still, ns | p50 swapping | p99.9 still, ns | p99.9 swapping | ratio of p99.9 |"
    );
    println!("|---|---|---|---|---|---|");
    for round in 0..rounds {
        let time = Duration::from_secs(seconds);
        let still = measure(&pdp, &messages, time);
        let swapping = swapped(&pdp, &messages, &mut publisher, &bundles, time);
        let tail = |histogram: &Histogram<u64>| histogram.value_at_quantile(0.999);
        let ratio = tail(&swapping) as f64 / tail(&still) as f64;
        println!(
            "| {round} | {} | {} | {} | {} | {ratio:.2} |",
            still.value_at_quantile(0.5),
            swapping.value_at_quantile(0.5),
            tail(&still),
            tail(&swapping),
        );
        ratios.push(ratio);
    }
    ratios.sort_by(f64::total_cmp);
    println!("median ratio of p99.9: {:.2}", ratios[ratios.len() / 2]);
}

fn argument(name: &str, default: u64) -> u64 {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments
        .nth(1)
        .map_or(default, |text| text.parse().unwrap())
}

/// Answers requests one after the other; tells how long each took.
fn measure(pdp: &Pdp, messages: &[Vec<u8>], time: Duration) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).unwrap();
    let begin = Instant::now();
    let mut bytes = Vec::new();
    for message in messages.iter().cycle() {
        let asked = Instant::now();
        let request = v1::AuthorizeRequest::decode(message.as_slice()).unwrap();
        let answer = pdp.answer(Origin::Loopback, &request).unwrap();
        bytes.clear();
        answer.encode(&mut bytes).unwrap();
        let taken = asked.elapsed();
        histogram.saturating_record(u64::try_from(taken.as_nanos()).unwrap());
        if begin.elapsed() > time {
            return histogram;
        }
    }
    histogram
}

/// The same, while another thread compiles and publishes 100 times a second.
fn swapped(
    pdp: &Pdp,
    messages: &[Vec<u8>],
    publisher: &mut Publisher,
    bundles: &[Bundle; 2],
    time: Duration,
) -> Histogram<u64> {
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 1;
            while !stop.load(Ordering::Relaxed) {
                number += 1;
                let begin = Instant::now();
                publish(publisher, bundles, number);
                std::thread::sleep(Duration::from_millis(10).saturating_sub(begin.elapsed()));
            }
        });
        let histogram = measure(pdp, messages, time);
        stop.store(true, Ordering::Relaxed);
        histogram
    })
}

fn publish(publisher: &mut Publisher, bundles: &[Bundle; 2], number: u64) {
    let mut snapshot = compile(&bundles[usize::try_from(number % 2).unwrap()]).unwrap();
    snapshot.revision = Revision {
        source: 1,
        number,
        digest: 0,
    };
    publisher.publish(snapshot);
}
