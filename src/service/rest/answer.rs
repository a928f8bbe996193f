//! Answers: JSON, and errors as `google.rpc.Status` with the status of HTTP that is nearest.

use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::message::{self, Messages};
use crate::service::web::{self, Answer};

const JSON: &str = "application/json";

/// An answer.
pub(super) fn json(status: StatusCode, said: Vec<u8>) -> Answer {
    web::answer(status, JSON, said)
}

/// A request that is refused before it is a call.
pub(super) fn refused(status: StatusCode, said: &str) -> Answer {
    let code = match status {
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => Code::Unimplemented,
        StatusCode::PAYLOAD_TOO_LARGE => Code::OutOfRange,
        _ => Code::InvalidArgument,
    };
    let said = json!({"code": i32::from(code), "message": said});
    json(status, said.to_string().into_bytes())
}

/// A call that has no answer: the status with all its details.
pub(super) fn failed(status: &Status, messages: &Messages) -> Answer {
    let plain = || {
        let code = i32::from(status.code());
        let said = json!({"code": code, "message": status.message()});
        said.to_string().into_bytes()
    };
    let descriptor = messages.message("google.rpc.Status");
    let whole = descriptor.filter(|_| !status.details().is_empty());
    let whole = whole.and_then(|whole| message::write(whole, status.details()).ok());
    let mut answer = json(http_status(status.code()), whole.unwrap_or_else(plain));
    let retry = status.get_details_retry_info();
    if let Some(delay) = retry.and_then(|retry| retry.retry_delay) {
        // Whole seconds, and not before the delay is over.
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        let headers = answer.headers_mut();
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

/// The status of HTTP for a code of gRPC, as gateways commonly have it.
pub(super) fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => {
            StatusCode::BAD_REQUEST
        }
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable | Code::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::Internal | Code::Unknown | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
