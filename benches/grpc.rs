//! Calls over gRPC beside the floor: the same messages to a tonic method that answers a constant.
//!
//! Server and load are processes on a core each; variants run in turn, in rounds; a round is void
//! unless the server's core was 95 % busy. `--short` only shows that it works. `--only WORD` keeps
//! to the figures whose name holds the word. `--serve ours --world typical --socket PATH` is the
//! server alone, and `--drive ADDRESS --seconds N` the load alone: for a profiler.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
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

#[path = "support/grpc/bare.rs"]
mod bare;
#[path = "support/grpc/child.rs"]
mod child;
#[path = "support/grpc/load.rs"]
mod load;
#[path = "support/grpc/pair.rs"]
mod pair;
#[path = "support/point.rs"]
mod point;
#[path = "support/row.rs"]
mod row;
#[path = "support/grpc/served.rs"]
mod served;
#[path = "support/grpc/told.rs"]
mod told;

use std::time::Duration;

use hdrhistogram::Histogram;
use load::Target;
use pair::{Pair, Socket, frames};
use prost::encoding::{WireType, encode_key, encode_varint};
use told::{Load, beside_single, row as tell};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const AUTHORIZE: &str = "/tagwarden.v1.AuthorizationService/Authorize";
const BATCH: &str = "/tagwarden.v1.AuthorizationService/BatchAuthorize";
const STREAM: &str = "/tagwarden.v1.AuthorizationService/AuthorizeStream";
const TAGGING: &str = "/tagwarden.v1.TaggingService/ValidateTagging";

const CONNECTIONS: usize = 4;
const STREAMS: usize = 16;
/// Questions of a batch, and of a stream on their way.
const TOGETHER: usize = 100;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| {
        let place = arguments.iter().position(|argument| argument == name)?;
        arguments.get(place + 1).cloned()
    };
    let socket = value("--socket").unwrap_or_default();
    match value("--serve").as_deref() {
        Some("ours") => return served::serve_ours(&value("--world").unwrap(), &socket),
        Some("bare") => {
            let (kind, answer) = (value("--kind").unwrap(), value("--answer").unwrap());
            return served::serve_bare(&kind, &answer, &socket);
        }
        _ => {}
    }
    if let Some(address) = value("--drive") {
        return drive(address, &value("--seconds").unwrap());
    }
    let short = arguments.iter().any(|argument| argument == "--short");
    let effort = if short {
        Effort {
            rounds: 1,
            time: Duration::from_millis(200),
            unloaded: 200,
            busy: 0.0,
        }
    } else {
        Effort {
            rounds: 7,
            time: Duration::from_secs(2),
            unloaded: 4_000,
            busy: 0.95,
        }
    };
    child::pin_load();
    let bench = Bench {
        effort,
        only: value("--only").unwrap_or_default(),
    };
    bench.authorize();
    bench.tagging();
}

/// Load alone, for a server that runs under a profiler.
fn drive(address: String, seconds: &str) {
    let target = Target {
        address,
        method: AUTHORIZE,
        messages: frames(&served::questions()),
        decisions: 1,
    };
    let time = Duration::from_secs(seconds.parse().unwrap());
    println!("{} calls", target.closed(CONNECTIONS, STREAMS, time).calls);
}

/// How much is measured.
#[derive(Clone, Copy)]
struct Effort {
    rounds: usize,
    time: Duration,
    unloaded: usize,
    /// The least share of the server's core.
    busy: f64,
}

struct Bench {
    effort: Effort,
    only: String,
}

impl Bench {
    fn takes(&self, figure: &str) -> bool {
        figure.contains(&self.only)
    }

    fn authorize(&self) {
        let questions = served::questions();
        let pair = Pair::start("typical", AUTHORIZE, &questions);
        for socket in [Socket::Tcp, Socket::Unix] {
            let floor = pair.floor(socket);
            self.throughput("Authorize", socket, &pair, &floor, 1.0);
            self.unloaded(socket, &pair, &floor);
            self.tails(socket, &pair, &floor);
        }
        self.together(&pair, &questions);
    }

    fn tagging(&self) {
        let questions = served::tagging_questions();
        let pair = Pair::start("tags", TAGGING, &questions);
        for socket in [Socket::Tcp, Socket::Unix] {
            let floor = pair.floor(socket);
            self.throughput("ValidateTagging", socket, &pair, &floor, 0.85);
        }
    }

    /// A closed loop on all connections.
    fn load(&self, server: &child::Server, target: &Target) -> Load {
        self.measured(server, target.decisions, || {
            target.closed(CONNECTIONS, STREAMS, self.effort.time)
        })
    }

    /// Measures until the server's core was busy, at most three times.
    fn measured(
        &self,
        server: &child::Server,
        decisions: u64,
        work: impl Fn() -> load::Sum,
    ) -> Load {
        let mut tries = 0;
        loop {
            let before = server.used();
            let sum = work();
            let used = server.used().saturating_sub(before).as_secs_f64();
            let (calls, time) = ((sum.calls * decisions) as f64, sum.time.as_secs_f64());
            let is_void = used / time < self.effort.busy;
            tries += 1;
            if !is_void || tries == 3 {
                return Load {
                    rate: calls / time,
                    cost: used / calls,
                    is_void,
                };
            }
        }
    }

    fn throughput(
        &self,
        what: &str,
        socket: Socket,
        pair: &Pair,
        floor: &child::Server,
        target: f64,
    ) {
        let figure = format!("{what}, {}", socket.name());
        if !self.takes(&figure) {
            return;
        }
        let (ours, bare) = (
            pair.target(socket.of(&pair.ours)),
            pair.target(socket.of(floor)),
        );
        let mut rounds = Vec::new();
        for round in 0..=self.effort.rounds {
            // Who is first changes; the first round warms up.
            let (own, floor) = if round % 2 == 0 {
                let own = self.load(&pair.ours, &ours);
                (own, self.load(floor, &bare))
            } else {
                let floor = self.load(floor, &bare);
                (self.load(&pair.ours, &ours), floor)
            };
            if round > 0 {
                rounds.push((own, floor));
            }
        }
        if what == "Authorize" {
            told::rounds(socket.name(), &rounds);
        }
        let voids = rounds.iter();
        let voids = voids
            .filter(|(own, floor)| own.is_void || floor.is_void)
            .count();
        let of = |value: fn(&Load) -> f64| -> Vec<(f64, f64)> {
            let rounds = rounds.iter();
            rounds
                .map(|(own, floor)| (value(own), value(floor)))
                .collect()
        };
        tell(
            &format!("{figure}, calls/s"),
            &of(|load| load.rate),
            &format!("ratio >= {target}"),
            0,
            voids,
        );
        tell(
            &format!("{figure}: server's time a call, µs"),
            &of(|load| load.cost * 1e6),
            &format!("ratio <= {:.2}", 1.0 / target),
            2,
            voids,
        );
    }

    fn unloaded(&self, socket: Socket, pair: &Pair, floor: &child::Server) {
        let figure = format!(
            "Authorize, {}: p50 of one call at a time, µs",
            socket.name()
        );
        if !self.takes(&figure) {
            return;
        }
        let median = |server: &child::Server| {
            let times = pair
                .target(socket.of(server))
                .unloaded(self.effort.unloaded);
            times.value_at_quantile(0.5) as f64 / 1e3
        };
        let rounds = (0..self.effort.rounds).map(|_| (median(&pair.ours), median(floor)));
        let rounds: Vec<(f64, f64)> = rounds.collect();
        tell(&figure, &rounds, "", 1, 0);
        let mut above: Vec<f64> = rounds.iter().map(|(own, other)| own - other).collect();
        above.sort_by(f64::total_cmp);
        row::Row {
            figure: &format!("grpc: Authorize, {}: p50 above bare", socket.name()),
            value: above[above.len() / 2],
            unit: "µs",
            target: "<= 5",
            spread: Some([above[0], above[above.len() - 1]]),
            distinct: served::DISTINCT,
            ..row::Row::default()
        }
        .print();
    }

    /// The tails of calls at a tenth and a half of what the floor can do.
    fn tails(&self, socket: Socket, pair: &Pair, floor: &child::Server) {
        let figure = |share: u32| {
            let name = socket.name();
            format!("Authorize, {name}: p99 at {share} % of capacity, µs")
        };
        if !self.takes(&figure(10)) {
            return;
        }
        let (ours, bare) = (
            pair.target(socket.of(&pair.ours)),
            pair.target(socket.of(floor)),
        );
        let capacity = self.load(floor, &bare).rate;
        for share in [10, 50] {
            let rate = capacity * f64::from(share) / 100.0;
            let empty = || Histogram::<u64>::new_with_bounds(1, 60_000_000_000, 3).unwrap();
            let (mut own, mut other) = (empty(), empty());
            let mut rounds = Vec::new();
            for _ in 0..self.effort.rounds {
                let one = ours.open(rate, self.effort.time);
                let two = bare.open(rate, self.effort.time);
                let p99 = |times: &Histogram<u64>| times.value_at_quantile(0.99) as f64 / 1e3;
                rounds.push((p99(&one), p99(&two)));
                own.add(one).unwrap();
                other.add(two).unwrap();
            }
            let merged = [&own, &other].map(|all| all.value_at_quantile(0.99) as f64 / 1e3);
            told::merged(&figure(share), merged, &rounds, "ratio <= 1.5");
        }
    }

    /// Batches and streams beside single calls, in decisions a second.
    fn together(&self, pair: &Pair, questions: &[Vec<u8>]) {
        let single = pair.target(pair.ours.tcp.clone());
        let batches: Vec<Vec<u8>> = questions.chunks_exact(TOGETHER).map(batch).collect();
        let batch = Target {
            method: BATCH,
            messages: frames(&batches),
            decisions: TOGETHER as u64,
            ..single.clone()
        };
        let wrapped: Vec<Vec<u8>> = questions.iter().map(|question| one(question)).collect();
        let stream = Target {
            method: STREAM,
            messages: frames(&wrapped),
            ..single.clone()
        };
        let name = format!("batches of {TOGETHER}, TCP, decisions/s");
        if self.takes(&name) {
            let rounds: Vec<(Load, Load)> = (0..self.effort.rounds)
                .map(|_| {
                    let together = self.measured(&pair.ours, batch.decisions, || {
                        batch.closed(CONNECTIONS, 1, self.effort.time)
                    });
                    (together, self.load(&pair.ours, &single))
                })
                .collect();
            beside_single(&name, &rounds);
        }
        let name = "a stream on each connection, TCP, decisions/s";
        if self.takes(name) {
            let rounds: Vec<(Load, Load)> = (0..self.effort.rounds)
                .map(|_| {
                    let together = self.measured(&pair.ours, 1, || {
                        stream.stream(CONNECTIONS, TOGETHER, self.effort.time)
                    });
                    (together, self.load(&pair.ours, &single))
                })
                .collect();
            beside_single(name, &rounds);
        }
    }
}

/// Questions as one message: all have the field 1.
fn batch(questions: &[Vec<u8>]) -> Vec<u8> {
    questions
        .iter()
        .flat_map(|question| one(question))
        .collect()
}

fn one(question: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode_key(1, WireType::LengthDelimited, &mut bytes);
    encode_varint(question.len() as u64, &mut bytes);
    bytes.extend_from_slice(question);
    bytes
}
