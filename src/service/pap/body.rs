//! A message body that must come to its end in time: a peer that sends slowly holds nothing for
//! long.

use std::error::Error;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};
use tonic::Status;

use crate::wire::status::{CallError, ManageFault};

/// A body with a deadline.
pub(super) struct Timed<B> {
    body: B,
    until: Pin<Box<Sleep>>,
}

impl<B> Timed<B> {
    pub(super) fn new(body: B, longest: Duration) -> Self {
        let until = Box::pin(sleep(longest));
        Self { body, until }
    }
}

impl<B> Body for Timed<B>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let next = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(frame) = next {
            let failed = |error: B::Error| Status::from_error(error.into());
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream::unfold;
    use http_body_util::{BodyExt as _, StreamBody};
    use tokio::time::interval;

    use super::*;
    use crate::wire::status::reason_of;

    #[tokio::test]
    async fn a_body_that_trickles_is_cut_off_in_time() {
        let bytes = unfold(interval(Duration::from_millis(2)), |mut ticks| async move {
            ticks.tick().await;
            let frame = Frame::data(Bytes::from_static(b"x"));
            Some((Ok::<_, Infallible>(frame), ticks))
        });
        let slow = StreamBody::new(Box::pin(bytes));
        let told = Timed::new(slow, Duration::from_millis(50)).collect().await;
        let status = told.map(|_| ()).unwrap_err();
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded);
        assert_eq!(reason_of(&status).as_deref(), Some("MESSAGE_TOO_SLOW"));
        let quick = http_body_util::Full::new(Bytes::from_static(b"all"));
        let whole = Timed::new(quick, Duration::from_mins(1)).collect().await;
        assert_eq!(whole.unwrap().to_bytes(), b"all".as_slice());
    }
}
