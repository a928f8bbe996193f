//! Answers: passed, passed to be answered without entries, refused, malformed, and failed.

use std::fmt::Write as _;

use tonic::Code;

use super::metadata::ALLOW;
use super::{Told, header};
use crate::model::route::EmptyResult;
use crate::snapshot::route::Protocol;
use crate::wire::encode::Writer;
use crate::wire::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use crate::wire::v1;

/// A refusal as the client sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown<'a> {
    /// The code.
    pub(crate) code: &'a str,
    /// What is malformed: told only of what the client sent.
    pub(crate) message: Option<&'a str>,
}

/// The request passes; what the upstream must do goes with it.
pub(crate) fn allowed(told: &Told<'_>, list: &[v1::Obligation], answer: &mut Writer<'_>) {
    let obligations = (!list.is_empty()).then(|| obligations(list));
    passed(told, ALLOW, obligations.as_deref(), answer);
}

/// The call passes, and the upstream answers without entries.
pub(crate) fn forwarded(told: &Told<'_>, answer: &mut Writer<'_>) {
    passed(told, DENY, None, answer);
}

/// security 10: "Headers that tagwarden adds are first removed from the request": a header that is
/// set takes the place of all that are there, and one that is not set is removed.
fn passed(told: &Told<'_>, effect: &str, obligations: Option<&str>, answer: &mut Writer<'_>) {
    write(told, effect, Code::Ok, answer, |answer| {
        answer.message(OK_RESPONSE, |ok| {
            set(ok, header::EFFECT, effect);
            set(ok, header::DECISION_ID, told.id);
            match obligations {
                Some(obligations) => set(ok, header::OBLIGATIONS, obligations),
                None => ok.text(HEADERS_TO_REMOVE, header::OBLIGATIONS),
            }
        });
    });
}

/// The request is refused.
pub(crate) fn denied(told: &Told<'_>, shown: Shown<'_>, answer: &mut Writer<'_>) {
    write(told, DENY, Code::PermissionDenied, answer, |answer| {
        answer.message(DENIED_RESPONSE, |local| {
            refuse(told, http::StatusCode::FORBIDDEN, shown, local);
        });
    });
}

/// The request is malformed or ambiguous.
pub(crate) fn malformed(told: &Told<'_>, shown: Shown<'_>, answer: &mut Writer<'_>) {
    write(told, ERROR, Code::InvalidArgument, answer, |answer| {
        answer.message(DENIED_RESPONSE, |local| {
            refuse(told, http::StatusCode::BAD_REQUEST, shown, local);
            if told.protocol == Protocol::Grpc {
                // The proxy would tell a client's mistake as an internal error.
                let code = i32::from(Code::InvalidArgument).to_string();
                set(local, "grpc-status", &code);
            }
        });
    });
}

/// security 10: "our own faults only". The proxy's own way with failures applies.
pub(crate) fn failed(told: &Told<'_>, shown: Shown<'_>, answer: &mut Writer<'_>) {
    write(told, ERROR, Code::Unavailable, answer, |answer| {
        answer.message(ERROR_RESPONSE, |local| {
            refuse(told, http::StatusCode::SERVICE_UNAVAILABLE, shown, local);
        });
    });
}

/// A list that may not be seen, as a result without entries (security 3.5).
pub(crate) fn empty(told: &Told<'_>, result: &EmptyResult, answer: &mut Writer<'_>) {
    write(told, DENY, Code::PermissionDenied, answer, |answer| {
        answer.message(DENIED_RESPONSE, |local| {
            let form = (http::StatusCode::OK, &*result.content_type);
            write_local(told, form, &result.body, local);
        });
    });
}

const DENY: &str = "DENY";
const ERROR: &str = "ERROR";

/// Fields of a `CheckResponse`.
const STATUS: u32 = 1;
const DENIED_RESPONSE: u32 = 2;
const OK_RESPONSE: u32 = 3;
const DYNAMIC_METADATA: u32 = 4;
const ERROR_RESPONSE: u32 = 5;

/// A field of an `OkHttpResponse`.
const HEADERS_TO_REMOVE: u32 = 5;

/// Writes a `CheckResponse`, whose own part is written by others.
fn write(
    told: &Told<'_>,
    effect: &str,
    code: Code,
    answer: &mut Writer<'_>,
    write: impl FnOnce(&mut Writer<'_>),
) {
    answer.message(STATUS, |status| status.value(1, code));
    write(answer);
    answer.message(DYNAMIC_METADATA, |metadata| {
        told.write_metadata(effect, metadata);
    });
}

/// An answer of the proxy's own, with a body that says why.
fn refuse(told: &Told<'_>, status: http::StatusCode, shown: Shown<'_>, local: &mut Writer<'_>) {
    let mut body = serde_json::json!({"code": shown.code, "decision_id": told.id});
    if let (Some(message), Some(members)) = (shown.message, body.as_object_mut()) {
        members.insert("message".to_owned(), message.into());
    }
    let form = (status, "application/json");
    write_local(told, form, &body.to_string(), local);
}

/// Writes a `DeniedHttpResponse`. security 10: "The empty 200 carries `cache-control: no-store`"; so
/// do the others.
fn write_local(
    told: &Told<'_>,
    (status, content_type): (http::StatusCode, &str),
    body: &str,
    local: &mut Writer<'_>,
) {
    local.message(1, |shown| shown.number(1, status.as_u16()));
    set(local, "content-type", content_type);
    set(local, "cache-control", "no-store");
    set(local, header::DECISION_ID, told.id);
    local.text(3, body);
}

/// Adds a header, of a response of either kind, in place of all that have its name.
fn set(response: &mut Writer<'_>, name: &str, value: &str) {
    response.message(2, |option| {
        option.message(1, |header| {
            header.text(1, name);
            header.text(2, value);
        });
        option.value(3, HeaderAppendAction::OverwriteIfExistsOrAdd);
    });
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
