//! Calls as bytes: cut as a test wants them, and answers with all that came.

use bytes::{BufMut as _, Bytes, BytesMut};
use h2::client::SendRequest;
use http::{HeaderMap, Request};
use prost::Message;
use tonic::{Code, Status};

use super::server::within;

/// How the body of a call ends.
#[derive(Debug, Clone, Copy)]
pub(crate) enum End {
    WithData,
    Afterwards,
    Trailers,
}

/// All that a call is answered with.
#[derive(Debug, PartialEq)]
pub(crate) struct Reply {
    pub(crate) head: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: Option<HeaderMap>,
}

impl Reply {
    /// The status, wherever it stands.
    pub(crate) fn status(&self) -> Status {
        let headers = self.trailers.as_ref().unwrap_or(&self.head);
        Status::from_header_map(headers).expect("a status")
    }

    pub(crate) fn code(&self) -> Code {
        self.status().code()
    }

    /// The one message of an answer.
    pub(crate) fn message<M: Message + Default>(&self) -> M {
        let length = u32::from_be_bytes(self.body[1..5].try_into().unwrap());
        assert_eq!((self.body[0], self.body.len()), (0, 5 + length as usize));
        M::decode(&self.body[5..]).unwrap()
    }
}

/// A message with what stands before it in a body.
pub(crate) fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let mut frame = BytesMut::new();
    frame.put_u8(flag);
    frame.put_u32(u32::try_from(message.len()).unwrap());
    frame.put_slice(message);
    frame.to_vec()
}

/// Sends a body in pieces.
pub(crate) async fn call(
    sender: &SendRequest<Bytes>,
    head: Request<()>,
    pieces: &[&[u8]],
    end: End,
) -> Reply {
    let mut sender = sender.clone().ready().await.unwrap();
    let (answer, mut body) = sender.send_request(head, false).unwrap();
    let mut sent = Ok(());
    for (place, piece) in pieces.iter().enumerate() {
        let last = matches!(end, End::WithData) && place + 1 == pieces.len();
        sent = sent.and_then(|()| body.send_data(Bytes::copy_from_slice(piece), last));
        // Each piece arrives by itself.
        tokio::task::yield_now().await;
    }
    // A call may be answered before it is whole.
    let _ = sent.and_then(|()| match end {
        End::WithData => Ok(()),
        End::Afterwards => body.send_data(Bytes::new(), true),
        End::Trailers => body.send_trailers(HeaderMap::new()),
    });
    let (head, mut body) = within(answer).await.unwrap().into_parts();
    let mut read = BytesMut::new();
    while let Some(data) = within(body.data()).await {
        let data = data.unwrap();
        body.flow_control().release_capacity(data.len()).unwrap();
        read.extend_from_slice(&data);
    }
    Reply {
        head: head.headers,
        body: read.freeze(),
        trailers: within(body.trailers()).await.unwrap(),
    }
}

/// The messages of a body.
pub(crate) fn messages(mut body: &[u8]) -> Vec<&[u8]> {
    let mut messages = Vec::new();
    while let Some((prefix, rest)) = body.split_first_chunk::<5>() {
        let [0, length @ ..] = prefix else {
            panic!("compressed: {prefix:?}")
        };
        let (message, rest) = rest.split_at(u32::from_be_bytes(*length) as usize);
        messages.push(message);
        body = rest;
    }
    assert!(body.is_empty(), "no whole message: {body:?}");
    messages
}

/// The head of a call whose messages are cut by tonic: it names the coding that is none.
pub(crate) fn by_tonic(head: Request<()>) -> Request<()> {
    let (mut head, ()) = head.into_parts();
    let identity = http::HeaderValue::from_static("identity");
    head.headers.insert("grpc-encoding", identity);
    Request::from_parts(head, ())
}

/// The answers to a message that comes in one piece, in two, and by tonic's way: a server may answer
/// the first two in a quicker one.
pub(crate) async fn all_ways(
    sender: &SendRequest<Bytes>,
    head: http::request::Builder,
    message: &[u8],
) -> [Reply; 3] {
    let head = head.body(()).unwrap();
    let bytes = framed(0, message);
    let (first, rest) = bytes.split_at(4);
    let whole = call(sender, head.clone(), &[&bytes], End::WithData).await;
    let cut = call(sender, head.clone(), &[first, rest], End::WithData).await;
    let by_tonic = call(sender, by_tonic(head), &[&bytes], End::WithData).await;
    [whole, cut, by_tonic]
}
