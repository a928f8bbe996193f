//! `AuthorizationService` over gRPC: which method a path names, and its messages as bytes.
//!
//! Declared by hand, because decisions read and write their messages themselves; what gRPC asks of
//! a call around its messages is tonic's.

use bytes::Bytes;
use tonic::body::Body;
use tonic::server::Grpc;
use tonic::{Request, Response, Streaming};
use tower::service_fn;

use super::call::BoxAnswer;
use super::pdp::{Answering, Call, Served, answer};
use crate::wire::codec::{Codec, Raw};
use crate::wire::v1;

/// The methods of the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Authorize,
    Batch,
    Stream,
    Filter,
}

impl Method {
    /// The method that a path names.
    pub(super) fn of(path: &str) -> Option<Self> {
        match path.strip_prefix("/tagwarden.v1.AuthorizationService/")? {
            "Authorize" => Some(Self::Authorize),
            "BatchAuthorize" => Some(Self::Batch),
            "AuthorizeStream" => Some(Self::Stream),
            "FilterResources" => Some(Self::Filter),
            _ => None,
        }
    }
}

/// The service of one worker.
#[derive(Debug, Clone)]
pub(super) struct Authorization {
    pub(super) pdp: Served,
    /// The most bytes of a message.
    pub(super) message_bytes: usize,
}

impl Authorization {
    /// Answers one call.
    pub(super) fn call(&self, method: Method, request: http::Request<Body>) -> BoxAnswer {
        let pdp = self.pdp.clone();
        let mut raw = Grpc::new(Raw).max_decoding_message_size(self.message_bytes);
        match method {
            Method::Authorize => Box::pin(async move {
                let handler = service_fn(|request: Request<Bytes>| async {
                    let (_, extensions, message) = request.into_parts();
                    answer(pdp.0.authorize(&Call::new(&extensions), message).await)
                });
                Ok(raw.unary(handler, request).await)
            }),
            Method::Batch => Box::pin(async move {
                let handler = service_fn(|request: Request<Bytes>| async {
                    let (_, extensions, message) = request.into_parts();
                    let call = Call::new(&extensions);
                    let mut answers = Vec::new();
                    let answered = pdp.0.batch(call.origin(), &message, &mut answers).await;
                    answer(answered.map(|()| answers.into()))
                });
                Ok(raw.unary(handler, request).await)
            }),
            Method::Stream => Box::pin(async move {
                let handler = service_fn(|request: Request<Streaming<Bytes>>| async {
                    let (_, extensions, questions) = request.into_parts();
                    let answering = Answering::new(&pdp, Call::new(&extensions));
                    answering
                        .map(|answering| Response::new(answering.answers(questions)))
                        .map_err(|error| error.to_status())
                });
                Ok(raw.streaming(handler, request).await)
            }),
            Method::Filter => {
                let codec =
                    Codec::<v1::FilterResourcesResponse, v1::FilterResourcesRequest>::default();
                let mut owned = Grpc::new(codec).max_decoding_message_size(self.message_bytes);
                Box::pin(async move {
                    let handler =
                        service_fn(|request: Request<v1::FilterResourcesRequest>| async {
                            let (_, extensions, message) = request.into_parts();
                            let call = Call::new(&extensions);
                            answer(Box::pin(pdp.0.filter(&call, &message)).await)
                        });
                    Ok(owned.unary(handler, request).await)
                })
            }
        }
    }
}
