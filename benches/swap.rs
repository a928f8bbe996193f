//! Whether a decision waits for a swap, with and without swaps in rounds by turns: the time from a
//! request's bytes to its answer's bytes inside the server, and the time of calls of eight clients
//! over a socket.
//!
//! `--seconds N` tells how long each round takes (default 3), `--rounds N` how many (default 7).
//! Prints the rows of `support/row.rs` and the points of `support/point.rs`.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a bench that cannot go on ends; times are far below what a float holds"
)]

#[path = "../tests/swap/question.rs"]
#[expect(dead_code, reason = "shared with the test, which compares answers")]
mod question;

#[path = "support/point.rs"]
mod point;
#[path = "support/rounds.rs"]
mod rounds;
#[path = "support/row.rs"]
mod row;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use point::point;
use rounds::median;
use row::Row;
use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::caller::Origin;
use tagwarden::publish::{Publisher, publication};
use tagwarden::service::pdp::{self, Clock, Pdp};
use tagwarden::service::{self, Phase, Server};
use tagwarden::snapshot::Revision;
use tagwarden::wire::v1;
use tagwarden::wire::v1::authorization_service_client::AuthorizationServiceClient;
use tokio::sync::watch;
use tonic::transport::Channel;

fn main() {
    let (seconds, rounds) = (argument("--seconds", 3), argument("--rounds", 7));
    let time = Duration::from_secs(seconds);
    let bundles = question::bundles();
    let asked = question::asked(&bundles);
    let messages: Vec<v1::AuthorizeRequest> =
        asked.into_iter().map(|asked| asked.message).collect();
    let bytes: Vec<Vec<u8>> = messages.iter().map(prost::Message::encode_to_vec).collect();
    let (mut publisher, reader) = publication().unwrap();
    publish(&mut publisher, &bundles, 1);
    let pdp = Pdp::new(pdp::Config {
        reader,
        directory: Arc::new(Directory::default()),
        clock: Clock::default(),
        pages: tagwarden::wire::page::PageKey::new([7; 64]),
    });
    let mut swaps = Swaps {
        rounds,
        distinct: bytes.len(),
        publisher: &mut publisher,
        bundles: &bundles,
    };
    let inside = || answers(&pdp, &bytes, time);
    swaps.compare("inside the server", 0.999, "ratio <= 1.2", &inside);
    let clients = Clients::start(pdp.for_worker(), messages);
    let over = || clients.calls(time);
    swaps.compare("clients", 0.99, "ratio <= 1.3", &over);
    swaps.compare("clients", 0.999, "", &over);
}

/// What is swapped, and how often it is compared.
struct Swaps<'a> {
    rounds: u64,
    distinct: usize,
    publisher: &'a mut Publisher,
    bundles: &'a [Bundle; 2],
}

impl Swaps<'_> {
    /// Prints the median of a quantile over rounds, without and with swaps by turns.
    fn compare(
        &mut self,
        what: &str,
        quantile: f64,
        target: &str,
        measure: &(dyn Fn() -> Histogram<u64> + Sync),
    ) {
        let series = format!("{what}, p{}", quantile * 100.0);
        let figure = format!("swap: {series}");
        let (mut without, mut with, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..self.rounds {
            let still = measure().value_at_quantile(quantile) as f64;
            let swapping =
                swapped(measure, self.publisher, self.bundles).value_at_quantile(quantile) as f64;
            point("swap", &series, round as f64 + 1.0, swapping / still);
            without.push(still);
            with.push(swapping);
            ratios.push(swapping / still);
        }
        let anchor = format!("without swaps, {} ns", median(without).0);
        let (ratio, spread) = median(ratios);
        Row {
            figure: &figure,
            value: median(with).0,
            unit: "ns",
            target,
            anchor: &anchor,
            ratio: Some(ratio),
            spread: Some(spread),
            distinct: self.distinct,
        }
        .print();
    }
}

/// A server on a free port and eight clients.
struct Clients {
    runtime: tokio::runtime::Runtime,
    connections: Vec<AuthorizationServiceClient<Channel>>,
    messages: Arc<[v1::AuthorizeRequest]>,
    _stop: watch::Sender<Phase>,
}

impl Clients {
    fn start(pdp: Pdp, messages: Vec<v1::AuthorizeRequest>) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let config = service::Config {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            workers: NonZeroUsize::new(1),
            ..service::Config::default()
        };
        let server = Server::bind(config).unwrap();
        let address = server.addresses().unwrap()[0].to_string();
        let (stop, phases) = watch::channel(Phase::Serving);
        runtime.spawn(server.run(pdp, phases));
        let connect = || async {
            let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
            AuthorizationServiceClient::new(endpoint.connect().await.unwrap())
        };
        let connections = (0..8).map(|_| runtime.block_on(connect())).collect();
        Self {
            runtime,
            connections,
            messages: messages.into(),
            _stop: stop,
        }
    }

    /// One call after the other on each connection; tells how long each took.
    fn calls(&self, time: Duration) -> Histogram<u64> {
        let tasks: Vec<_> = (self.connections.iter().cloned())
            .map(|client| {
                let messages = Arc::clone(&self.messages);
                self.runtime.spawn(calls(client, messages, time))
            })
            .collect();
        let mut all = Histogram::new_with_bounds(1, 60_000_000_000, 3).unwrap();
        for task in tasks {
            all.add(self.runtime.block_on(task).unwrap()).unwrap();
        }
        all
    }
}

async fn calls(
    mut client: AuthorizationServiceClient<Channel>,
    messages: Arc<[v1::AuthorizeRequest]>,
    time: Duration,
) -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).unwrap();
    let begin = Instant::now();
    for message in messages.iter().cycle() {
        let asked = Instant::now();
        client.authorize(message.clone()).await.unwrap();
        histogram.saturating_record(u64::try_from(asked.elapsed().as_nanos()).unwrap());
        if begin.elapsed() > time {
            break;
        }
    }
    histogram
}

fn argument(name: &str, default: u64) -> u64 {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    arguments
        .nth(1)
        .map_or(default, |text| text.parse().unwrap())
}

/// Answers requests one after the other; tells how long each took.
fn answers(pdp: &Pdp, messages: &[Vec<u8>], time: Duration) -> Histogram<u64> {
    let mut histogram = Histogram::new_with_bounds(1, 60_000_000_000, 3).unwrap();
    let begin = Instant::now();
    let mut bytes = Vec::new();
    for message in messages.iter().cycle() {
        let asked = Instant::now();
        bytes.clear();
        pdp.answer(&Origin::Loopback, message, &mut bytes).unwrap();
        let taken = asked.elapsed();
        histogram.saturating_record(u64::try_from(taken.as_nanos()).unwrap());
        if begin.elapsed() > time {
            return histogram;
        }
    }
    histogram
}

/// The same measurement, while another thread publishes 100 times a second. The snapshots are
/// compiled before: compiling takes processor time from whoever shares the cores, and is no wait.
fn swapped(
    measure: &(dyn Fn() -> Histogram<u64> + Sync),
    publisher: &mut Publisher,
    bundles: &[Bundle; 2],
) -> Histogram<u64> {
    let compiled = bundles.each_ref().map(|bundle| compile(bundle).unwrap());
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 1_u64;
            while !stop.load(Ordering::Relaxed) {
                number += 1;
                let begin = Instant::now();
                let mut snapshot = compiled[usize::try_from(number % 2).unwrap()].clone();
                snapshot.revision.number = number;
                publisher.publish(snapshot);
                std::thread::sleep(Duration::from_millis(10).saturating_sub(begin.elapsed()));
            }
        });
        let histogram = measure();
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
