//! Calls of `Authorize` whose bytes come in other ways than one whole message: each is answered or
//! refused as a gRPC server does, however the body is cut.

use prost::Message as _;
use tagwarden::service::{Config, ConnectionConfig};
use tagwarden::wire::v1;
use tonic::Code;

use crate::support::raw::{End, call, framed};
use crate::support::server::{authorize_head, config, head, start_ready, without_resource};

/// A question that is decided: nobody may do anything.
fn question() -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        resources: vec![v1::Resource {
            arn: "acs:ecs:cn-hangzhou:1:instance/i-1".to_owned(),
            ..v1::Resource::default()
        }],
        ..without_resource()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_answered_however_it_is_cut() {
    let running = start_ready(config());
    let sender = running.driven().await;
    let bytes = framed(0, &question().encode_to_vec());
    let (first, rest) = bytes.split_at(3);
    let (prefix, message) = bytes.split_at(5);
    let bodies: [&[&[u8]]; 6] = [
        &[&bytes],
        &[&[], &bytes],
        &[&bytes, &[]],
        &[first, rest],
        &[prefix, message],
        &[prefix, &message[..10], &message[10..]],
    ];
    for pieces in bodies {
        for end in [End::WithData, End::Afterwards, End::Trailers] {
            let reply = call(&sender, authorize_head(), pieces, end).await;
            assert_eq!(reply.code(), Code::Ok, "{pieces:?} {end:?}");
            let answer: v1::AuthorizeResponse = reply.message();
            assert_eq!(answer.effect(), v1::Effect::Deny);
            assert!(!answer.decision_id.is_empty());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_whole_message_is_refused() {
    let running = start_ready(Config {
        connection: ConnectionConfig {
            message_bytes: 1_000,
            ..ConnectionConfig::default()
        },
        ..config()
    });
    let sender = running.driven().await;
    let message = question().encode_to_vec();
    let whole = framed(0, &message);
    let check = async |pieces: &[&[u8]], expected: Code| {
        for end in [End::WithData, End::Afterwards] {
            let reply = call(&sender, authorize_head(), pieces, end).await;
            assert_eq!(reply.code(), expected, "{pieces:?} {end:?}");
            assert!(reply.body.is_empty(), "{pieces:?} {end:?}");
        }
    };
    check(&[&[]], Code::Internal).await;
    check(&[&whole[..4]], Code::Internal).await;
    check(&[&whole[..whole.len() - 1]], Code::Internal).await;
    check(&[&framed(1, &message)], Code::Internal).await;
    check(&[&framed(9, &message)], Code::Internal).await;
    check(&[&framed(0, &[b'x'; 1_001])], Code::OutOfRange).await;
    check(&[&framed(0, &[0xff; 9])], Code::InvalidArgument).await;
    let reply = call(&sender, authorize_head(), &[&whole], End::WithData).await;
    assert_eq!(reply.code(), Code::Ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_coding_that_is_not_spoken_is_refused() {
    let running = start_ready(config());
    let bytes = framed(0, &question().encode_to_vec());
    let path = "/tagwarden.v1.AuthorizationService/Authorize";
    let coded = |coding| {
        let head = head(path).header("grpc-encoding", coding);
        head.body(()).unwrap()
    };
    let sender = running.driven().await;
    let check = async |head, expected| {
        let reply = call(&sender, head, &[&bytes], End::WithData).await;
        assert_eq!(reply.code(), expected);
        assert_eq!(reply.body.is_empty(), expected != Code::Ok);
    };
    check(coded("gzip"), Code::Unimplemented).await;
    check(coded("identity"), Code::Ok).await;
    let head = head("/tagwarden.v1.AuthorizationService/Nothing");
    check(head.body(()).unwrap(), Code::Unimplemented).await;
}
