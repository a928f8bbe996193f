//! The whole handler without the network: decode, decide, encode, beside prost's owned decoding and
//! encoding of the same messages alone. `--short` asks less.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
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

use std::hint::black_box;
use std::time::Instant;

use profiles::handler::Handler;
use prost::Message as _;
use tagwarden::model::caller::Origin;
use tagwarden::wire::message::Authorize;
use tagwarden::wire::v1;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How many distinct questions are asked.
const DISTINCT: usize = 4_096;

fn main() {
    let short = std::env::args().any(|argument| argument == "--short");
    let (rounds, turns) = if short { (3, 2) } else { (15, 50) };
    let handler = Handler::new(DISTINCT);
    let mut bytes = Vec::with_capacity(4_096);
    handler
        .pdp
        .answer(&Origin::Loopback, &handler.questions[0], &mut bytes)
        .unwrap();
    let answer = v1::AuthorizeResponse::decode(&*bytes).unwrap();
    let mut own = Vec::new();
    let mut read = Vec::new();
    let mut prost = Vec::new();
    for _ in 0..rounds {
        own.push(mean(&handler, turns, |question| {
            bytes.clear();
            let answered = handler.pdp.answer(&Origin::Loopback, question, &mut bytes);
            black_box(answered).unwrap();
        }));
        read.push(mean(&handler, turns, |question| {
            let mut message = Authorize::default();
            message.merge(question).unwrap();
            black_box(&message);
        }));
        prost.push(mean(&handler, turns, |question| {
            black_box(v1::AuthorizeRequest::decode(question).unwrap());
            bytes.clear();
            black_box(&answer).encode(&mut bytes).unwrap();
        }));
    }
    println!("| figure | value | target | anchor | ratio | spread |");
    println!("|---|---|---|---|---|---|");
    let floor = sorted(prost);
    row("handler without the network, ns", own, "<= 800", &floor);
    row("reading a question, ns", read, "", &floor);
}

/// Nanoseconds of one question, over all of them in a row.
fn mean(handler: &Handler, turns: usize, mut work: impl FnMut(&[u8])) -> f64 {
    let begin = Instant::now();
    for _ in 0..turns {
        for question in &handler.questions {
            work(black_box(question));
        }
    }
    begin.elapsed().as_nanos() as f64 / (turns * handler.questions.len()) as f64
}

fn sorted(mut values: Vec<f64>) -> Vec<f64> {
    values.sort_by(f64::total_cmp);
    values
}

/// A figure beside prost's decoding and encoding.
fn row(figure: &str, values: Vec<f64>, target: &str, floor: &[f64]) {
    let values = sorted(values);
    let (median, anchor) = (values[values.len() / 2], floor[floor.len() / 2]);
    println!(
        "| {figure} | {median:.0} | {target} | prost: {anchor:.0} | {:.2} | {:.0} to {:.0} |",
        median / anchor,
        values[0],
        values[values.len() - 1]
    );
}
