//! Swaps under load: every answer fits its revision, revisions never go back, no call fails.
//!
//! Two bundles of the typical profile that answer differently take turns, 100 a second, under eight
//! busy connections. `TAGWARDEN_SWAP_SECONDS` tells how long.

mod question;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tagwarden::compiler::compile;
use tagwarden::model::bundle::Bundle;
use tagwarden::service::Phase;
use tagwarden::snapshot::Revision;
use tagwarden::wire::v1;

use self::question::{Asked, asked, bundles};
use crate::support::server::{Running, SOURCE, config, start, within};

const CONNECTIONS: usize = 8;
const SWAPS_A_SECOND: u32 = 100;
/// Without optimisation, compiling takes most of the time.
const LEAST_A_SECOND: u64 = if cfg!(debug_assertions) { 5 } else { 90 };

/// What all connections saw.
#[derive(Default)]
struct Seen {
    /// Answers of the first and of the second bundle.
    answers: [AtomicU64; 2],
    /// Answers that the other bundle would not have given.
    telling: AtomicU64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_fits_its_revision() {
    let seconds = std::env::var("TAGWARDEN_SWAP_SECONDS").ok();
    let seconds = seconds.and_then(|text| text.parse().ok()).unwrap_or(3);
    let bundles = bundles();
    let asked: Arc<[Asked]> = asked(&bundles).into();
    let mut running = start(config());
    publish(&mut running, &bundles, 1);
    let (seen, stop) = (Arc::new(Seen::default()), Arc::new(AtomicBool::new(false)));
    let mut connections = Vec::new();
    for place in 0..CONNECTIONS {
        let client = running.client().await;
        let (asked, seen, stop) = (Arc::clone(&asked), Arc::clone(&seen), Arc::clone(&stop));
        connections.push(tokio::spawn(connection(client, place, asked, seen, stop)));
    }
    let (running, swaps) = swap(running, bundles, Duration::from_secs(seconds)).await;
    stop.store(true, Ordering::Relaxed);
    for connection in connections {
        within(connection).await.unwrap();
    }
    running.tell(Phase::Draining);
    running.ended().await;
    let [first, second] = seen
        .answers
        .each_ref()
        .map(|count| count.load(Ordering::Relaxed));
    let telling = seen.telling.load(Ordering::Relaxed);
    println!("{swaps} swaps, {first} + {second} answers, {telling} of them telling");
    assert!(swaps >= seconds * LEAST_A_SECOND, "only {swaps} swaps");
    assert!(first > 0 && second > 0 && telling > 0);
}

fn publish(running: &mut Running, bundles: &[Bundle; 2], number: u64) {
    let bundle = &bundles[usize::try_from(number % 2).unwrap()];
    let mut snapshot = compile(bundle).unwrap();
    snapshot.revision = Revision {
        source: SOURCE,
        number,
        digest: number % 2,
    };
    running.publisher.publish(snapshot);
}

/// Compiles and publishes by turns, on a thread of its own; tells how often.
async fn swap(mut running: Running, bundles: [Bundle; 2], time: Duration) -> (Running, u64) {
    let work = move || {
        let begin = Instant::now();
        let mut number = 1;
        while begin.elapsed() < time {
            number += 1;
            publish(&mut running, &bundles, number);
            let due = Duration::from_secs(1) / SWAPS_A_SECOND * u32::try_from(number).unwrap();
            std::thread::park_timeout(due.saturating_sub(begin.elapsed()));
        }
        (running, number)
    };
    tokio::task::spawn_blocking(work).await.unwrap()
}

async fn connection(
    mut client: v1::authorization_service_client::AuthorizationServiceClient<
        tonic::transport::Channel,
    >,
    place: usize,
    asked: Arc<[Asked]>,
    seen: Arc<Seen>,
    stop: Arc<AtomicBool>,
) {
    let mut newest = 0;
    for asked in asked.iter().cycle().skip(place * 37) {
        if stop.load(Ordering::Relaxed) {
            return;
        }
        let answer = within(client.authorize(asked.message.clone())).await;
        let answer = match answer {
            Ok(answer) => answer.into_inner(),
            Err(status) => panic!("a call failed: {status}"),
        };
        let number = answer.revision.unwrap().number;
        assert!(number >= newest, "revision {number} after {newest}");
        newest = number;
        let bundle = usize::try_from(number % 2).unwrap();
        let allowed = answer.effect == i32::from(v1::Effect::Allow);
        assert_eq!(
            allowed, asked.allowed[bundle],
            "revision {number}: {:?}",
            asked.message
        );
        seen.answers[bundle].fetch_add(1, Ordering::Relaxed);
        if asked.allowed[0] != asked.allowed[1] {
            seen.telling.fetch_add(1, Ordering::Relaxed);
        }
    }
}
