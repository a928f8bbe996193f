//! Every case of `tests/conformance/routes`: what a proxy tells of a request, and what that asks.
//!
//! A file begins with its routes; each further line is a case. The request is put into Envoy's
//! message, once with headers one by one and, where the case says so, with joined ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Value};
use serde::Deserialize;
use tagwarden::document::routes::{MAX_ROUTES_BYTES, routes};
use tagwarden::document::{Source, read, shipped};
use tagwarden::routing::{Asked, ask};
use tagwarden::snapshot::route::RouteTable;
use tagwarden::wire::envoy::config::core::v3 as core;
use tagwarden::wire::envoy::service::auth::v3 as auth;
use tagwarden::wire::mesh::attributes;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table<'a> {
    #[serde(borrow)]
    routes: &'a serde_json::value::RawValue,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    spec: String,
    request: Sent,
    expect: Expected,
}

/// What the proxy tells.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    method: String,
    #[serde(default = "host")]
    host: String,
    path: String,
    #[serde(default)]
    scheme: String,
    /// Headers one by one. A value is a text, or `{"base64": …}`.
    #[serde(default)]
    headers: Vec<(String, Bytes)>,
    /// Headers as the proxy joins them.
    #[serde(default)]
    joined: BTreeMap<String, String>,
    body: Option<Bytes>,
    /// The body as the proxy repairs it.
    text: Option<String>,
    #[serde(default)]
    address: String,
    #[serde(default)]
    peer: String,
    /// The subject of alice's token by default.
    metadata: Option<serde_json::Value>,
}

fn host() -> String {
    "eci.example".to_owned()
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Bytes {
    Text(String),
    Encoded { base64: String },
}

impl Bytes {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Text(text) => text.clone().into_bytes(),
            Self::Encoded { base64 } => STANDARD.decode(base64).unwrap(),
        }
    }
}

#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields, untagged)]
enum Expected {
    Refused {
        refused: String,
        status: u16,
    },
    Asked {
        route: String,
        principal: String,
        action: String,
        resources: Vec<String>,
        #[serde(default)]
        tags: Option<Vec<(String, String)>>,
        #[serde(default)]
        removed_keys: Vec<String>,
        #[serde(default)]
        context: BTreeMap<String, String>,
    },
}

impl From<Asked<'_>> for Expected {
    fn from(asked: Asked<'_>) -> Self {
        let context = asked.context.into_iter();
        Self::Asked {
            route: asked.route.name.as_str().to_owned(),
            principal: asked.principal,
            action: asked.route.action.to_string(),
            resources: asked.resources,
            tags: asked.tags,
            removed_keys: asked.removed_keys,
            context: context
                .map(|(key, value)| (key.to_owned(), value))
                .collect(),
        }
    }
}

impl Sent {
    fn message(&self) -> auth::CheckRequest {
        use auth::attribute_context::{HttpRequest, Peer, Request};
        let raw = |(key, value): &(String, Bytes)| core::HeaderValue {
            key: key.clone(),
            raw_value: value.bytes(),
            ..core::HeaderValue::default()
        };
        let header_map = self.joined.is_empty().then(|| core::HeaderMap {
            headers: self.headers.iter().map(raw).collect(),
        });
        let http = HttpRequest {
            method: self.method.clone(),
            host: self.host.clone(),
            path: self.path.clone(),
            scheme: self.scheme.clone(),
            headers: self.joined.clone().into_iter().collect(),
            header_map,
            body: self.text.clone().unwrap_or_default(),
            raw_body: self.body.as_ref().map(Bytes::bytes).unwrap_or_default(),
            ..HttpRequest::default()
        };
        let socket = core::SocketAddress {
            address: self.address.clone(),
            ..core::SocketAddress::default()
        };
        let alice =
            serde_json::json!({"envoy.filters.http.jwt_authn": {"jwt_payload": {"sub": "alice"}}});
        let metadata = self.metadata.as_ref().unwrap_or(&alice);
        let filters = metadata.as_object().unwrap().iter();
        let filters = filters.map(|(filter, value)| (filter.clone(), structure(value)));
        let attributes = auth::AttributeContext {
            source: Some(Peer {
                address: Some(core::Address {
                    address: Some(core::address::Address::SocketAddress(socket)),
                }),
                principal: self.peer.clone(),
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
}

fn structure(value: &serde_json::Value) -> Struct {
    let members = value.as_object().unwrap().iter();
    Struct {
        fields: members
            .map(|(name, value)| (name.clone(), self::value(value)))
            .collect(),
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

/// The routes of a text, compiled.
pub(super) fn table(text: &str) -> RouteTable {
    let read = read(Source::new(text), MAX_ROUTES_BYTES, |at, sink| {
        routes(at, shipped::catalog(), sink)
    });
    RouteTable::new(&read.unwrap_or_else(|errors| panic!("{errors}")).value)
}

#[test]
fn requests_ask_what_the_cases_say() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/routes");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let mut lines = text.lines();
        let first: Table<'_> = serde_json::from_str(lines.next().unwrap()).unwrap();
        let table = table(first.routes.get());
        for line in lines {
            let case: Case =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            check(&table, &case);
            count += 1;
        }
    }
    assert!(count > 80, "only {count} cases");
}

fn check(table: &RouteTable, case: &Case) {
    // As it comes over the wire.
    let bytes = case.request.message().encode_to_vec();
    let message = auth::CheckRequest::decode(bytes.as_slice()).unwrap();
    let attributes = attributes(&message).unwrap();
    let found = match ask(table, &attributes) {
        Ok(asked) => Expected::from(asked),
        Err(refused) => Expected::Refused {
            refused: refused.reason.to_string(),
            status: if refused.reason.is_forbidden() {
                403
            } else {
                400
            },
        },
    };
    assert_eq!(found, case.expect, "{} ({})", case.name, case.spec);
}
