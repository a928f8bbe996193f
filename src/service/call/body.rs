//! Bodies of calls: one that begins with what was read of it before, and answers of one message.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Response};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tonic::Status;
use tonic::body::Body;

/// The body of an answer.
#[derive(Debug)]
pub(in crate::service) enum Answer {
    /// One message and the status OK.
    Whole(Whole),
    /// Anything else.
    Other(Body),
}

/// How far an answer of one message is sent.
#[derive(Debug)]
pub(in crate::service) enum Whole {
    /// Not at all: the message with what stands before it.
    Message(Bytes),
    /// The status is left.
    Status,
    /// To its end.
    Sent,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        match self.get_mut() {
            Self::Whole(whole) => Poll::Ready(whole.next().map(Ok)),
            Self::Other(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => matches!(whole, Whole::Sent),
            Self::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            // A length would become a header that calls do not have.
            Self::Whole(_) => SizeHint::default(),
            Self::Other(body) => body.size_hint(),
        }
    }
}

impl Whole {
    fn next(&mut self) -> Option<Frame<Bytes>> {
        match std::mem::replace(self, Self::Sent) {
            Self::Message(message) => {
                *self = Self::Status;
                Some(Frame::data(message))
            }
            Self::Status => Some(Frame::trailers(status_ok())),
            Self::Sent => None,
        }
    }
}

/// The trailers of an answer that is no error.
pub(super) fn status_ok() -> HeaderMap {
    let mut trailers = HeaderMap::with_capacity(1);
    trailers.insert(Status::GRPC_STATUS, HeaderValue::from_static("0"));
    trailers
}

/// The trailers of an answer that is an error.
pub(super) fn status_of(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    // INVARIANT: the code comes first, and texts are encoded.
    let _ = status.add_header(&mut trailers);
    trailers
}

/// An answer that has a body.
pub(super) fn with_body<B>(body: B) -> Response<B> {
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    let mut response = Response::new(body);
    *response.headers_mut() = headers;
    response
}

/// A body of which some was read.
pub(super) struct Unread {
    read: std::vec::IntoIter<Result<Frame<Bytes>, hyper::Error>>,
    rest: Incoming,
}

impl Unread {
    /// What was read, then the rest.
    pub(super) fn new(read: Vec<Result<Frame<Bytes>, hyper::Error>>, rest: Incoming) -> Self {
        Self {
            read: read.into_iter(),
            rest,
        }
    }
}

impl HttpBody for Unread {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let body = self.get_mut();
        match body.read.next() {
            Some(frame) => Poll::Ready(Some(frame)),
            None => Pin::new(&mut body.rest).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.read.len() == 0 && self.rest.is_end_stream()
    }
}
