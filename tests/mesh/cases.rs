//! Every case of `tests/conformance/routes`: what a proxy tells of a request, and what that asks; as
//! `tagwarden test` asks it, and as it comes over the wire.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use tagwarden::document::case::{RouteCase, RouteExpected, SentBody, SentRequest, read_cases};
use tagwarden::offline::route::{complaint, difference};
use tagwarden::routing::{Reason, ask};
use tagwarden::snapshot::route::RouteTable;
use tagwarden::wire::envoy::config::core::v3 as core;
use tagwarden::wire::envoy::service::auth::v3 as auth;
use tagwarden::wire::mesh::{attributes, with_attributes};

const PARTIAL_BODY: &str = "x-envoy-auth-partial-body";

/// A request in Envoy's message.
fn message(sent: &SentRequest) -> auth::CheckRequest {
    use auth::attribute_context::{HttpRequest, Peer, Request};
    let marked = match &sent.body {
        SentBody::Unsent => None,
        SentBody::Partial => Some("true"),
        SentBody::Replaced(_) | SentBody::Whole(_) => Some("false"),
    };
    let mark = marked.map(|value| (PARTIAL_BODY.to_owned(), value.as_bytes().to_vec()));
    let headers = || sent.headers.iter().cloned().chain(mark.clone());
    let raw = |(key, raw_value)| core::HeaderValue {
        key,
        raw_value,
        ..core::HeaderValue::default()
    };
    let joined = |(key, value)| (key, String::from_utf8(value).unwrap());
    let http = HttpRequest {
        method: sent.method.clone(),
        host: sent.host.clone(),
        path: sent.path.clone(),
        scheme: sent.scheme.clone(),
        headers: headers().filter(|_| sent.joined).map(joined).collect(),
        header_map: (!sent.joined).then(|| core::HeaderMap {
            headers: headers().map(raw).collect(),
        }),
        body: match &sent.body {
            SentBody::Replaced(text) => text.clone(),
            SentBody::Unsent | SentBody::Partial | SentBody::Whole(_) => String::new(),
        },
        raw_body: match &sent.body {
            SentBody::Whole(bytes) => bytes.clone(),
            SentBody::Unsent | SentBody::Partial | SentBody::Replaced(_) => Vec::new(),
        },
        ..HttpRequest::default()
    };
    let socket = core::SocketAddress {
        address: sent.address.clone(),
        ..core::SocketAddress::default()
    };
    let filters = sent.metadata.as_object().unwrap().iter();
    let filters = filters.map(|(filter, value)| (filter.clone(), structure(value)));
    let attributes = auth::AttributeContext {
        source: Some(Peer {
            address: Some(core::Address {
                address: Some(core::address::Address::SocketAddress(socket)),
            }),
            principal: sent.peer.clone(),
            ..Peer::default()
        }),
        request: Some(Request {
            http: Some(http),
            ..Request::default()
        }),
        metadata_context: Some(core::Metadata {
            filter_metadata: filters.collect(),
        }),
        ..auth::AttributeContext::default()
    };
    auth::CheckRequest {
        attributes: Some(attributes),
    }
}

fn structure(value: &serde_json::Value) -> Struct {
    let members = value.as_object().unwrap().iter();
    let fields = members.map(|(name, value)| (name.clone(), self::value(value)));
    Struct {
        fields: fields.collect(),
    }
}

fn value(value: &serde_json::Value) -> Value {
    let kind = match value {
        serde_json::Value::Null => Kind::NullValue(0),
        serde_json::Value::Bool(flag) => Kind::BoolValue(*flag),
        serde_json::Value::Number(number) => Kind::NumberValue(number.as_f64().unwrap()),
        serde_json::Value::String(text) => Kind::StringValue(text.clone()),
        serde_json::Value::Array(values) => Kind::ListValue(ListValue {
            values: values.iter().map(self::value).collect(),
        }),
        serde_json::Value::Object(_) => Kind::StructValue(structure(value)),
    };
    Value { kind: Some(kind) }
}

fn cases() -> Vec<RouteCase> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/routes");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let read = read_cases(&path.display().to_string(), &text);
        cases.extend(read.unwrap_or_else(|errors| panic!("{errors}")).routes);
    }
    cases
}

fn table(case: &RouteCase) -> RouteTable {
    let routes = case.routes.as_ref();
    RouteTable::new(routes.unwrap_or_else(|errors| panic!("{}: {errors}", case.id)))
}

#[test]
fn requests_ask_what_the_cases_say() {
    let cases = cases();
    assert!(cases.len() > 150, "only {} cases", cases.len());
    let mut told = HashSet::new();
    for case in &cases {
        assert_eq!(complaint(case), None, "{}", case.id);
        let bytes = message(&case.request).encode_to_vec();
        let table = table(case);
        let difference = with_attributes(&bytes, |attributes| {
            difference(&case.expected, ask(&table, &attributes.unwrap()))
        });
        assert_eq!(difference, Ok(None), "{}", case.id);
        if let RouteExpected::Refused(reason) = &case.expected {
            told.insert(reason.clone());
        }
    }
    for reason in Reason::ALL {
        assert!(told.contains(reason.as_str()), "no case of {reason}");
    }
}

#[test]
fn every_reason_is_on_its_page() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/ext-authz.md");
    let page = fs::read_to_string(docs).unwrap();
    for reason in Reason::ALL {
        assert!(page.contains(&format!("`{reason}`")), "{reason}");
    }
}

#[test]
fn a_body_that_is_marked_twice_is_cut_off() {
    let cases = cases();
    let case = cases.iter().find(|case| case.id == "tags-of-a-JSON-body");
    let mut message = message(&case.unwrap().request);
    let http = message
        .attributes
        .as_mut()
        .unwrap()
        .request
        .as_mut()
        .unwrap();
    let headers = http.http.as_mut().unwrap().header_map.as_mut().unwrap();
    let mark = headers
        .headers
        .iter()
        .find(|header| header.key == PARTIAL_BODY);
    headers.headers.push(mark.unwrap().clone());
    let table = table(case.unwrap());
    let attributes = attributes(&message).unwrap();
    let found = ask(&table, &attributes).unwrap_err();
    assert_eq!(found.reason, Reason::BodyTruncated);
}

#[test]
fn messages_that_tell_of_no_request_are_none() {
    assert!(attributes(&auth::CheckRequest::default()).is_none());
    let message = auth::CheckRequest {
        attributes: Some(auth::AttributeContext::default()),
    };
    assert!(attributes(&message).is_none());
}

/// No bytes make it fail, however they differ from those of a case.
#[test]
fn no_message_makes_it_panic() {
    use proptest::prelude::*;
    let cases = cases();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(3_000));
    let places = (
        0..cases.len(),
        prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    );
    let checked = runner.run(&places, |(place, edits)| {
        let case = &cases[place];
        let mut bytes = message(&case.request).encode_to_vec();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = with_attributes(&bytes, |attributes| {
            attributes.map(|attributes| ask(&table(case), &attributes).is_ok())
        });
        Ok(())
    });
    checked.unwrap();
}
