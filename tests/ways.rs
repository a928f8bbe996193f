//! Calls that are answered without the layers of a gRPC server, beside the same calls with them:
//! nobody can tell them apart.

mod proxy;
mod together;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use h2::client::SendRequest;
use jiff::{SignedDuration, Timestamp};
use prost::Message as _;
use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::document::bundle::{Strictness, read_bundle};
use tagwarden::model;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::caller::{Anonymous, Disclosure};
use tagwarden::publish::Standing;
use tagwarden::snapshot::Revision;
use tagwarden::snapshot::caller::CallerTable;
use tagwarden::source::files::read_directory;
use tagwarden::wire::status::reason_of;
use tagwarden::wire::v1;
use tonic::Code;

use crate::support::raw::{Reply, all_ways, framed, messages};
use crate::support::server::{Running, SOURCE, config, head, start_with, trusting};

const AUTHORIZE: &str = "/tagwarden.v1.AuthorizationService/Authorize";
const BATCH: &str = "/tagwarden.v1.AuthorizationService/BatchAuthorize";
const STREAM: &str = "/tagwarden.v1.AuthorizationService/AuthorizeStream";
const TAGGING: &str = "/tagwarden.v1.TaggingService/ValidateTagging";
const CHECK: &str = "/envoy.service.auth.v3.Authorization/Check";
const ACCOUNT: &str = "200000000002";

/// Who may send what.
#[derive(Debug, Clone, Copy)]
enum Callers {
    Trusted,
    /// As the example has them.
    Example,
    /// Nobody may anything.
    Nobody,
}

fn example() -> Bundle {
    bundle_of("examples/tag-governance")
}

fn bundle_of(folder: &str) -> Bundle {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = read_directory(&folder).unwrap();
    read_bundle(&files, Strictness::Strict).unwrap().bundle
}

/// A server with the policies and the resources of the example, not published yet.
fn serve(bundle: &Bundle) -> Running {
    let directory = Directory::default();
    directory.replace(bundle.resources.iter().cloned());
    start_with(config(), Arc::new(directory))
}

fn publish(running: &mut Running, bundle: &Bundle, callers: Callers) {
    let mut snapshot = compile(bundle).unwrap();
    snapshot.revision = Revision {
        source: SOURCE,
        number: 7,
        digest: 0xd1,
    };
    match callers {
        Callers::Trusted => snapshot.callers = trusting(Disclosure::Statements),
        Callers::Example => {}
        Callers::Nobody => {
            snapshot.callers = CallerTable::new(&model::caller::Callers {
                anonymous: Some(Anonymous::default()),
                named: Vec::new(),
            });
        }
    }
    running.publisher.publish(snapshot);
}

/// Asks in all ways; what is told: OK, or the reason.
async fn tell(sender: &SendRequest<Bytes>, path: &str, message: &[u8]) -> String {
    tell_by(sender, head(path), message).await
}

async fn tell_by(
    sender: &SendRequest<Bytes>,
    head: http::request::Builder,
    message: &[u8],
) -> String {
    let path = head.uri_ref().unwrap().path().to_owned();
    let replies = all_ways(sender, head, message).await;
    let [whole, others @ ..] = replies.map(|reply| without_ids(&path, reply));
    for other in &others {
        assert_eq!(whole, *other);
    }
    told(&whole)
}

/// OK, or the reason.
fn told(reply: &Reply) -> String {
    let status = reply.status();
    if status.code() == Code::Ok {
        "OK".to_owned()
    } else {
        reason_of(&status).expect("a reason")
    }
}

/// The same reply without the ids of its decisions: each decision has one of its own.
fn without_ids(path: &str, reply: Reply) -> Reply {
    let blank = |message| match path {
        AUTHORIZE => changed_in(message, forget),
        BATCH => changed_in(message, |batch: &mut v1::BatchAuthorizeResponse| {
            batch.results.iter_mut().for_each(forget_item);
        }),
        STREAM => changed_in(message, |item: &mut v1::AuthorizeStreamResponse| {
            forget_item(item.result.as_mut().unwrap());
        }),
        CHECK => proxy::without_id(message),
        _ => message.to_vec(),
    };
    let messages = messages(&reply.body).into_iter().map(blank);
    let body: Vec<u8> = messages.flat_map(|message| framed(0, &message)).collect();
    Reply {
        body: body.into(),
        ..reply
    }
}

/// A message with something changed; it must stand as prost writes it.
fn changed_in<M: prost::Message + Default>(bytes: &[u8], change: impl FnOnce(&mut M)) -> Vec<u8> {
    let mut message = M::decode(bytes).unwrap();
    assert_eq!(message.encode_to_vec(), bytes);
    change(&mut message);
    message.encode_to_vec()
}

fn forget(answer: &mut v1::AuthorizeResponse) {
    assert!(!std::mem::take(&mut answer.decision_id).is_empty());
}

fn forget_item(result: &mut v1::AuthorizeResult) {
    match result.result.as_mut().unwrap() {
        v1::authorize_result::Result::Response(answer) => forget(answer),
        v1::authorize_result::Result::Error(_) => {}
    }
}

fn tags(pairs: &[(&str, &str)]) -> v1::TagSet {
    let tag = |(key, value): &(&str, &str)| v1::Tag {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    };
    v1::TagSet {
        tags: pairs.iter().map(tag).collect(),
    }
}

fn many(count: usize) -> v1::TagSet {
    let keys: Vec<String> = (0..count).map(|place| format!("key{place}")).collect();
    let pairs: Vec<(&str, &str)> = keys.iter().map(|key| (&**key, "x")).collect();
    tags(&pairs)
}

fn resource(arn: &str) -> v1::Resource {
    v1::Resource {
        arn: arn.to_owned(),
        ..v1::Resource::default()
    }
}

fn revision(number: u64) -> v1::RevisionToken {
    v1::RevisionToken {
        source: format!("{SOURCE:016x}"),
        number,
    }
}

/// An instance that is made with two tags that comply.
fn create() -> v1::ValidateTaggingRequest {
    v1::ValidateTaggingRequest {
        resource: Some(resource(&format!(
            "acs:ecs:cn-hangzhou:{ACCOUNT}:instance/*"
        ))),
        operation: v1::TaggingOperation::Create.into(),
        tag_write: Some(v1::TagWrite {
            set: Some(tags(&[("CostCenter", "Beijing"), ("project", "P1234")])),
            ..v1::TagWrite::default()
        }),
        ..v1::ValidateTaggingRequest::default()
    }
}

fn changed(change: impl FnOnce(&mut v1::ValidateTaggingRequest)) -> v1::ValidateTaggingRequest {
    let mut request = create();
    change(&mut request);
    request
}

fn setting(pairs: &[(&str, &str)]) -> v1::ValidateTaggingRequest {
    changed(|request| request.tag_write.as_mut().unwrap().set = Some(tags(pairs)))
}

/// Looks at the tags of an instance that the directory does not know.
fn detect(pairs: &[(&str, &str)]) -> v1::ValidateTaggingRequest {
    changed(|request| {
        request.operation = v1::TaggingOperation::Detect.into();
        request.tag_write = None;
        request.resource = Some(v1::Resource {
            tags: Some(tags(pairs)),
            resource_group: Some(v1::ResourceGroup {
                id: "rg-shop".to_owned(),
            }),
            ..resource(&format!("acs:ecs:cn-hangzhou:{ACCOUNT}:instance/i-other"))
        });
    })
}

/// Verdicts of each kind.
fn verdicts() -> Vec<v1::ValidateTaggingRequest> {
    let wrong = [("costcenter", "beijing"), ("env", ""), ("project", "P1\"é")];
    vec![
        create(),
        setting(&[]),
        changed(|request| request.tag_write = None),
        setting(&wrong),
        setting(&[("CostCenter", "Beijin"), ("project", "")]),
        detect(&[]),
        detect(&[("costcenter", "Paris"), ("team", "north")]),
        detect(&wrong),
        changed(|request| {
            *request = detect(&wrong);
            request.group_tags = Some(v1::GroupTags {
                tags: Some(tags(&[("env", "prod")])),
                excluded: false,
            });
        }),
        changed(|request| {
            request.resource = detect(&[("CostCenter", "Beijing")]).resource;
            request.operation = v1::TaggingOperation::Untag.into();
            request.tag_write = Some(v1::TagWrite {
                remove_keys: vec!["CostCenter".to_owned()],
                ..v1::TagWrite::default()
            });
        }),
        changed(|request| {
            request.resource = detect(&[("CostCenter", "Beijing"), ("a", "b")]).resource;
            request.operation = v1::TaggingOperation::Tag.into();
            request.tag_write.as_mut().unwrap().replace = true;
            request.tag_write.as_mut().unwrap().set = Some(tags(&[("a", "c")]));
        }),
        changed(|request| request.min_revision = Some(revision(7))),
    ]
}

/// Questions without a verdict, and why.
fn refused() -> Vec<(&'static str, v1::ValidateTaggingRequest)> {
    let known = format!("acs:ecs:cn-hangzhou:{ACCOUNT}:instance/i-web");
    let at = |arn: &str| changed(|request| request.resource = Some(resource(arn)));
    let looking = |arn: &str| {
        changed(|request| {
            *request = detect(&[]);
            request.resource = Some(resource(arn));
        })
    };
    vec![
        ("INVALID_REQUEST", v1::ValidateTaggingRequest::default()),
        ("NO_RESOURCE", changed(|request| request.resource = None)),
        ("INVALID_REQUEST", at("acs:ecs")),
        ("INVALID_REQUEST", changed(|request| request.operation = 9)),
        (
            "INVALID_REQUEST",
            changed(|request| request.operation = v1::TaggingOperation::Untag.into()),
        ),
        (
            "INVALID_REQUEST",
            changed(|request| request.principal = "alice".to_owned()),
        ),
        (
            "INVALID_REQUEST",
            changed(|request| request.resource.as_mut().unwrap().r#type = "instance".to_owned()),
        ),
        ("INVALID_REQUEST", setting(&[("key ", "x")])),
        ("TAG_KEY_DUPLICATE", setting(&[("a", "x"), ("a", "y")])),
        (
            "TAG_LIMIT",
            changed(|request| request.tag_write.as_mut().unwrap().set = Some(many(21))),
        ),
        (
            "TAG_LIMIT",
            changed(|request| {
                request.group_tags = Some(v1::GroupTags {
                    tags: Some(many(30)),
                    excluded: false,
                });
            }),
        ),
        (
            "TAG_LIMIT",
            changed(|request| {
                *request = detect(&[]);
                request.resource.as_mut().unwrap().tags = Some(many(140));
            }),
        ),
        (
            "TAGS_NOT_APPLICABLE",
            changed(|request| request.resource.as_mut().unwrap().tags = Some(tags(&[]))),
        ),
        ("OWNER_UNKNOWN", at("*")),
        (
            "ACCOUNT_OUTSIDE_ORGANIZATION",
            at("acs:ecs:cn-hangzhou:17:instance/*"),
        ),
        (
            "RESOURCE_TYPE_MISMATCH",
            changed(|request| request.resource.as_mut().unwrap().r#type = "ecs:disk".to_owned()),
        ),
        // Known, and not to be seen by nobody.
        ("RESOURCE_UNKNOWN", looking(&known)),
        (
            "RESOURCE_UNKNOWN",
            looking(&format!("acs:ecs:cn-hangzhou:{ACCOUNT}:instance/i-none")),
        ),
        (
            "REVISION_NOT_REACHED",
            changed(|request| request.min_revision = Some(revision(8))),
        ),
        (
            "REVISION_UNREACHABLE",
            changed(|request| request.min_revision = Some(v1::RevisionToken::default())),
        ),
    ]
}

fn question(change: impl FnOnce(&mut v1::AuthorizeRequest)) -> Vec<u8> {
    asking(change).encode_to_vec()
}

fn asking(change: impl FnOnce(&mut v1::AuthorizeRequest)) -> v1::AuthorizeRequest {
    let mut request = v1::AuthorizeRequest {
        principal: format!("acs:ram::{ACCOUNT}:user/alice"),
        action: "ecs:TagResources".to_owned(),
        resources: vec![detect(&[("team", "north")]).resource.unwrap()],
        tag_write: create().tag_write,
        ..v1::AuthorizeRequest::default()
    };
    change(&mut request);
    request
}

#[tokio::test(flavor = "multi_thread")]
async fn verdicts_are_the_same_bytes() {
    let bundle = example();
    let mut running = serve(&bundle);
    publish(&mut running, &bundle, Callers::Trusted);
    let sender = running.driven().await;
    for request in verdicts() {
        let told = tell(&sender, TAGGING, &request.encode_to_vec()).await;
        assert_eq!(told, "OK", "{request:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_of_questions_about_tags_are_the_same_bytes() {
    let bundle = example();
    let mut running = serve(&bundle);
    publish(&mut running, &bundle, Callers::Trusted);
    let sender = running.driven().await;
    for (reason, request) in refused() {
        let told = tell(&sender, TAGGING, &request.encode_to_vec()).await;
        assert_eq!(told, reason, "{request:?}");
    }
    // Nothing is waited for, with a deadline or without.
    let late = changed(|request| request.min_revision = Some(revision(8)));
    let head = head(TAGGING).header("grpc-timeout", "1H");
    let told = tell_by(&sender, head, &late.encode_to_vec()).await;
    assert_eq!(told, "REVISION_NOT_REACHED");
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_and_their_refusals_are_the_same() {
    let bundle = example();
    let mut running = serve(&bundle);
    publish(&mut running, &bundle, Callers::Trusted);
    let sender = running.driven().await;
    let check = async |expected: &str, message: Vec<u8>| {
        assert_eq!(tell(&sender, AUTHORIZE, &message).await, expected);
    };
    check("OK", question(|_| {})).await;
    check(
        "OK",
        question(|request| request.action = "ecs:Nothing".to_owned()),
    )
    .await;
    check(
        "OK",
        question(|request| request.min_revision = Some(revision(7))),
    )
    .await;
    check("NO_RESOURCE", question(|request| request.resources.clear())).await;
    check(
        "INVALID_REQUEST",
        question(|request| request.action.clear()),
    )
    .await;
    check(
        "RESOURCE_DUPLICATE",
        question(|request| request.resources.push(request.resources[0].clone())),
    )
    .await;
    check(
        "CALLER_NOT_ALLOWED",
        question(|request| request.explain = true),
    )
    .await;
    check(
        "REVISION_NOT_REACHED",
        question(|request| request.min_revision = Some(revision(8))),
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_message_are_refused_in_the_same_words() {
    let bundle = example();
    let mut running = serve(&bundle);
    publish(&mut running, &bundle, Callers::Trusted);
    let sender = running.driven().await;
    for path in [AUTHORIZE, BATCH, STREAM, TAGGING] {
        for bytes in [
            &[0x0a, 2, 0xff, 0xff][..],
            &[0x0a, 9, b'x'],
            &[0x12, 3, 0x0a, 5, 0],
            &[0x07],
            &[0x80],
            &[0xff; 12],
        ] {
            let length = u8::try_from(bytes.len()).unwrap();
            let (message, expected) = match path {
                // In the question. An action that is none is told in the question's place.
                BATCH | STREAM if bytes[0] == 0x12 => ([&[0x0a, length][..], bytes].concat(), "OK"),
                BATCH | STREAM => ([&[0x0a, length][..], bytes].concat(), "INVALID_REQUEST"),
                _ => (bytes.to_vec(), "INVALID_REQUEST"),
            };
            let told = tell(&sender, path, &message).await;
            assert_eq!(told, expected, "{path} {bytes:?}");
        }
        let head = head(path).header("grpc-timeout", "soon");
        let told = tell_by(&sender, head, &[]).await;
        assert_eq!(told, "TIMEOUT_INVALID", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_are_held_to_their_rights() {
    let bundle = example();
    let mut running = serve(&bundle);
    publish(&mut running, &bundle, Callers::Example);
    let sender = running.driven().await;
    let check = async |path, expected: &str, message: Vec<u8>| {
        assert_eq!(tell(&sender, path, &message).await, expected, "{message:?}");
    };
    check(TAGGING, "OK", create().encode_to_vec()).await;
    for request in [
        changed(|request| request.principal = "acs:ram::1:user/alice".to_owned()),
        changed(|request| request.min_revision = Some(revision(7))),
    ] {
        check(TAGGING, "CALLER_NOT_ALLOWED", request.encode_to_vec()).await;
    }
    check(AUTHORIZE, "OK", question(|_| {})).await;
    let late = question(|request| request.min_revision = Some(revision(7)));
    check(AUTHORIZE, "CALLER_NOT_ALLOWED", late).await;
    publish(&mut running, &bundle, Callers::Nobody);
    check(TAGGING, "CALLER_NOT_ALLOWED", create().encode_to_vec()).await;
    check(AUTHORIZE, "CALLER_NOT_ALLOWED", question(|_| {})).await;
    check(BATCH, "CALLER_NOT_ALLOWED", Vec::new()).await;
    check(STREAM, "CALLER_NOT_ALLOWED", Vec::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_answered_without_policies_or_by_stale_ones() {
    let bundle = example();
    let mut running = serve(&bundle);
    let sender = running.driven().await;
    let check = async |expected: &str| {
        let told = tell(&sender, TAGGING, &create().encode_to_vec()).await;
        assert_eq!(told, expected);
        assert_eq!(tell(&sender, AUTHORIZE, &question(|_| {})).await, expected);
        for path in [BATCH, STREAM] {
            assert_eq!(tell(&sender, path, &[]).await, expected, "{path}");
        }
    };
    check("SNAPSHOT_NOT_READY").await;
    publish(&mut running, &bundle, Callers::Trusted);
    check("OK").await;
    let standing = |after| Standing {
        expires: Some(Timestamp::now() + SignedDuration::from_hours(after)),
        ..Standing::default()
    };
    running.publisher.stand(standing(1));
    check("OK").await;
    running.publisher.stand(standing(-1));
    check("SNAPSHOT_STALE").await;
    running.publisher.stand(Standing::default());
    check("OK").await;
}
