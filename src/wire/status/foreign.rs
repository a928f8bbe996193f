//! Statuses that the gRPC stack makes by itself: a method that nobody knows, a message over the
//! limit. They are given the reason that all others carry; code and text stay.

use std::collections::HashMap;

use http::Response;
use tonic::body::Body;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use super::DOMAIN;

/// The header of an answer that is an error and nothing else.
const GRPC_STATUS: &str = "grpc-status";

/// The same answer; if it is an error without a reason, the same error with one.
pub fn explained(answer: Response<Body>) -> Response<Body> {
    // An answer with a message has its status behind it.
    if !answer.headers().contains_key(GRPC_STATUS) {
        return answer;
    }
    match Status::from_header_map(answer.headers()) {
        Some(status) if status.code() != Code::Ok && status.details().is_empty() => {
            with_reason(&status).into_http()
        }
        Some(_) | None => answer,
    }
}

/// The same status, with a reason if it has none.
pub fn with_reason(status: &Status) -> Status {
    if !status.details().is_empty() {
        return status.clone();
    }
    let (reason, message) = match (status.code(), status.message()) {
        (Code::Unimplemented, "") => ("METHOD_UNKNOWN", "no such service or method"),
        (code, message) => (reason(code), message),
    };
    let details = ErrorDetails::with_error_info(reason, DOMAIN, HashMap::new());
    // What it says beside its code: the encodings that are taken, for one.
    let beside = status.metadata().clone();
    Status::with_error_details_and_metadata(status.code(), message, details, beside)
}

fn reason(code: Code) -> &'static str {
    match code {
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::OutOfRange => "MESSAGE_TOO_LARGE",
        // Health does not know the service that it is asked for.
        Code::NotFound => "SERVICE_UNKNOWN",
        Code::Cancelled => "CANCELLED",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::Unavailable => "UNAVAILABLE",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        // A stream of bytes that is no message.
        Code::InvalidArgument | Code::Internal | Code::DataLoss | Code::Unknown => "PROTOCOL_ERROR",
        Code::Ok
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::Aborted
        | Code::Unauthenticated => "UNKNOWN",
    }
}
