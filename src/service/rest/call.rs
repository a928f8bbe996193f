//! Calls of gRPC, made by this process itself.

use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, header};
use http_body_util::{BodyExt as _, Full};
use tokio::time::timeout_at;
use tonic::Status;
use tonic::body::Body;
use tower::Service as _;

use crate::service::authorization::{Authorization, Method};
use crate::service::call::deadline;
use crate::service::pdp::{self, Pdp, Served};
use crate::service::peer::Peer;
use crate::wire::status::{CallError, with_reason};
use crate::wire::v1::tagging_service_server::TaggingServiceServer;

/// What stands before a message: whether it is compressed, and its length.
const PREFIX: usize = 5;

/// The services whose calls are served.
pub(super) struct Calls {
    authorization: Authorization,
    tagging: TaggingServiceServer<Served>,
}

impl Calls {
    pub(super) fn new(pdp: Pdp, message_bytes: usize) -> Self {
        let pdp = Served(Arc::new(pdp));
        let authorization = Authorization {
            pdp: pdp.clone(),
            message_bytes,
        };
        let tagging = TaggingServiceServer::new(pdp).max_decoding_message_size(message_bytes);
        Self {
            authorization,
            tagging,
        }
    }

    /// What handlers know of a call: its peer, and its deadline by `grpc-timeout`.
    pub(super) fn call(peer: Arc<Peer>, headers: &HeaderMap) -> Result<pdp::Call, CallError> {
        Ok(pdp::Call {
            peer: Some(peer),
            deadline: deadline::of(headers)?,
        })
    }

    /// Makes a call that has one answer.
    pub(super) async fn ask(
        &self,
        path: &str,
        call: pdp::Call,
        message: Bytes,
    ) -> Result<Bytes, Status> {
        let deadline = call.deadline;
        let answered = self.answered(path, call, message);
        let Some(deadline) = deadline else {
            return answered.await;
        };
        let late = |_| Err(CallError::DeadlineExceeded.to_status());
        timeout_at(deadline, answered).await.unwrap_or_else(late)
    }

    async fn answered(&self, path: &str, call: pdp::Call, message: Bytes) -> Result<Bytes, Status> {
        let request = request(path, &call, &message)?;
        let Ok(answer) = match Method::of(path) {
            Some(method) => self.authorization.call(method, request).await,
            None => self.tagging.clone().call(request).await,
        };
        let (head, body) = answer.into_parts();
        if let Some(status) = refused(&head.headers) {
            return Err(status);
        }
        let body = body.collect().await?;
        if let Some(status) = body.trailers().and_then(refused) {
            return Err(status);
        }
        let bytes = body.to_bytes();
        if bytes.len() < PREFIX {
            return Err(Status::internal("the answer has no message"));
        }
        Ok(bytes.slice(PREFIX..))
    }
}

fn request(path: &str, call: &pdp::Call, message: &[u8]) -> Result<http::Request<Body>, Status> {
    let too_large = |_| Status::out_of_range("the message is too large");
    let mut frame = BytesMut::with_capacity(PREFIX + message.len());
    frame.put_u8(0);
    frame.put_u32(u32::try_from(message.len()).map_err(too_large)?);
    frame.put_slice(message);
    let mut request = http::Request::new(Body::new(Full::new(frame.freeze())));
    *request.method_mut() = http::Method::POST;
    let unknown = |_| Status::unimplemented("no such call");
    *request.uri_mut() = path.parse().map_err(unknown)?;
    let kind = HeaderValue::from_static("application/grpc");
    request.headers_mut().insert(header::CONTENT_TYPE, kind);
    call.extend(request.extensions_mut());
    Ok(request)
}

/// The status of headers or trailers, if they tell one that is not OK.
fn refused(headers: &HeaderMap) -> Option<Status> {
    let status = Status::from_header_map(headers)?;
    (status.code() != tonic::Code::Ok).then(|| with_reason(&status))
}
