//! A call of one message as nearly all are: the message is not compressed and not over the limit.
//!
//! A decision is answered as soon as the message is there, without the layers of a gRPC server; so is
//! a batch, which lets others run in between. Any other call is left to them, with what was read of
//! its body: only they know what is wrong with it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::{Body as _, Frame, Incoming};
use tonic::body::Body;
use tower::Service as _;

use super::body::{Answer, Unread, Whole, with_body};
use super::gather::Gathered;
use super::{BoxAnswer, Services};
use crate::service::authorization;
use crate::service::pdp;
use crate::wire::codec::{PREFIX, begin_frame, end_frame};
use crate::wire::status::CallError;

/// The methods whose calls are answered like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Authorize,
    Batch,
    ValidateTagging,
    /// Of a proxy.
    Check,
}

impl Method {
    /// The method that a path names.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/tagwarden.v1.AuthorizationService/Authorize" => Some(Self::Authorize),
            "/tagwarden.v1.AuthorizationService/BatchAuthorize" => Some(Self::Batch),
            "/tagwarden.v1.TaggingService/ValidateTagging" => Some(Self::ValidateTagging),
            "/envoy.service.auth.v3.Authorization/Check" => Some(Self::Check),
            _ => None,
        }
    }

    /// The same call with the layers of a gRPC server.
    fn leave(self, services: &Services, request: Request<Body>) -> BoxAnswer {
        let method = match self {
            Self::Authorize => authorization::Method::Authorize,
            Self::Batch => authorization::Method::Batch,
            Self::ValidateTagging => return services.tagging.clone().call(request),
            Self::Check => return services.mesh.clone().call(request),
        };
        services.authorization.call(method, request)
    }
}

/// A call until it is answered or left to tonic.
pub(super) struct Quick {
    services: Arc<Services>,
    method: Method,
    call: pdp::Call,
    /// `None`: it was left to tonic.
    request: Option<Request<Incoming>>,
    gathered: Gathered,
    trailers: Option<Frame<Bytes>>,
}

/// What became of a call.
pub(super) enum Told {
    Answered(Response<Answer>),
    /// It is being answered.
    Begun(BoxWhole),
    Left(BoxAnswer),
}

/// An answer that takes a while.
pub(super) type BoxWhole = Pin<Box<dyn Future<Output = Response<Answer>> + Send>>;

impl Quick {
    pub(super) fn new(
        services: Arc<Services>,
        method: Method,
        call: pdp::Call,
        request: Request<Incoming>,
    ) -> Self {
        Self {
            services,
            method,
            call,
            request: Some(request),
            gathered: Gathered::default(),
            trailers: None,
        }
    }

    /// Reads the body and answers.
    pub(super) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Told> {
        loop {
            let Some(request) = &mut self.request else {
                return Poll::Pending;
            };
            let body = request.body_mut();
            if body.is_end_stream() {
                return Poll::Ready(self.answer());
            }
            match ready!(Pin::new(body).poll_frame(context)) {
                None => return Poll::Ready(self.answer()),
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(piece) => {
                        self.gathered.push(piece);
                        if self.gathered.is_unusual(self.limit()) {
                            return Poll::Ready(self.leave(None));
                        }
                    }
                    // Those of a question say nothing.
                    Err(trailers) => self.trailers = Some(trailers),
                },
                Some(Err(error)) => return Poll::Ready(self.leave(Some(error))),
            }
        }
    }

    fn limit(&self) -> usize {
        self.services.authorization.message_bytes
    }

    fn answer(&mut self) -> Told {
        let Some(message) = self.gathered.message(self.limit()) else {
            return self.leave(None);
        };
        let pdp = &self.services.authorization.pdp.0;
        let answer = match self.method {
            Method::Authorize => pdp.authorize_now(&self.call, message),
            Method::ValidateTagging => pdp.validate_now(&self.call, message).map(Some),
            Method::Check => pdp.check_now(&self.call, message).map(Some),
            Method::Batch => return Told::Begun(self.batch()),
        };
        match answer {
            Ok(Some(answer)) => Told::Answered(whole(answer)),
            // It is not known at once.
            Ok(None) => self.leave(None),
            Err(error) => Told::Answered(refused(&error)),
        }
    }

    fn batch(&mut self) -> BoxWhole {
        let (services, call) = (Arc::clone(&self.services), self.call.clone());
        let body = std::mem::take(&mut self.gathered).into_bytes();
        Box::pin(async move {
            let message = body.get(PREFIX..).unwrap_or_default();
            let mut answers = begin_frame(PREFIX);
            let pdp = &services.authorization.pdp.0;
            match pdp.batch(call.origin(), message, &mut answers).await {
                Ok(()) => whole(end_frame(answers)),
                Err(error) => refused(&error),
            }
        })
    }

    /// Leaves the call to tonic, with what was read of its body.
    fn leave(&mut self, error: Option<hyper::Error>) -> Told {
        let Some(request) = self.request.take() else {
            return Told::Answered(refused(&CallError::Stopping));
        };
        let gathered = std::mem::take(&mut self.gathered).into_bytes();
        let gathered = Some(gathered).filter(|bytes| !bytes.is_empty());
        let frames = gathered.map(Frame::data).into_iter();
        let read = frames.chain(self.trailers.take()).map(Ok);
        let read = read.chain(error.map(Err)).collect();
        let mut request = request.map(|rest| Body::new(Unread::new(read, rest)));
        self.call.extend(request.extensions_mut());
        Told::Left(self.method.leave(&self.services, request))
    }
}

/// An answer of one message, which has its prefix in front.
fn whole(message: Bytes) -> Response<Answer> {
    with_body(Answer::Whole(Whole::Message(message)))
}

fn refused(error: &CallError) -> Response<Answer> {
    error.to_status().into_http::<Body>().map(Answer::Other)
}
