//! Deciding allocates nothing: no request of any profile, decided or refused. From the bytes of a
//! question, about actions or about tags that comply, to the bytes of its answer nothing is allocated
//! either, but the place for the answer.
//! A snapshot keeps no more than it may.
//!
//! A binary of its own, with one test: the counter counts for the whole process.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on fails"
)]

#[path = "../benches/support/profiles.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "shared; each binary uses a part, and a corpus that cannot be drawn ends it"
)]
mod profiles;

#[path = "../benches/support/tagging.rs"]
#[expect(
    clippy::unwrap_used,
    reason = "shared; policies that cannot be read end it"
)]
mod tagging;
#[path = "../benches/support/tags.rs"]
#[expect(dead_code, reason = "shared; each binary uses a part")]
mod tags;

use std::alloc::System;
use std::hint::black_box;
use std::sync::Arc;

use futures_util::FutureExt as _;
use profiles::handler::Handler;
use profiles::{Case, Shape, Shares, single};
use prost::Message as _;
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::engine::compliance::validate;
use tagwarden::engine::decide;
use tagwarden::engine::request::Request;
use tagwarden::engine::tagging::Tagging;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::caller::{Origin, SocketUser};
use tagwarden::model::resource::Resource;
use tagwarden::model::tag::{Tag, TagRef, TagSet};
use tagwarden::model::tag_policy::Dialect;
use tagwarden::publish::publication;
use tagwarden::service::pdp::{Clock, Config, Pdp};
use tagwarden::service::{Peer, PeerAddress};
use tagwarden::snapshot::Snapshot;
use tagwarden::wire::page::PageKey;
use tagwarden::wire::v1::authorize_result::Result as Told;
use tagwarden::wire::v1::{
    AuthorizeRequest, AuthorizeResponse, AuthorizeStreamRequest, AuthorizeStreamResponse,
    ValidateTaggingResponse,
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

fn allocations(work: impl FnOnce()) -> usize {
    let region = Region::new(ALLOCATOR);
    work();
    let change = region.change();
    change.allocations + change.reallocations + change.deallocations
}

/// The most bytes of a snapshot for one policy with a single statement.
const SNAPSHOT_BYTES: usize = 500;

/// The bytes that a snapshot keeps for each of so many policies with a single statement.
fn snapshot_bytes(policies: usize) -> usize {
    let kept = |bundle: &Bundle| {
        let region = Region::new(ALLOCATOR);
        let snapshot = compile(bundle);
        let change = region.change();
        assert!(snapshot.is_ok(), "the corpus compiles");
        change.bytes_allocated - change.bytes_deallocated
    };
    (kept(&single::bundle(policies)) - kept(&Bundle::default())) / policies
}

fn ask_all(snapshot: &Snapshot, requests: &[Request<'_>]) {
    for request in requests {
        let _ = black_box(decide(snapshot, black_box(request)));
    }
}

/// The same without the address that policies ask for: some are refused.
fn refused<'a>(requests: &[Request<'a>]) -> Vec<Request<'a>> {
    let without = |request: &Request<'a>| {
        let mut request = *request;
        request.context.source_ip = None;
        request
    };
    requests.iter().map(without).collect()
}

#[test]
fn deciding_and_judging_allocate_nothing_and_snapshots_are_small() {
    let counted = allocations(|| drop(black_box(vec![1_u8; 100])));
    assert!(counted >= 2, "the counter does not count");
    for shape in [Shape::typical(), Shape::heavy(), Shape::worst()] {
        let name = shape.name;
        let count = if name == "worst" { 200 } else { 1_000 };
        let case = Case::new(shape, count);
        Shares::of(&case.snapshot, &case.requests).check();
        let other = refused(&case.requests);
        assert!(
            Shares::of(&case.snapshot, &other).refused > 0.0,
            "{name}: nothing is refused"
        );
        let sum = allocations(|| {
            ask_all(&case.snapshot, &case.requests);
            ask_all(&case.snapshot, &other);
        });
        assert_eq!(sum, 0, "{name}");
    }
    for dialect in Dialect::ALL {
        let case = tags::Case::compliant(dialect);
        let sent = case.sent();
        let sum = allocations(|| {
            let tagging = Tagging::new(black_box(tags::Case::question(&sent))).unwrap();
            assert!(validate(&case.rules(), &tagging).is_compliant());
        });
        assert_eq!(sum, 0, "compliance, {dialect}");
    }
    answering();
    streaming();
    looking_up();
    validating();
    let bytes = snapshot_bytes(10_000);
    println!("bytes of a snapshot for one policy\t{bytes}\tbytes\t{SNAPSHOT_BYTES}");
    assert!(bytes <= SNAPSHOT_BYTES, "{bytes} bytes for one policy");
}

/// What the directory knows of a resource, with its tags.
fn looking_up() {
    let arn = |number: u32| format!("acs:ecs:cn-hangzhou:1:instance/i-{number}");
    let tag = |value| Tag::from(TagRef { key: "env", value });
    let directory = Directory::default();
    directory.replace((0..1_000).map(|number| Resource {
        arn: arn(number).as_str().try_into().unwrap(),
        account: None,
        kind: None,
        group: None,
        tags: TagSet::new(vec![tag(["prod", "test"][number as usize % 2])]).unwrap(),
    }));
    let arns: Vec<String> = (0..1_100).map(arn).collect();
    let mut found = 0;
    let sum = allocations(|| {
        for arn in &arns {
            let entry = directory.find(black_box(arn));
            let tags = entry.as_ref().map(|entry| entry.tags());
            found += usize::from(tags.and_then(|tags| tags.get("env")).is_some());
        }
    });
    assert_eq!((sum, found), (0, 1_000), "look-ups");
}

/// What a peer on loopback is told, and what the server's own user is told, statements and all.
fn answering() {
    let handler = Handler::new(1_000);
    let own = Origin::Unix {
        uid: 1,
        gid: 1,
        user: SocketUser::Own,
    };
    for origin in [Origin::Loopback, own] {
        let mut answer = Vec::with_capacity(4_096);
        let sum = allocations(|| {
            for question in &handler.questions {
                answer.clear();
                let answered = handler
                    .pdp
                    .answer(&origin, black_box(question), &mut answer);
                assert_eq!(answered, Ok(()));
                assert!(!answer.is_empty());
            }
        });
        assert_eq!(sum, 0, "{origin:?}");
    }
}

/// Items of a stream that are there together: the call is kept, and nothing is for an item.
fn streaming() {
    const ITEMS: usize = 60;
    let handler = Handler::new(ITEMS);
    let questions = handler.questions.iter();
    let items: Vec<Vec<u8>> = questions
        .map(|question| {
            let request = Some(AuthorizeRequest::decode(&**question).unwrap());
            AuthorizeStreamRequest { request }.encode_to_vec()
        })
        .collect();
    let pdp = Arc::new(handler.pdp.for_worker());
    let peer = Peer::new(PeerAddress::Tcp(([127, 0, 0, 1], 1).into()));
    let mut answers = Vec::with_capacity(1 << 16);
    let mut answered = None;
    let sum = allocations(|| {
        let items = items.iter().map(Vec::as_slice);
        let all = pdp.stream(&peer, black_box(items), &mut answers);
        answered = all.now_or_never();
    });
    assert_eq!((answered, sum), (Some(Ok(())), 2));
    let mut rest = &answers[..];
    for question in &handler.questions {
        let (prefix, behind) = rest.split_at(5);
        let length = u32::from_be_bytes(prefix[1..].try_into().unwrap());
        let (message, behind) = behind.split_at(length as usize);
        rest = behind;
        let told = AuthorizeStreamResponse::decode(message).unwrap();
        let mut alone = Vec::new();
        let answered = handler.pdp.answer(&Origin::Loopback, question, &mut alone);
        answered.unwrap();
        let alone = AuthorizeResponse::decode(&*alone).unwrap();
        let told = told.result.unwrap().result.map(|told| match told {
            // Each decision has an id of its own.
            Told::Response(told) => Ok(AuthorizeResponse {
                decision_id: alone.decision_id.clone(),
                ..told
            }),
            Told::Error(error) => Err(error),
        });
        assert_eq!(told, Some(Ok(alone)));
    }
    assert!(rest.is_empty());
}

/// Tags that comply.
fn validating() {
    let (mut publisher, reader) = publication().unwrap();
    publisher.publish(compile(&tagging::bundle()).unwrap());
    let pdp = Pdp::new(Config {
        reader,
        directory: Arc::default(),
        clock: Clock::default(),
        pages: PageKey::new([7; 64]),
    });
    let mut request = tagging::request();
    let resource = request.resource.as_mut().unwrap();
    // Without it the type is made of two parts of the ARN.
    "ecs:instance".clone_into(&mut resource.r#type);
    let request = request.encode_to_vec();
    let mut answer = Vec::with_capacity(4_096);
    let mut answered = Ok(());
    let sum = allocations(|| {
        answered = pdp.validate(&Origin::Loopback, black_box(&request), &mut answer);
    });
    assert_eq!((answered, sum), (Ok(()), 0));
    let told = ValidateTaggingResponse::decode(&*answer).unwrap();
    assert!(told.verdict.unwrap().compliant);
}
