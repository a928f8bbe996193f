//! An answer that stays open: a stream of messages with an end of its own.
//!
//! At the deadline of the call, and when the server drains and the stream has nothing to say, it
//! ends with a status. What the stream has to say goes first.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Status;
use tonic::body::Body;

use super::body::status_of;
use crate::service::phase::{Phase, reached};
use crate::wire::status::CallError;

/// What stays open.
pub(super) trait Stream: hyper::body::Body<Data = Bytes, Error = Status> + Unpin {
    /// Whether it has more to say and only lets others run.
    fn is_resting(&self) -> bool;
}

impl Stream for Body {
    fn is_resting(&self) -> bool {
        false
    }
}

/// The body of an answer that stays open.
pub(super) struct Open<S> {
    /// `None` after the end.
    inner: Option<S>,
    deadline: Option<Pin<Box<Sleep>>>,
    draining: Pin<Box<dyn Future<Output = ()> + Send>>,
}

impl<S: Stream> Open<S> {
    pub(super) fn new(
        inner: S,
        deadline: Option<Instant>,
        mut phases: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            inner: Some(inner),
            deadline: deadline.map(|deadline| Box::pin(sleep_until(deadline))),
            draining: Box::pin(async move { reached(&mut phases, Phase::Draining).await }),
        }
    }

    fn late(&mut self, context: &mut Context<'_>) -> Option<CallError> {
        let late = self
            .deadline
            .as_mut()
            .is_some_and(|at| at.as_mut().poll(context).is_ready());
        late.then_some(CallError::DeadlineExceeded)
    }

    fn stopping(&mut self, context: &mut Context<'_>) -> Option<CallError> {
        let stops = self.draining.as_mut().poll(context).is_ready();
        stops.then_some(CallError::Stopping)
    }
}

impl<S: Stream> hyper::body::Body for Open<S> {
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
        let is_resting = inner.is_resting();
        if let ready @ Poll::Ready(_) = Pin::new(inner).poll_frame(context) {
            return ready;
        }
        let error = match open.late(context) {
            None if !is_resting => open.stopping(context),
            late => late,
        };
        let Some(error) = error else {
            return Poll::Pending;
        };
        open.inner = None;
        let trailers = Frame::trailers(status_of(&error.to_status()));
        Poll::Ready(Some(Ok(trailers)))
    }

    fn is_end_stream(&self) -> bool {
        let inner = self.inner.as_ref();
        inner.is_none_or(hyper::body::Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}
