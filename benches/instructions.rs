//! Instructions of a thousand decisions, verdicts and answers, counted under valgrind: steady where
//! clocks are not.

#![expect(missing_docs, reason = "the macros of gungraun make items without any")]
#![expect(clippy::unwrap_used, reason = "a bench that cannot go on ends")]

#[path = "support/profiles.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared; each binary uses a part, and a corpus that cannot be drawn ends it"
)]
mod profiles;

#[path = "support/eci.rs"]
mod eci;
#[path = "support/proxied.rs"]
mod proxied;
#[path = "support/tagging.rs"]
mod tagging;
#[path = "support/tags.rs"]
#[expect(dead_code, reason = "shared; each binary uses a part")]
mod tags;

use std::hint::black_box;
use std::sync::Arc;

use gungraun::{library_benchmark, library_benchmark_group, main};
use profiles::handler::Handler;
use profiles::{Case, Shape};
use prost::Message as _;
use tagwarden::compiler::compile;
use tagwarden::engine::compliance::validate;
use tagwarden::engine::decide;
use tagwarden::engine::tagging::Tagging;
use tagwarden::model::caller::Origin;
use tagwarden::model::tag_policy::Dialect;
use tagwarden::publish::{Publisher, publication};
use tagwarden::service::pdp::{Clock, Config, Pdp};
use tagwarden::service::{Peer, PeerAddress};
use tagwarden::wire::v1;

const DECISIONS: usize = 1_000;

fn typical() -> Case {
    Case::new(Shape::typical(), DECISIONS)
}

fn heavy() -> Case {
    Case::new(Shape::heavy(), DECISIONS)
}

#[library_benchmark]
#[bench::typical(typical())]
#[bench::heavy(heavy())]
fn thousand_decisions(case: Case) -> Case {
    for request in &case.requests {
        let _ = black_box(decide(black_box(&case.snapshot), black_box(request)));
    }
    case
}

#[library_benchmark]
#[bench::single(Handler::new(DECISIONS))]
fn thousand_answers(handler: Handler) -> Handler {
    let mut answer = Vec::with_capacity(4_096);
    for question in &handler.questions {
        answer.clear();
        let _ = handler
            .pdp
            .answer(&Origin::Loopback, black_box(question), &mut answer);
        black_box(&answer);
    }
    handler
}

#[library_benchmark]
#[bench::proxied(proxied::Proxied::new(DECISIONS))]
fn thousand_checks(proxied: proxied::Proxied) -> proxied::Proxied {
    let mut answer = Vec::with_capacity(4_096);
    for call in &proxied.calls {
        answer.clear();
        let _ = (proxied.pdp).check(&Origin::Loopback, black_box(call), &mut answer);
        black_box(&answer);
    }
    proxied
}

/// A decision point, and ten batches of a hundred questions.
struct Batches {
    handler: Handler,
    calls: Vec<Vec<u8>>,
    runtime: tokio::runtime::Runtime,
}

impl Batches {
    fn new() -> Self {
        let handler = Handler::new(DECISIONS);
        let question = |bytes: &Vec<u8>| v1::AuthorizeRequest::decode(bytes.as_slice()).unwrap();
        let calls = handler.questions.chunks(100).map(|questions| {
            let requests = questions.iter().map(question).collect();
            v1::BatchAuthorizeRequest { requests }.encode_to_vec()
        });
        Self {
            calls: calls.collect(),
            handler,
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
        }
    }
}

#[library_benchmark]
#[bench::hundreds(Batches::new())]
fn thousand_in_batches(batches: Batches) -> Batches {
    let mut answers = Vec::with_capacity(1 << 16);
    for call in &batches.calls {
        answers.clear();
        let pdp = &batches.handler.pdp;
        let answered = pdp.batch(&Origin::Loopback, black_box(call), &mut answers);
        let _ = batches.runtime.block_on(answered);
        black_box(&answers);
    }
    batches
}

/// A decision point, and a thousand items of a stream, which arrive a hundred at once.
struct Items {
    pdp: Arc<Pdp>,
    peer: Arc<Peer>,
    questions: Vec<Vec<u8>>,
    runtime: tokio::runtime::Runtime,
    _handler: Handler,
}

impl Items {
    fn new() -> Self {
        let handler = Handler::new(DECISIONS);
        let item = |bytes: &Vec<u8>| {
            let request = v1::AuthorizeRequest::decode(bytes.as_slice()).unwrap();
            let request = Some(request);
            v1::AuthorizeStreamRequest { request }.encode_to_vec()
        };
        Self {
            pdp: Arc::new(handler.pdp.for_worker()),
            peer: Peer::new(PeerAddress::Tcp(([127, 0, 0, 1], 1).into())),
            questions: handler.questions.iter().map(item).collect(),
            runtime: tokio::runtime::Builder::new_current_thread()
                .build()
                .unwrap(),
            _handler: handler,
        }
    }
}

#[library_benchmark]
#[bench::items(Items::new())]
fn thousand_in_a_stream(stream: Items) -> Items {
    let mut answers = Vec::with_capacity(1 << 16);
    for items in stream.questions.chunks(100) {
        answers.clear();
        let items = items.iter().map(Vec::as_slice);
        let answered = (stream.pdp).stream(&stream.peer, black_box(items), &mut answers);
        let _ = stream.runtime.block_on(answered);
        black_box(&answers);
    }
    stream
}

// Verdicts on 20 tags by 50 keys.
#[library_benchmark]
#[bench::alibaba(tags::Case::compliant(Dialect::Alibaba))]
#[bench::huawei(tags::Case::compliant(Dialect::Huawei))]
#[bench::aws(tags::Case::compliant(Dialect::Aws))]
fn thousand_verdicts(case: tags::Case) -> tags::Case {
    let tags = case.sent();
    for _ in 0..DECISIONS {
        let tagging = Tagging::new(black_box(tags::Case::question(&tags)));
        let _ = black_box(tagging.map(|tagging| validate(&case.rules(), &tagging).is_compliant()));
    }
    drop(tags);
    case
}

/// A decision point and a call of `ValidateTagging` as bytes.
fn handler() -> (Pdp, Publisher, Vec<u8>) {
    let (mut publisher, reader) = publication().unwrap();
    publisher.publish(compile(&tagging::bundle()).unwrap());
    let pdp = Pdp::new(Config {
        reader,
        directory: Arc::default(),
        clock: Clock::default(),
        pages: tagwarden::wire::page::PageKey::new([7; 64]),
    });
    (pdp, publisher, tagging::request().encode_to_vec())
}

// From the bytes of a call to the bytes of its answer.
#[library_benchmark]
#[bench::usual(handler())]
fn thousand_validations(
    (pdp, publisher, call): (Pdp, Publisher, Vec<u8>),
) -> (Pdp, Publisher, Vec<u8>) {
    let mut answer = Vec::with_capacity(4_096);
    for _ in 0..DECISIONS {
        answer.clear();
        let _ = pdp.validate(&Origin::Loopback, black_box(&call), &mut answer);
        black_box(&answer);
    }
    (pdp, publisher, call)
}

library_benchmark_group!(name = decisions; benchmarks = thousand_decisions, thousand_answers, thousand_checks, thousand_in_batches, thousand_in_a_stream);
library_benchmark_group!(name = compliance; benchmarks = thousand_verdicts, thousand_validations);
main!(library_benchmark_groups = decisions, compliance);
