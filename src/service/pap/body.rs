//! A message body that must come to its end in time: a peer that sends slowly holds nothing for
//! long.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Sleep, sleep};
use tonic::Status;

use crate::wire::status::{CallError, ManageFault};

/// A body with a deadline.
pub(super) struct Timed {
    body: Incoming,
    until: Pin<Box<Sleep>>,
}

impl Timed {
    pub(super) fn new(body: Incoming, longest: Duration) -> Self {
        let until = Box::pin(sleep(longest));
        Self { body, until }
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let next = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = next {
            let failed = |error: hyper::Error| Status::from_error(Box::new(error));
            return Poll::Ready(frame.map(|frame| frame.map_err(failed)));
        }
        ready!(self.until.as_mut().poll(context));
        let slow = CallError::from(ManageFault::TooSlow).to_status();
        Poll::Ready(Some(Err(slow)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
