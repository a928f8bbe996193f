//! The borrowed reading against prost's owned one, on whole messages and on broken bytes.

use auth::attribute_context::{HttpRequest, Peer, Request, TlsSession};
use proptest::prelude::*;
use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{ListValue, Struct, Timestamp, Value};

use super::message::{attributes, with_attributes};
use super::read::sent;
use crate::model::route::source::Claim;
use crate::routing::Attributes;
use crate::wire::envoy::config::core::v3 as core;
use crate::wire::envoy::service::auth::v3 as auth;
use crate::wire::message::Unread;
use crate::wire::message::changed::{changes, make, may_hold_group};
use crate::wire::status::CallError;

fn text() -> impl Strategy<Value = String> {
    prop_oneof![5 => "[a-c]{0,2}", 2 => "\\PC{0,6}", 1 => "[a-zé]{100,140}"]
}

fn map() -> impl Strategy<Value = std::collections::HashMap<String, String>> {
    prop::collection::hash_map(text(), text(), 0..4)
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..8)
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        1 => Just(None),
        1 => Just(Some(Kind::NullValue(0))),
        1 => any::<f64>().prop_map(|number| Some(Kind::NumberValue(number))),
        4 => text().prop_map(|text| Some(Kind::StringValue(text))),
        1 => any::<bool>().prop_map(|flag| Some(Kind::BoolValue(flag))),
    ];
    // Deeper than what is read without prost.
    let value = leaf.prop_recursive(11, 24, 3, |below| {
        let below = below.prop_map(|kind| Value { kind });
        let members = prop::collection::btree_map("[a-c]", below.clone(), 0..3);
        let values = prop::collection::vec(below, 0..3);
        prop_oneof![
            members.prop_map(|fields| Some(Kind::StructValue(Struct { fields }))),
            values.prop_map(|values| Some(Kind::ListValue(ListValue { values }))),
        ]
    });
    value.prop_map(|kind| Value { kind })
}

fn metadata() -> impl Strategy<Value = core::Metadata> {
    let fields = prop::collection::btree_map("[a-c]", value(), 0..3);
    let filter = fields.prop_map(|fields| Struct { fields });
    let filters = prop::collection::hash_map("[a-c]", filter, 0..3);
    filters.prop_map(|filter_metadata| core::Metadata { filter_metadata })
}

fn address() -> impl Strategy<Value = core::Address> {
    use core::address::Address;
    use core::socket_address::PortSpecifier;
    let port = prop_oneof![
        Just(None),
        any::<u32>().prop_map(|port| Some(PortSpecifier::PortValue(port))),
        text().prop_map(|name| Some(PortSpecifier::NamedPort(name))),
    ];
    let socket = (any::<i32>(), text(), port);
    let socket = socket.prop_map(|(protocol, address, port_specifier)| core::SocketAddress {
        protocol,
        address,
        port_specifier,
    });
    let pipe = (text(), any::<u32>()).prop_map(|(path, mode)| core::Pipe { path, mode });
    let address = prop_oneof![
        1 => Just(None),
        3 => socket.prop_map(|socket| Some(Address::SocketAddress(socket))),
        1 => pipe.prop_map(|pipe| Some(Address::Pipe(pipe))),
    ];
    address.prop_map(|address| core::Address { address })
}

fn peer() -> impl Strategy<Value = Peer> {
    let texts = (text(), text(), text());
    let peer = (prop::option::of(address()), texts, map());
    peer.prop_map(|(address, texts, labels)| Peer {
        address,
        service: texts.0,
        labels,
        principal: texts.1,
        certificate: texts.2,
    })
}

fn header() -> impl Strategy<Value = core::HeaderValue> {
    (text(), text(), bytes()).prop_map(|(key, value, raw_value)| core::HeaderValue {
        key,
        value,
        raw_value,
    })
}

fn http() -> impl Strategy<Value = HttpRequest> {
    let raw = prop::collection::vec(header(), 0..6);
    let header_map = prop::option::of(raw.prop_map(|headers| core::HeaderMap { headers }));
    let texts = prop::collection::vec(text(), 9);
    let http = (texts, map(), header_map, any::<i64>(), bytes());
    http.prop_map(|(texts, headers, header_map, size, raw_body)| {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().unwrap_or_default();
        HttpRequest {
            id: next(),
            method: next(),
            headers,
            path: next(),
            host: next(),
            scheme: next(),
            query: next(),
            fragment: next(),
            size,
            protocol: next(),
            body: next(),
            raw_body,
            header_map,
        }
    })
}

fn message() -> impl Strategy<Value = auth::CheckRequest> {
    let time = (any::<i64>(), any::<i32>());
    let time = time.prop_map(|(seconds, nanos)| Timestamp { seconds, nanos });
    let request = (prop::option::of(time), prop::option::of(http()));
    let request = request.prop_map(|(time, http)| Request { time, http });
    let tls = text().prop_map(|sni| TlsSession { sni });
    let attributes = (
        [peer(), peer()].map(prop::option::of),
        prop::option::of(request),
        map(),
        [metadata(), metadata()].map(prop::option::of),
        prop::option::of(tls),
    );
    let attributes = attributes.prop_map(
        |([source, destination], request, context_extensions, metadata, tls_session)| {
            let [metadata_context, route_metadata_context] = metadata;
            auth::AttributeContext {
                source,
                destination,
                request,
                context_extensions,
                metadata_context,
                tls_session,
                route_metadata_context,
            }
        },
    );
    prop::option::of(attributes).prop_map(|attributes| auth::CheckRequest { attributes })
}

/// Known fields again: a request of HTTP, a header of a map, metadata with a claim.
fn known_fields() -> Vec<Vec<u8>> {
    vec![
        vec![0x0a, 0],
        vec![0x0a, 4, 0x22, 2, 0x12, 0],
        vec![0x12, 3, 0x12, 1, b'x'],
        vec![0x1a, 6, 0x0a, 1, b'a', 0x12, 1, b'b'],
        vec![0x5a, 4, 0x0a, 2, 0x12, 0],
        vec![0x0a, 5, 0x0a, 1, b'a', 0x12, 0],
        vec![0x6a, 0],
        vec![0x11, 1, 2, 3, 4, 5, 6, 7, 8],
        vec![0x15, 1, 2, 3, 4],
        vec![0x1a, 1, b'x', 0x20, 1],
    ]
}

/// All that routes may look at. A map has no order.
fn told(attributes: &Attributes<'_>) -> String {
    let mut headers = attributes.headers.clone();
    headers.sort_unstable();
    let names = ["a", "b", "c"];
    let pairs = names
        .iter()
        .flat_map(|one| names.map(|other| [*one, other]));
    let paths = pairs.flat_map(|[one, other]| {
        let deep = names.map(|last| vec![one, other, last]);
        [vec![one, other]].into_iter().chain(deep)
    });
    let claim = |path: Vec<&str>| {
        let (filter, path) = path.split_first().unwrap();
        let path = path.iter().map(|name| (*name).into()).collect();
        let filter = (*filter).into();
        format!("{:?}", attributes.claims.claim(&Claim { filter, path }))
    };
    let claims: Vec<String> = paths.map(claim).collect();
    let Attributes {
        method,
        host,
        path,
        scheme,
        header_form,
        headers: _,
        body,
        address,
        peer,
        claims: _,
    } = attributes;
    let texts = [method, host, path, scheme, address, peer];
    format!("{texts:?} {header_form:?} {headers:?} {body:?} {claims:?}")
}

/// Whether a message is one that prost alone reads, though nothing is wrong with it.
fn is_merged_or_deep(bytes: &[u8], owned: &auth::CheckRequest) -> bool {
    may_hold_group(bytes) || owned.encode_to_vec().len() != bytes.len() || is_deep(owned)
}

fn is_deep(owned: &auth::CheckRequest) -> bool {
    fn depth(value: &Value) -> usize {
        match &value.kind {
            Some(Kind::StructValue(below)) => 1 + of(below.fields.values()),
            Some(Kind::ListValue(below)) => 1 + of(below.values.iter()),
            _ => 0,
        }
    }
    fn of<'v>(values: impl Iterator<Item = &'v Value>) -> usize {
        values.map(depth).max().unwrap_or_default()
    }
    let attributes = owned.attributes.iter();
    let metadata = attributes.flat_map(|one| [&one.metadata_context, &one.route_metadata_context]);
    let filters = metadata
        .flatten()
        .flat_map(|one| one.filter_metadata.values());
    filters.map(|filter| of(filter.fields.values())).max() >= Some(8)
}

fn check(bytes: &[u8]) {
    let owned = auth::CheckRequest::decode(bytes);
    match (sent(bytes), &owned) {
        (Ok(_), owned) => assert!(owned.is_ok(), "{bytes:?}"),
        (Err(Unread), Ok(owned)) => assert!(is_merged_or_deep(bytes, owned), "{bytes:?}"),
        (Err(Unread), Err(_)) => {}
    }
    let read = with_attributes(bytes, |read| read.map(|read| told(&read)));
    let expected = match &owned {
        Ok(owned) => Ok(attributes(owned).map(|owned| told(&owned))),
        Err(error) => Err(CallError::MessageInvalid(error.to_string())),
    };
    assert_eq!(read, expected);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 384, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_prost_writes_is_read_as_prost_reads_it(message in message()) {
        let bytes = message.encode_to_vec();
        prop_assert_eq!(sent(&bytes).is_ok(), !is_deep(&message));
        check(&bytes);
    }

    #[test]
    fn broken_requests_are_taken_and_refused_as_prost_does(
        message in message(),
        changes in changes(known_fields()),
    ) {
        let mut bytes = message.encode_to_vec();
        make(changes, &mut bytes);
        check(&bytes);
    }

    #[test]
    fn arbitrary_bytes_are_taken_and_refused_as_prost_does(
        bytes in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        check(&bytes);
    }
}

#[test]
fn a_map_of_more_headers_than_anybody_sends_is_left_to_prost() {
    for (count, is_read) in [(128, true), (129, false)] {
        let headers = (0..count).map(|place| (format!("h{place}"), String::new()));
        let http = HttpRequest {
            headers: headers.collect(),
            ..HttpRequest::default()
        };
        let request = Some(Request {
            http: Some(http),
            time: None,
        });
        let attributes = Some(auth::AttributeContext {
            request,
            ..auth::AttributeContext::default()
        });
        let bytes = auth::CheckRequest { attributes }.encode_to_vec();
        assert_eq!(sent(&bytes).is_ok(), is_read, "{count}");
        check(&bytes);
    }
}

#[test]
fn claims_of_claims_are_read_as_deep_as_anybody_nests_them() {
    for (depth, is_read) in [(8, true), (9, false), (40, false)] {
        let mut value = Value { kind: None };
        for _ in 0..depth {
            let fields = [("a".to_owned(), value)].into();
            let kind = Some(Kind::StructValue(Struct { fields }));
            value = Value { kind };
        }
        let Some(Kind::StructValue(filter)) = value.kind else {
            unreachable!()
        };
        let filter_metadata = [("a".to_owned(), filter)].into();
        let attributes = Some(auth::AttributeContext {
            metadata_context: Some(core::Metadata { filter_metadata }),
            ..auth::AttributeContext::default()
        });
        let bytes = auth::CheckRequest { attributes }.encode_to_vec();
        assert_eq!(sent(&bytes).is_ok(), is_read, "{depth}");
        check(&bytes);
    }
}
