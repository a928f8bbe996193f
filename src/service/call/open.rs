//! An answer that stays open: a stream of messages with an end of its own.
//!
//! At the deadline of the call, and when the server drains and the stream has nothing to say, it
//! ends with a status. What the stream has to say goes first.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::HeaderMap;
use hyper::body::{Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;

use crate::service::phase::{Phase, reached};
use crate::wire::status::CallError;

/// The body of an answer that stays open.
pub(super) struct Open {
    /// `None` after the end.
    inner: Option<Body>,
    deadline: Option<Pin<Box<Sleep>>>,
    draining: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl Open {
    pub(super) fn new(
        inner: Body,
        deadline: Option<Instant>,
        mut phases: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            inner: Some(inner),
            deadline: deadline.map(|deadline| Box::pin(sleep_until(deadline))),
            draining: Box::pin(async move { reached(&mut phases, Phase::Draining).await }),
        }
    }

    /// Why the stream ends now, if it does.
    fn end(&mut self, context: &mut Context<'_>) -> Option<CallError> {
        let late = self
            .deadline
            .as_mut()
            .is_some_and(|at| at.as_mut().poll(context).is_ready());
        if late {
            Some(CallError::DeadlineExceeded)
        } else if self.draining.as_mut().poll(context).is_ready() {
            Some(CallError::Stopping)
        } else {
            None
        }
    }
}

impl hyper::body::Body for Open {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let open = self.get_mut();
        let Some(inner) = &mut open.inner else {
            return Poll::Ready(None);
        };
        if let ready @ Poll::Ready(_) = Pin::new(inner).poll_frame(context) {
            return ready;
        }
        let Some(error) = open.end(context) else {
            return Poll::Pending;
        };
        open.inner = None;
        Poll::Ready(trailers(&error.to_status()).map(Ok))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

fn trailers(status: &Status) -> Option<Frame<Bytes>> {
    let mut headers = HeaderMap::new();
    status.add_header(&mut headers).ok()?;
    Some(Frame::trailers(headers))
}
