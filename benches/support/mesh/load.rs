//! Requests over HTTP/2 on the `h2` crate. Every one must pass.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::SendRequest;
use hdrhistogram::Histogram;
use http::{Method, Request};
use tokio::net::UnixStream;
use tokio::task::LocalSet;
use tokio::time::sleep_until;

/// How many distinct requests are sent.
pub(crate) const DISTINCT: usize = 4_096;
const CONNECTIONS: usize = 4;
const STREAMS: usize = 16;

/// One of the ways through Envoy.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// The socket of its listener.
    pub(crate) address: String,
}

impl Way {
    /// Requests in a closed loop; how many a second.
    pub(crate) fn closed(&self, time: Duration) -> f64 {
        run(async {
            let calls = Rc::new(Cell::new(0_u32));
            let senders = self.connections().await;
            let begin = Instant::now();
            let mut tasks = Vec::new();
            for place in 0..CONNECTIONS * STREAMS {
                let sender = senders[place % CONNECTIONS].clone();
                let calls = Rc::clone(&calls);
                tasks.push(tokio::task::spawn_local(async move {
                    let mut next = place * 61;
                    while begin.elapsed() < time {
                        next += 1;
                        ask(&sender, next).await;
                        calls.set(calls.get() + 1);
                    }
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            f64::from(calls.get()) / begin.elapsed().as_secs_f64()
        })
    }

    /// Requests at fixed instants, to the millisecond of the timer; how long each took from when it
    /// was due, in nanoseconds.
    pub(crate) fn open(&self, rate: f64, time: Duration) -> Histogram<u64> {
        run(async {
            let senders = self.connections().await;
            let times = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3).unwrap();
            let times = Rc::new(RefCell::new(times));
            let begin = Instant::now();
            let mut tasks = Vec::new();
            for place in 0_u32.. {
                let due = begin + Duration::from_secs_f64(f64::from(place) / rate);
                if due - begin > time {
                    break;
                }
                // Whoever spins takes the core from Envoy.
                sleep_until(due.into()).await;
                let sender = senders[place as usize % senders.len()].clone();
                let times = Rc::clone(&times);
                tasks.push(tokio::task::spawn_local(async move {
                    ask(&sender, place as usize).await;
                    let took = u64::try_from(due.elapsed().as_nanos()).unwrap();
                    times.borrow_mut().saturating_record(took);
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            Rc::try_unwrap(times).unwrap().into_inner()
        })
    }

    async fn connections(&self) -> Vec<SendRequest<Bytes>> {
        let mut senders = Vec::new();
        for _ in 0..CONNECTIONS {
            let stream = UnixStream::connect(&self.address).await.unwrap();
            let (sender, connection) = h2::client::handshake(stream).await.unwrap();
            tokio::task::spawn_local(connection);
            senders.push(sender);
        }
        senders
    }
}

/// A create that carries the tag that alice needs, in one of many regions.
async fn ask(sender: &SendRequest<Bytes>, place: usize) {
    let region = place % DISTINCT;
    let uri = format!(
        "http://eci.example/?Action=CreateContainerGroup&RegionId=cn-{region}\
         &Tag.1.Key=env&Tag.1.Value=test&Tag.2.Key=team&Tag.2.Value=payments"
    );
    let request = Request::builder()
        .method(Method::POST)
        .uri(uri)
        .header("user-agent", "bench/1.0")
        .header("accept", "application/json")
        .header(
            "x-request-id",
            format!("00000000-0000-4000-8000-{region:012}"),
        )
        .body(())
        .unwrap();
    let mut sender = sender.clone().ready().await.unwrap();
    let (answer, _) = sender.send_request(request, true).unwrap();
    let (head, mut body) = answer.await.unwrap().into_parts();
    assert_eq!(head.status, 200);
    while let Some(data) = body.data().await {
        let length = data.unwrap().len();
        body.flow_control().release_capacity(length).unwrap();
    }
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, work)
}
