//! Load on the `h2` crate: a tonic client costs more than a server and would hide it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::SendRequest;
use hdrhistogram::Histogram;
use http::{Method, Request, Uri};
use tokio::net::{TcpStream, UnixStream};
use tokio::task::{LocalSet, yield_now};

/// Where a server listens, and what is called.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// `127.0.0.1:1234`, or the path of a socket.
    pub(crate) address: String,
    /// The path of the method.
    pub(crate) method: &'static str,
    /// The messages, sent in turn.
    pub(crate) messages: Rc<[Bytes]>,
    /// How many decisions one message asks for.
    pub(crate) decisions: u64,
}

/// What came of a load.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sum {
    pub(crate) calls: u64,
    pub(crate) time: Duration,
}

impl Target {
    /// A message as it stands in a frame: not compressed, and its length.
    pub(crate) fn frame(message: &[u8]) -> Bytes {
        let mut frame = BytesMut::with_capacity(message.len() + 5);
        frame.put_u8(0);
        frame.put_u32(u32::try_from(message.len()).unwrap());
        frame.extend_from_slice(message);
        frame.freeze()
    }

    fn uri(&self) -> Uri {
        format!("http://localhost{}", self.method).parse().unwrap()
    }

    async fn connect(&self) -> SendRequest<Bytes> {
        let mut builder = h2::client::Builder::new();
        builder
            .initial_window_size(1 << 20)
            .initial_connection_window_size(1 << 24);
        if self.address.starts_with('/') {
            let stream = UnixStream::connect(&self.address).await.unwrap();
            let (sender, connection) = builder.handshake(stream).await.unwrap();
            tokio::task::spawn_local(connection);
            sender
        } else {
            let stream = TcpStream::connect(&self.address).await.unwrap();
            stream.set_nodelay(true).unwrap();
            let (sender, connection) = builder.handshake(stream).await.unwrap();
            tokio::task::spawn_local(connection);
            sender
        }
    }

    /// Calls in a closed loop: so many connections, so many calls at once on each.
    pub(crate) fn closed(&self, connections: usize, streams: usize, time: Duration) -> Sum {
        run(async {
            let calls = Rc::new(Cell::new(0_u64));
            let senders = self.connections(connections).await;
            let begin = Instant::now();
            let mut tasks = Vec::new();
            for place in 0..connections * streams {
                let sender = senders[place % connections].clone();
                let (target, calls) = (self.clone(), Rc::clone(&calls));
                tasks.push(tokio::task::spawn_local(async move {
                    let mut next = place * 7;
                    while begin.elapsed() < time {
                        next += 1;
                        target.call(&sender, next).await;
                        calls.set(calls.get() + 1);
                    }
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            let time = begin.elapsed();
            let calls = calls.get();
            Sum { calls, time }
        })
    }

    /// One call after the other; tells how long each took, in nanoseconds.
    pub(crate) fn unloaded(&self, calls: usize) -> Histogram<u64> {
        run(async {
            let sender = self.connect().await;
            let mut times = Histogram::new_with_bounds(1, 60_000_000_000, 3).unwrap();
            for place in 0..calls {
                let begin = Instant::now();
                self.call(&sender, place).await;
                times.saturating_record(nanoseconds(begin.elapsed()));
            }
            times
        })
    }

    /// Calls at fixed instants, whether or not those before are answered; the time of each counts
    /// from the instant at which it was due.
    pub(crate) fn open(&self, rate: f64, time: Duration) -> Histogram<u64> {
        run(async {
            let senders = self.connections(4).await;
            let times = Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3).unwrap();
            let times = Rc::new(RefCell::new(times));
            let begin = Instant::now();
            let mut tasks = Vec::new();
            let mut place = 0_u32;
            loop {
                let due = begin + Duration::from_secs_f64(f64::from(place) / rate);
                if due - begin > time {
                    break;
                }
                while Instant::now() < due {
                    yield_now().await;
                }
                let sender = senders[place as usize % senders.len()].clone();
                let (target, times) = (self.clone(), Rc::clone(&times));
                tasks.push(tokio::task::spawn_local(async move {
                    target.call(&sender, place as usize).await;
                    times
                        .borrow_mut()
                        .saturating_record(nanoseconds(due.elapsed()));
                }));
                place += 1;
            }
            for task in tasks {
                task.await.unwrap();
            }
            Rc::try_unwrap(times).unwrap().into_inner()
        })
    }

    /// The first answers as they come.
    pub(crate) fn answers(&self, count: usize) -> Vec<Bytes> {
        run(async {
            let sender = self.connect().await;
            let mut answers = Vec::new();
            for place in 0..count {
                answers.push(self.call(&sender, place).await);
            }
            answers
        })
    }

    /// Messages in one stream, at most `ahead` of them not answered; how many were answered.
    pub(crate) fn stream(&self, connections: usize, ahead: usize, time: Duration) -> Sum {
        run(async {
            let calls = Rc::new(Cell::new(0_u64));
            let begin = Instant::now();
            let mut tasks = Vec::new();
            for sender in self.connections(connections).await {
                let (target, calls) = (self.clone(), Rc::clone(&calls));
                tasks.push(tokio::task::spawn_local(async move {
                    target
                        .stream_one(&sender, ahead, begin + time, &calls)
                        .await;
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            let time = begin.elapsed();
            let calls = calls.get();
            Sum { calls, time }
        })
    }

    async fn stream_one(
        &self,
        sender: &SendRequest<Bytes>,
        ahead: usize,
        end: Instant,
        calls: &Cell<u64>,
    ) {
        let mut sender = sender.clone().ready().await.unwrap();
        let (answer, mut out) = sender.send_request(self.head(), false).unwrap();
        // As many as may be under way go out first; then as many as were answered.
        let mut next = 0_usize;
        let mut batch = |count: usize| {
            let mut frames = BytesMut::new();
            for _ in 0..count {
                frames.extend_from_slice(&self.messages[next % self.messages.len()]);
                next += 1;
            }
            frames.freeze()
        };
        out.send_data(batch(ahead), false).unwrap();
        let mut body = answer.await.unwrap().into_body();
        let mut open = ahead;
        let mut held = BytesMut::new();
        let mut owed = 0;
        while open > 0 {
            let data = body.data().await.expect("an answer").unwrap();
            body.flow_control().release_capacity(data.len()).unwrap();
            held.extend_from_slice(&data);
            let answered = frames(&mut held);
            open -= answered;
            owed += answered;
            calls.set(calls.get() + answered as u64);
            if Instant::now() < end && owed * 4 >= ahead {
                out.send_data(batch(owed), false).unwrap();
                open += owed;
                owed = 0;
            }
        }
        out.send_data(Bytes::new(), true).unwrap();
    }

    async fn connections(&self, count: usize) -> Vec<SendRequest<Bytes>> {
        let mut senders = Vec::new();
        for _ in 0..count {
            senders.push(self.connect().await);
        }
        senders
    }

    fn head(&self) -> Request<()> {
        Request::builder()
            .method(Method::POST)
            .uri(self.uri())
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .body(())
            .unwrap()
    }

    /// One call; the message that answers it. An error of the call ends the bench.
    async fn call(&self, sender: &SendRequest<Bytes>, place: usize) -> Bytes {
        let mut sender = sender.clone().ready().await.unwrap();
        let (answer, mut out) = sender.send_request(self.head(), false).unwrap();
        let message = self.messages[place % self.messages.len()].clone();
        out.send_data(message, true).unwrap();
        let (head, mut body) = answer.await.unwrap().into_parts();
        let Some(data) = body.data().await else {
            panic!("no answer: {head:?}")
        };
        let mut data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        while let Some(more) = body.data().await {
            let more = more.unwrap();
            body.flow_control().release_capacity(more.len()).unwrap();
            data = [data, more].concat().into();
        }
        let trailers = body.trailers().await.unwrap().expect("trailers");
        assert_eq!(trailers["grpc-status"], "0");
        data
    }
}

/// Takes whole messages away; how many they were.
fn frames(held: &mut BytesMut) -> usize {
    let mut count = 0;
    while let Some([0, a, b, c, d]) = held.first_chunk::<5>().copied() {
        let length = u32::from_be_bytes([a, b, c, d]) as usize;
        if held.len() < 5 + length {
            break;
        }
        let _ = held.split_to(5 + length);
        count += 1;
    }
    count
}

fn run<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, work)
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap()
}
