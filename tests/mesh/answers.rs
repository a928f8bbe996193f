//! What clients, upstreams and Envoy's access log get of each outcome.

use std::fs;

use bytes::Bytes;
use http::{HeaderValue, Method, Request};
use http_body_util::Full;
use serde_json::json;

use super::eci::{GROUPS, Mesh, request, tagged};
use crate::support::envoy::{Answer, patient, token};

/// What the access log says of the decision with the id of an answer.
async fn logged(mesh: &Mesh, answer: &Answer) -> serde_json::Value {
    let id = answer.header("x-tagwarden-decision-id").expect("no id");
    mesh.envoy.logged(id).await["decision"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_name_their_decision_and_nothing_else() {
    let Some(mesh) = Mesh::start().await else {
        return;
    };
    let denied = mesh.alice(Method::POST, GROUPS, tagged("prod")).await;
    assert_eq!(denied.status, 403);
    let id = denied.header("x-tagwarden-decision-id").unwrap().to_owned();
    assert_eq!(
        denied.json(),
        json!({"code": "ACCESS_DENIED", "decision_id": id})
    );
    assert_eq!(denied.header("cache-control"), Some("no-store"));
    assert_eq!(denied.header("content-type"), Some("application/json"));
    let told = logged(&mesh, &denied).await;
    assert_eq!(told["effect"], "DENY");
    assert_eq!(told["reason"], "IMPLICIT_DENY");
    assert_eq!(told["route"], "create-group");
    assert_eq!(told["revision"], "1");

    let nowhere = mesh.alice(Method::GET, "/nowhere", json!(null)).await;
    assert_eq!(nowhere.status, 403);
    assert_eq!(nowhere.json()["code"], "NO_ROUTE");
    let told = logged(&mesh, &nowhere).await;
    assert_eq!(
        (&told["effect"], &told["reason"]),
        (&json!("DENY"), &json!("NO_ROUTE"))
    );

    let path = format!("{GROUPS}?Tag.1.Key=a&Tag.1.Key=b");
    let wrong = mesh.alice(Method::GET, &path, json!(null)).await;
    assert_eq!(wrong.status, 400);
    let body = wrong.json();
    assert_eq!(body["code"], "TAGS_INVALID");
    assert_eq!(body["message"], "`Tag.1.Key` is given twice");
    let told = logged(&mesh, &wrong).await;
    assert_eq!(
        (&told["effect"], &told["reason"]),
        (&json!("ERROR"), &json!("TAGS_INVALID"))
    );
    assert_eq!(told["route"], "list-groups");
    // The engine's own refusal: more tags than a request may carry.
    let tags: Vec<String> = (1..=21).map(|n| format!("Tag.{n}.Key=k{n}")).collect();
    let path = format!("{GROUPS}?{}", tags.join("&"));
    let wrong = mesh.alice(Method::GET, &path, json!(null)).await;
    assert_eq!(
        (wrong.status, &wrong.json()["code"]),
        (400, &json!("TAG_LIMIT"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_list_is_an_empty_result_that_nobody_keeps() {
    let Some(mesh) = Mesh::start().await else {
        return;
    };
    let empty = mesh.alice(Method::GET, GROUPS, json!(null)).await;
    assert_eq!(empty.status, 200);
    assert_eq!(
        empty.json(),
        json!({"ContainerGroups": [], "TotalCount": 0})
    );
    assert_eq!(empty.header("cache-control"), Some("no-store"));
    assert_eq!(mesh.http.count(), 0);
    let told = logged(&mesh, &empty).await;
    assert_eq!(told["effect"], "DENY");
    // A refused request of another kind is a refusal.
    let denied = mesh
        .alice(Method::DELETE, &format!("{GROUPS}/eci-prod"), json!(null))
        .await;
    assert_eq!(denied.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upstreams_get_our_headers_and_no_clients_own() {
    let Some(mesh) = Mesh::start().await else {
        return;
    };
    let forge = |mut request: Request<Full<Bytes>>| {
        for name in [
            "x-tagwarden-effect",
            "x-tagwarden-decision-id",
            "x-tagwarden-obligations",
        ] {
            for value in ["forged", "twice"] {
                request
                    .headers_mut()
                    .append(name, HeaderValue::from_static(value));
            }
        }
        request
    };
    let seen = |name: &str| -> Vec<String> {
        let (head, _) = mesh.http.last();
        let values = head.headers.get_all(name).iter();
        values
            .map(|value| value.to_str().unwrap().to_owned())
            .collect()
    };
    let create = forge(request(Method::POST, GROUPS, tagged("test")));
    let answer = mesh.envoy.send(create).await;
    assert_eq!(answer.status, 200);
    assert_eq!(seen("x-tagwarden-effect"), ["ALLOW"]);
    assert_eq!(seen("x-tagwarden-obligations"), Vec::<String>::new());
    let [id] = seen("x-tagwarden-decision-id").try_into().unwrap();
    let told = mesh.envoy.logged(&id).await;
    assert_eq!(told["decision"]["effect"], "ALLOW");
    assert_eq!(told["decision"]["revision"], "1");
    assert_eq!(told["decision"]["route"], json!(null));
    // The server's own user is told everything.
    assert_eq!(told["decision"]["statement"], "custom:EciEnvTest/0");
    let (_, body) = mesh.http.last();
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&body).unwrap(),
        tagged("test")
    );

    let path = format!("{GROUPS}?Tag.1.Key=env&Tag.1.Value=test");
    let list = forge(request(Method::GET, &path, json!(null)));
    assert_eq!(mesh.envoy.send(list).await.status, 200);
    let [obligations] = seen("x-tagwarden-obligations").try_into().unwrap();
    let obligations: serde_json::Value = serde_json::from_str(&obligations).unwrap();
    let tags = json!([{"key": "env", "value": "test"}]);
    assert_eq!(obligations[0]["mustFilterTags"]["tags"], tags);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_of_ours_is_neither_a_deny_nor_an_allow() {
    let Some(mesh) = Mesh::start_changed(&patient(), |bundle| {
        let policy = bundle.join("accounts/123456789012/policies/EciEnvTest.json");
        fs::write(policy, r#"{"Version": "1", "Statement": []}"#).unwrap();
    })
    .await
    else {
        return;
    };
    let failed = mesh.alice(Method::POST, GROUPS, tagged("test")).await;
    assert_eq!(failed.status, 503);
    assert_eq!(failed.json()["code"], "UNAVAILABLE");
    let told = logged(&mesh, &failed).await;
    assert_eq!(
        (&told["effect"], &told["reason"]),
        (&json!("ERROR"), &json!("ACCOUNT_QUARANTINED"))
    );
    assert_eq!(mesh.envoy.counter("http.eci.ext_authz.error").await, 1);
    assert_eq!(mesh.envoy.counter("http.eci.ext_authz.denied").await, 0);
    // Whatever is wrong with a request is no fault of ours.
    let nowhere = mesh.alice(Method::GET, "/nowhere", json!(null)).await;
    assert_eq!(nowhere.status, 403);
    assert_eq!(mesh.envoy.counter("http.eci.ext_authz.error").await, 1);
    assert_eq!(mesh.http.count(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_joins_headers_hides_nothing() {
    let config = patient().replace("encode_raw_headers: true", "encode_raw_headers: false");
    let Some(mesh) = Mesh::start_with(&config).await else {
        return;
    };
    let allowed = mesh.call("Create", &[("x-tag-env", "test")]).await;
    assert_eq!(allowed.grpc_status(), Some(0), "{allowed:?}");
    let joined = [("x-tag-env", "test"), ("x-tag-env", "prod")];
    let before = mesh.grpc.count();
    let refused = mesh.call("Create", &joined).await;
    assert_eq!(mesh.grpc.count(), before, "{refused:?}");
    assert_eq!(refused.grpc_status(), Some(3), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_are_read_whole_or_not_at_all() {
    let large = |bytes: usize| {
        let mut body = tagged("test");
        body["Name"] = "x".repeat(bytes).into();
        body
    };
    let Some(mesh) = Mesh::start().await else {
        return;
    };
    assert_eq!(
        mesh.alice(Method::POST, GROUPS, large(60_000)).await.status,
        200
    );
    let (_, body) = mesh.http.last();
    assert!(body.len() > 60_000);
    let too_large = mesh.alice(Method::POST, GROUPS, large(70_000)).await;
    assert_eq!((too_large.status, mesh.http.count()), (413, 1));
    // A route that reads no body is not concerned by one.
    let list = request(Method::DELETE, &format!("{GROUPS}/eci-test"), large(10));
    assert_eq!(mesh.envoy.send(list).await.status, 200);

    let config = patient().replace(
        "allow_partial_message: false",
        "allow_partial_message: true",
    );
    let mesh = Mesh::start_with(&config).await.unwrap();
    let cut = mesh.alice(Method::POST, GROUPS, large(70_000)).await;
    assert_eq!(
        (cut.status, &cut.json()["code"]),
        (400, &json!("BODY_TRUNCATED"))
    );
    assert_eq!(mesh.http.count(), 0);
    // What a client says of its body counts for nothing.
    let mut lying = request(Method::POST, GROUPS, large(70_000));
    let name = "x-envoy-auth-partial-body";
    lying
        .headers_mut()
        .insert(name, HeaderValue::from_static("false"));
    let cut = mesh.envoy.send(lying).await;
    assert_eq!(
        (cut.status, &cut.json()["code"]),
        (400, &json!("BODY_TRUNCATED"))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_tells_who_asks_and_nothing_else_does() {
    let Some(mesh) = Mesh::start().await else {
        return;
    };
    let as_user = |subject: &str| {
        let mut request = request(Method::DELETE, &format!("{GROUPS}/eci-prod"), json!(null));
        let value = format!("Bearer {}", token(subject)).parse().unwrap();
        request.headers_mut().insert("authorization", value);
        request
    };
    assert_eq!(mesh.envoy.send(as_user("bob")).await.status, 200);
    assert_eq!(mesh.envoy.send(as_user("alice")).await.status, 403);
    let nobody = mesh.envoy.send(as_user("mallory")).await;
    assert_eq!(nobody.status, 403);
    assert_eq!(logged(&mesh, &nobody).await["reason"], "PRINCIPAL_UNKNOWN");
    let other = mesh.envoy.send(as_user("acs:ram::123456789012:root")).await;
    assert_eq!(
        (other.status, &other.json()["code"]),
        (400, &json!("PRINCIPAL_INVALID"))
    );
    let mut without = as_user("bob");
    without.headers_mut().remove("authorization");
    assert_eq!(mesh.envoy.send(without).await.status, 401);
}
