//! A call of `Authorize` or `ValidateTagging` as nearly all are: its message comes uncompressed in
//! one piece, and its answer is known at once.
//!
//! Such a call is answered when its body is there, without the layers of a gRPC server. Any other
//! is left to them, with what was read of its body: only they know what is wrong with it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response};
use hyper::body::{Body as _, Incoming};
use tonic::body::Body;
use tower::Service as _;

use super::body::{Answer, Unread, Whole};
use super::{BoxAnswer, Services};
use crate::service::authorization;
use crate::service::pdp::{self, Pdp};
use crate::wire::status::CallError;

/// The methods whose calls are answered like that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Authorize,
    ValidateTagging,
}

impl Method {
    /// The method that a path names.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path {
            "/tagwarden.v1.AuthorizationService/Authorize" => Some(Self::Authorize),
            "/tagwarden.v1.TaggingService/ValidateTagging" => Some(Self::ValidateTagging),
            _ => None,
        }
    }

    /// The answer to a message, with its prefix in front; `None`: it is not known at once.
    fn answer(
        self,
        pdp: &Pdp,
        call: &pdp::Call,
        message: &[u8],
    ) -> Result<Option<Bytes>, CallError> {
        match self {
            Self::Authorize => pdp.authorize_now(call, message),
            Self::ValidateTagging => pdp.validate_now(call, message).map(Some),
        }
    }

    /// The same call with the layers of a gRPC server.
    fn leave(self, services: &Services, request: Request<Body>) -> BoxAnswer {
        match self {
            Self::Authorize => {
                let method = authorization::Method::Authorize;
                services.authorization.call(method, request)
            }
            Self::ValidateTagging => services.tagging.clone().call(request),
        }
    }
}

/// A call until it is answered or left to tonic.
pub(super) struct Quick {
    services: Arc<Services>,
    method: Method,
    call: pdp::Call,
    /// `None`: it was left to tonic.
    request: Option<Request<Incoming>>,
    /// The first piece of the body.
    first: Bytes,
}

/// What became of a call.
pub(super) enum Told {
    Answered(Response<Answer>),
    Left(BoxAnswer),
}

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
            first: Bytes::new(),
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
                    Ok(data) if data.is_empty() => {}
                    Ok(data) if self.first.is_empty() => self.first = data,
                    Ok(data) => return Poll::Ready(self.leave(Some(data))),
                    // Trailers of a question say nothing.
                    Err(_) => {}
                },
                Some(Err(_)) => return Poll::Ready(self.leave(None)),
            }
        }
    }

    fn answer(&mut self) -> Told {
        let Some(message) = self.message() else {
            return self.leave(None);
        };
        let pdp = &self.services.authorization.pdp.0;
        match self.method.answer(pdp, &self.call, message) {
            Ok(Some(answer)) => Told::Answered(whole(answer)),
            Ok(None) => self.leave(None),
            Err(error) => Told::Answered(refused(&error)),
        }
    }

    /// The message, if the body is one message that is not compressed and not over the limit.
    fn message(&self) -> Option<&[u8]> {
        let request = self.request.as_ref()?;
        if request.headers().contains_key("grpc-encoding") {
            return None;
        }
        let mut rest = &*self.first;
        if rest.try_get_u8() != Ok(0) {
            return None;
        }
        let length = usize::try_from(rest.try_get_u32().ok()?).ok()?;
        let limit = self.services.authorization.message_bytes;
        (length == rest.len() && length <= limit).then_some(rest)
    }

    /// Leaves the call to tonic, with what was read of its body.
    fn leave(&mut self, further: Option<Bytes>) -> Told {
        let first = std::mem::take(&mut self.first);
        let pieces = [first, further.unwrap_or_default()];
        let read: Vec<Bytes> = pieces.into_iter().filter(|data| !data.is_empty()).collect();
        let Some(request) = self.request.take() else {
            return Told::Answered(refused(&CallError::Stopping));
        };
        let mut request = request.map(|rest| {
            Body::new(Unread {
                read: read.into_iter(),
                rest,
            })
        });
        self.call.extend(request.extensions_mut());
        Told::Left(self.method.leave(&self.services, request))
    }
}

/// An answer of one message, which has its prefix in front.
fn whole(message: Bytes) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(Whole::Message(message)));
    let grpc = HeaderValue::from_static("application/grpc");
    response.headers_mut().insert(CONTENT_TYPE, grpc);
    response
}

fn refused(error: &CallError) -> Response<Answer> {
    error.to_status().into_http::<Body>().map(Answer::Other)
}
