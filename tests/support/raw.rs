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

/// The answer to a message that comes in one piece, and to the same in two: a server may answer the
/// first in a quicker way.
pub(crate) async fn both_ways(
    sender: &SendRequest<Bytes>,
    head: http::request::Builder,
    message: &[u8],
) -> [Reply; 2] {
    let head = head.body(()).unwrap();
    let bytes = framed(0, message);
    let (first, rest) = bytes.split_at(4);
    let whole = call(sender, head.clone(), &[&bytes], End::WithData).await;
    let cut = call(sender, head, &[first, rest], End::WithData).await;
    [whole, cut]
}
