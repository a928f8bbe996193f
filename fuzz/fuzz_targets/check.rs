//! Bytes of Envoy's `CheckRequest`: what they ask by the routes of an example.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use prost::Message as _;
use tagwarden::document::routes::{MAX_ROUTES_BYTES, routes};
use tagwarden::document::{Source, read, shipped};
use tagwarden::routing::ask;
use tagwarden::snapshot::route::RouteTable;
use tagwarden::wire::envoy::service::auth::v3::CheckRequest;
use tagwarden::wire::mesh::with_attributes;

static TABLE: LazyLock<RouteTable> = LazyLock::new(|| {
    let source = Source::new(include_str!("../../examples/eci/routes.json"));
    let read = read(source, MAX_ROUTES_BYTES, |at, sink| {
        routes(at, shipped::catalog(), sink)
    });
    RouteTable::new(&read.unwrap().value)
});

fuzz_target!(|bytes: &[u8]| {
    let read = with_attributes(bytes, |attributes| {
        let Some(attributes) = attributes else {
            return;
        };
        if let Ok(asked) = ask(&TABLE, &attributes) {
            // No request adds a field to an ARN.
            let is_whole = |arn: &String| arn.matches(':').count() == 4;
            assert!(is_whole(&asked.principal));
            assert!(asked.resources.iter().all(is_whole));
        }
    });
    assert_eq!(read.is_ok(), CheckRequest::decode(bytes).is_ok());
});
