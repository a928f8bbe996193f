//! Calls of `Authorize` whose bytes come in other ways than one whole message: each is answered or
//! refused as a gRPC server does, however the body is cut.

use bytes::{BufMut as _, Bytes, BytesMut};
use http::HeaderMap;
use prost::Message as _;
use tagwarden::service::{Config, ConnectionConfig};
use tagwarden::wire::v1;
use tonic::Code;

use crate::support::server::{
    Running, authorize_head, config, head, start_ready, within, without_resource,
};

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

fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut frame = BytesMut::new();
    frame.put_u8(flag);
    frame.put_u32(u32::try_from(message.len()).unwrap());
    frame.put_slice(message);
    frame.to_vec()
}

/// How the body of a call ends.
#[derive(Debug, Clone, Copy)]
enum End {
    WithData,
    Afterwards,
    Trailers,
}

/// Sends a body in pieces; the status, and the message if there is one.
async fn call(
    running: &Running,
    head: http::Request<()>,
    pieces: &[&[u8]],
    end: End,
) -> (Code, Option<Bytes>) {
    let mut sender = running.driven().await.ready().await.unwrap();
    let (answer, mut body) = sender.send_request(head, false).unwrap();
    for (place, piece) in pieces.iter().enumerate() {
        let last = matches!(end, End::WithData) && place + 1 == pieces.len();
        body.send_data(Bytes::copy_from_slice(piece), last).unwrap();
        // Each piece arrives by itself.
        tokio::task::yield_now().await;
    }
    match end {
        End::WithData => {}
        End::Afterwards => body.send_data(Bytes::new(), true).unwrap(),
        End::Trailers => body.send_trailers(HeaderMap::new()).unwrap(),
    }
    let (head, mut body) = within(answer).await.unwrap().into_parts();
    let mut read = BytesMut::new();
    while let Some(data) = within(body.data()).await {
        read.extend_from_slice(&data.unwrap());
    }
    let trailers = within(body.trailers()).await.unwrap();
    let headers = trailers.unwrap_or(head.headers);
    let status = headers["grpc-status"].to_str().unwrap().parse().unwrap();
    let message = (!read.is_empty()).then(|| read.freeze());
    (Code::from_i32(status), message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_answered_however_it_is_cut() {
    let running = start_ready(config());
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
            let (code, message) = call(&running, authorize_head(), pieces, end).await;
            assert_eq!(code, Code::Ok, "{pieces:?} {end:?}");
            let message = message.expect("an answer");
            let length = u32::from_be_bytes(message[1..5].try_into().unwrap());
            assert_eq!((message[0], message.len()), (0, 5 + length as usize));
            let answer = v1::AuthorizeResponse::decode(&message[5..]).unwrap();
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
    let message = question().encode_to_vec();
    let whole = framed(0, &message);
    let check = async |pieces: &[&[u8]], expected: Code| {
        for end in [End::WithData, End::Afterwards] {
            let (code, answer) = call(&running, authorize_head(), pieces, end).await;
            assert_eq!((code, answer), (expected, None), "{pieces:?} {end:?}");
        }
    };
    check(&[&[]], Code::Internal).await;
    check(&[&whole[..4]], Code::Internal).await;
    check(&[&whole[..whole.len() - 1]], Code::Internal).await;
    check(&[&framed(1, &message)], Code::Internal).await;
    check(&[&framed(9, &message)], Code::Internal).await;
    check(&[&framed(0, &[b'x'; 1_001])], Code::OutOfRange).await;
    check(&[&framed(0, &[0xff; 9])], Code::InvalidArgument).await;
    let (code, _) = call(&running, authorize_head(), &[&whole], End::WithData).await;
    assert_eq!(code, Code::Ok);
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
    let pieces: &[&[u8]] = &[&bytes];
    let (code, answer) = call(&running, coded("gzip"), pieces, End::WithData).await;
    assert_eq!((code, answer), (Code::Unimplemented, None));
    let (code, answer) = call(&running, coded("identity"), pieces, End::WithData).await;
    assert_eq!((code, answer.is_some()), (Code::Ok, true));
    let head = head("/tagwarden.v1.AuthorizationService/Nothing");
    let head = head.body(()).unwrap();
    let (code, answer) = call(&running, head, pieces, End::WithData).await;
    assert_eq!((code, answer), (Code::Unimplemented, None));
}
