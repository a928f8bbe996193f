//! What a proxy asks.

use prost::Message as _;
use prost_types::value::Kind;
use prost_types::{Struct, Value};
use tagwarden::wire::envoy::config::core::v3 as core;
use tagwarden::wire::envoy::service::auth::v3 as auth;

use super::{CHECK, Callers, bundle_of, publish, serve, tell};

/// A request of somebody whom the proxy knows by a token.
fn asking(method: &str, path: &str, who: &str) -> auth::CheckRequest {
    use auth::attribute_context::{HttpRequest, Request};
    let text = |text: &str| Value {
        kind: Some(Kind::StringValue(text.to_owned())),
    };
    let within = |name: &str, value| Struct {
        fields: [(name.to_owned(), value)].into(),
    };
    let payload = Value {
        kind: Some(Kind::StructValue(within("sub", text(who)))),
    };
    let token = within("jwt_payload", payload);
    auth::CheckRequest {
        attributes: Some(auth::AttributeContext {
            request: Some(Request {
                http: Some(HttpRequest {
                    method: method.to_owned(),
                    host: "eci.example".to_owned(),
                    path: path.to_owned(),
                    scheme: "http".to_owned(),
                    header_map: Some(core::HeaderMap::default()),
                    ..HttpRequest::default()
                }),
                ..Request::default()
            }),
            metadata_context: Some(core::Metadata {
                filter_metadata: [("envoy.filters.http.jwt_authn".to_owned(), token)].into(),
            }),
            ..auth::AttributeContext::default()
        }),
    }
}

/// What is told in place of each id.
const ID: &str = "an id";

/// An answer without the id of its decision, wherever that is told.
pub(super) fn without_id(bytes: &[u8]) -> Vec<u8> {
    let mut answer = auth::CheckResponse::decode(bytes).unwrap();
    assert_eq!(answer.encode_to_vec(), bytes);
    let told = answer.dynamic_metadata.as_mut().unwrap();
    let Some(Kind::StringValue(id)) = told.fields.remove("decision_id").unwrap().kind else {
        panic!("a text");
    };
    format!("{answer:?}").replace(&id, ID).into_bytes()
}

#[tokio::test]
async fn a_proxy_is_answered_the_same() {
    let bundle = bundle_of("examples/eci");
    let groups = "/regions/cn-hangzhou/container-groups";
    let asked = [
        asking(
            "GET",
            &format!("{groups}?Tag.1.Key=env&Tag.1.Value=test"),
            "alice",
        ),
        // A list that is refused, a group that is, nobody's, and a request that no route has.
        asking("GET", groups, "alice"),
        asking("DELETE", &format!("{groups}/eci-prod"), "alice"),
        asking("GET", groups, "nobody"),
        asking("PATCH", "/", "alice"),
        // Ambiguous.
        asking("GET", &format!("{groups}?Tag.1.Key=a&Tag.1.Key=b"), "alice"),
        auth::CheckRequest::default(),
    ];
    let mut running = serve(&bundle);
    let sender = running.driven().await;
    // Without policies nothing is decided; that is an answer.
    assert_eq!(tell(&sender, CHECK, &asked[0].encode_to_vec()).await, "OK");
    publish(&mut running, &bundle, Callers::Trusted);
    for request in &asked {
        assert_eq!(tell(&sender, CHECK, &request.encode_to_vec()).await, "OK");
    }
    assert_eq!(tell(&sender, CHECK, b"\xff").await, "INVALID_REQUEST");
    publish(&mut running, &bundle, Callers::Nobody);
    let refused = tell(&sender, CHECK, &asked[0].encode_to_vec()).await;
    assert_eq!(refused, "CALLER_NOT_ALLOWED");
}
