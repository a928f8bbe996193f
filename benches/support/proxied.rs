//! Calls of a proxy that all pass, over the ECI example: what Envoy sends of a create that carries
//! the tag that alice needs, in one of many regions.

use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{Struct, Timestamp, Value};
use tagwarden::model::caller::Origin;
use tagwarden::publish::Publisher;
use tagwarden::service::pdp::Pdp;
use tagwarden::wire::envoy::config::core::v3 as core;
use tagwarden::wire::envoy::service::auth::v3 as auth;

use super::eci::decision_point;

/// A decision point and calls.
pub(crate) struct Proxied {
    pub(crate) pdp: Pdp,
    pub(crate) calls: Vec<Vec<u8>>,
    _publisher: Publisher,
}

impl Proxied {
    /// One with so many distinct calls.
    pub(crate) fn new(distinct: usize) -> Self {
        let (pdp, publisher) = decision_point();
        let calls: Vec<Vec<u8>> = (0..distinct)
            .map(|place| call(place).encode_to_vec())
            .collect();
        for call in &calls {
            let mut answer = Vec::new();
            pdp.check(&Origin::Loopback, call, &mut answer).unwrap();
            let answer = auth::CheckResponse::decode(&*answer).unwrap();
            assert_eq!(
                answer.status.unwrap_or_default().code,
                0,
                "every call must pass"
            );
        }
        Self {
            pdp,
            calls,
            _publisher: publisher,
        }
    }
}

fn call(region: usize) -> auth::CheckRequest {
    let path = format!(
        "/?Action=CreateContainerGroup&RegionId=cn-{region}\
         &Tag.1.Key=env&Tag.1.Value=test&Tag.2.Key=team&Tag.2.Value=payments"
    );
    let id = format!("00000000-0000-4000-8000-{region:012}");
    let headers = [
        (":authority", "eci.example"),
        (":path", &path),
        (":method", "POST"),
        (":scheme", "http"),
        ("user-agent", "bench/1.0"),
        ("accept", "application/json"),
        ("x-request-id", &id),
        ("x-forwarded-proto", "http"),
    ];
    let headers = headers.map(|(key, value)| core::HeaderValue {
        key: key.to_owned(),
        raw_value: value.as_bytes().to_vec(),
        ..core::HeaderValue::default()
    });
    let http = auth::attribute_context::HttpRequest {
        id: "1234567890123456789".to_owned(),
        method: "POST".to_owned(),
        path: path.clone(),
        host: "eci.example".to_owned(),
        scheme: "http".to_owned(),
        size: -1,
        protocol: "HTTP/2".to_owned(),
        header_map: Some(core::HeaderMap {
            headers: headers.into(),
        }),
        ..auth::attribute_context::HttpRequest::default()
    };
    let attributes = auth::AttributeContext {
        source: Some(peer("10.0.0.1")),
        destination: Some(peer("10.0.0.2")),
        request: Some(auth::attribute_context::Request {
            time: Some(Timestamp {
                seconds: 1_790_000_000,
                nanos: 1,
            }),
            http: Some(http),
        }),
        metadata_context: Some(claims()),
        ..auth::AttributeContext::default()
    };
    auth::CheckRequest {
        attributes: Some(attributes),
    }
}

fn peer(address: &str) -> auth::attribute_context::Peer {
    let socket = core::SocketAddress {
        address: address.to_owned(),
        port_specifier: Some(core::socket_address::PortSpecifier::PortValue(40_000)),
        ..core::SocketAddress::default()
    };
    auth::attribute_context::Peer {
        address: Some(core::Address {
            address: Some(core::address::Address::SocketAddress(socket)),
        }),
        ..auth::attribute_context::Peer::default()
    }
}

/// A token's claims, as the proxy's filter tells them.
fn claims() -> core::Metadata {
    let value = |kind| Value { kind: Some(kind) };
    let one = |name: &str, kind| Struct {
        fields: [(name.to_owned(), value(kind))].into(),
    };
    let payload = one("sub", Kind::StringValue("alice".to_owned()));
    let filter = one("jwt_payload", Kind::StructValue(payload));
    core::Metadata {
        filter_metadata: [("envoy.filters.http.jwt_authn".to_owned(), filter)].into(),
    }
}
