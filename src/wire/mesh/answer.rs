//! Answers: passed, passed to be answered without entries, refused, malformed, and failed.

use std::fmt::Write as _;

use tonic::Code;
use tonic_types::pb;

use super::metadata::ALLOW;
use super::{Told, header};
use crate::model::route::EmptyResult;
use crate::snapshot::route::Protocol;
use crate::wire::envoy::config::core::v3 as core;
use crate::wire::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use crate::wire::envoy::service::auth::v3 as auth;
use crate::wire::envoy::service::auth::v3::check_response::HttpResponse;
use crate::wire::envoy::r#type::v3 as http;
use crate::wire::v1;

/// What passes.
#[derive(Debug)]
pub(crate) struct Allowed {
    /// What the upstream must do.
    pub(crate) obligations: Vec<v1::Obligation>,
}

/// A refusal as the client sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// The code.
    pub(crate) code: &'a str,
    /// What is malformed: told only of what the client sent.
    pub(crate) message: Option<&'a str>,
}

/// The request passes.
pub(crate) fn allowed(told: &Told<'_>, allowed: &Allowed) -> auth::CheckResponse {
    let mut set = vec![(header::EFFECT, ALLOW.to_owned())];
    if !allowed.obligations.is_empty() {
        set.push((header::OBLIGATIONS, obligations(&allowed.obligations)));
    }
    passed(told, ALLOW, set)
}

/// The call passes, and the upstream answers without entries.
pub(crate) fn forwarded(told: &Told<'_>) -> auth::CheckResponse {
    passed(told, "DENY", vec![(header::EFFECT, "DENY".to_owned())])
}

/// security 10: "Headers that tagwarden adds are first removed from the request": a header that is
/// set takes the place of all that are there, and one that is not set is removed.
fn passed(told: &Told<'_>, effect: &str, mut set: Vec<(&str, String)>) -> auth::CheckResponse {
    set.push((header::DECISION_ID, told.id.to_owned()));
    let own = [header::DECISION_ID, header::EFFECT, header::OBLIGATIONS];
    let is_set = |name: &str| set.iter().any(|(known, _)| *known == name);
    let removed = own.into_iter().filter(|name| !is_set(name));
    let removed = removed.map(str::to_owned).collect();
    let ok = auth::OkHttpResponse {
        headers: set
            .iter()
            .map(|(name, value)| replaced(name, value))
            .collect(),
        headers_to_remove: removed,
        ..auth::OkHttpResponse::default()
    };
    answer(told, effect, Code::Ok, HttpResponse::OkResponse(ok))
}

/// The request is refused.
pub(crate) fn denied(told: &Told<'_>, shown: Shown<'_>) -> auth::CheckResponse {
    let refused = local(told, http::StatusCode::Forbidden, shown);
    let response = HttpResponse::DeniedResponse(refused);
    answer(told, "DENY", Code::PermissionDenied, response)
}

/// The request is malformed or ambiguous.
pub(crate) fn malformed(told: &Told<'_>, shown: Shown<'_>) -> auth::CheckResponse {
    let mut refused = local(told, http::StatusCode::BadRequest, shown);
    if told.protocol == Protocol::Grpc {
        // The proxy would tell a client's mistake as an internal error.
        let code = i32::from(Code::InvalidArgument).to_string();
        refused.headers.push(replaced("grpc-status", &code));
    }
    let response = HttpResponse::DeniedResponse(refused);
    answer(told, "ERROR", Code::InvalidArgument, response)
}

/// security 10: "our own faults only". The proxy's own way with failures applies.
pub(crate) fn failed(told: &Told<'_>, shown: Shown<'_>) -> auth::CheckResponse {
    let failure = local(told, http::StatusCode::ServiceUnavailable, shown);
    let response = HttpResponse::ErrorResponse(failure);
    answer(told, "ERROR", Code::Unavailable, response)
}

/// A list that may not be seen, as a result without entries (security 3.5).
pub(crate) fn empty(told: &Told<'_>, result: &EmptyResult) -> auth::CheckResponse {
    let shown = auth::DeniedHttpResponse {
        status: Some(status(http::StatusCode::Ok)),
        headers: local_headers(told, &result.content_type),
        body: result.body.to_string(),
    };
    let response = HttpResponse::DeniedResponse(shown);
    answer(told, "DENY", Code::PermissionDenied, response)
}

fn answer(
    told: &Told<'_>,
    effect: &str,
    code: Code,
    response: HttpResponse,
) -> auth::CheckResponse {
    let status = pb::Status {
        code: code.into(),
        ..pb::Status::default()
    };
    auth::CheckResponse {
        status: Some(status),
        dynamic_metadata: Some(told.metadata(effect)),
        http_response: Some(response),
    }
}

/// An answer of the proxy's own, with a body.
fn local(told: &Told<'_>, code: http::StatusCode, shown: Shown<'_>) -> auth::DeniedHttpResponse {
    let mut body = serde_json::json!({"code": shown.code, "decision_id": told.id});
    if let (Some(message), Some(members)) = (shown.message, body.as_object_mut()) {
        members.insert("message".to_owned(), message.into());
    }
    auth::DeniedHttpResponse {
        status: Some(status(code)),
        headers: local_headers(told, "application/json"),
        body: body.to_string(),
    }
}

fn status(code: http::StatusCode) -> http::HttpStatus {
    http::HttpStatus { code: code.into() }
}

/// security 10: "The empty 200 carries `cache-control: no-store`"; so do the others.
fn local_headers(told: &Told<'_>, content_type: &str) -> Vec<core::HeaderValueOption> {
    [
        ("content-type", content_type),
        ("cache-control", "no-store"),
        (header::DECISION_ID, told.id),
    ]
    .map(|(name, value)| replaced(name, value))
    .into()
}

/// A header in place of all that have its name.
fn replaced(name: &str, value: &str) -> core::HeaderValueOption {
    core::HeaderValueOption {
        header: Some(core::HeaderValue {
            key: name.to_owned(),
            value: value.to_owned(),
            ..core::HeaderValue::default()
        }),
        append_action: HeaderAppendAction::OverwriteIfExistsOrAdd.into(),
        ..core::HeaderValueOption::default()
    }
}

/// Obligations as JSON of visible ASCII, in the form that the API's messages have as JSON.
fn obligations(list: &[v1::Obligation]) -> String {
    use v1::obligation::Obligation;
    let one = |obligation: &v1::Obligation| match &obligation.obligation {
        Some(Obligation::MustFilterTags(filter)) => {
            let tags = filter.tags.iter();
            let tags = tags.map(|tag| serde_json::json!({"key": tag.key, "value": tag.value}));
            let tags: Vec<serde_json::Value> = tags.collect();
            serde_json::json!({"mustFilterTags": {"tags": tags}})
        }
        Some(Obligation::FilterResults(v1::FilterResults {})) => {
            serde_json::json!({"filterResults": {}})
        }
        None => serde_json::json!({}),
    };
    let list: Vec<serde_json::Value> = list.iter().map(one).collect();
    let text = serde_json::Value::from(list).to_string();
    let mut ascii = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            ascii.push(letter);
        } else {
            let mut units = [0; 2];
            for unit in letter.encode_utf16(&mut units) {
                // Writing to a text cannot fail.
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn obligations_are_visible_ascii() {
        let tags = vec![v1::Tag {
            key: "env".to_owned(),
            value: "Größe 🎈\"".to_owned(),
        }];
        let list = [
            v1::obligation::Obligation::MustFilterTags(v1::MustFilterTags { tags }),
            v1::obligation::Obligation::FilterResults(v1::FilterResults {}),
        ];
        let list = list.map(|one| v1::Obligation {
            obligation: Some(one),
        });
        let text = obligations(&list);
        assert!(
            text.bytes()
                .all(|byte| byte.is_ascii() && !byte.is_ascii_control())
        );
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read[0]["mustFilterTags"]["tags"][0]["value"], "Größe 🎈\"");
        assert!(read[1]["filterResults"].is_object());
    }
}
