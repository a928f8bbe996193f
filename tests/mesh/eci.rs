//! The ECI scenario through a real Envoy: create, query, update and delete, over HTTP and gRPC.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use http::{Method, Request};
use http_body_util::Full;
use serde_json::json;

use crate::support::envoy::{
    Answer, Around, Envoy, Seen, grpc_upstream, http_upstream, http2, patient, program, read, token,
};
use crate::support::process::Process;
use crate::support::server::within;

/// Everything from the client's Envoy to the upstreams.
pub(super) struct Mesh {
    pub(super) process: Process,
    pub(super) envoy: Envoy,
    pub(super) http: Seen,
    pub(super) grpc: Seen,
    pub(super) bundle: tempfile::TempDir,
}

impl Mesh {
    /// The example; `None` where there is no Envoy.
    pub(super) async fn start() -> Option<Self> {
        Self::start_with(&patient()).await
    }

    pub(super) async fn start_with(config: &str) -> Option<Self> {
        Self::start_changed(config, |_| {}).await
    }

    /// With a bundle that is changed before anybody reads it.
    pub(super) async fn start_changed(config: &str, change: impl FnOnce(&Path)) -> Option<Self> {
        let program = program()?;
        let bundle = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        copy(&root.join("examples/eci"), bundle.path());
        change(bundle.path());
        let process = Process::serving(bundle.path()).await;
        let ((http_address, http), (grpc_address, grpc)) =
            (http_upstream().await, grpc_upstream().await);
        let around = Around {
            tagwarden: &process.data_path(),
            http: http_address,
            grpc: grpc_address,
        };
        let envoy = Envoy::start(&program, config, &around).await;
        Some(Self {
            process,
            envoy,
            http,
            grpc,
            bundle,
        })
    }

    /// Sends a request of alice, with JSON or without.
    pub(super) async fn alice(
        &self,
        method: Method,
        path: &str,
        body: serde_json::Value,
    ) -> Answer {
        self.envoy.send(request(method, path, body)).await
    }

    /// A call of alice with metadata.
    pub(super) async fn call(&self, method: &str, metadata: &[(&str, &str)]) -> Answer {
        let mut sender = http2(self.envoy.address).await;
        let path = format!("http://eci.example/eci.v1.ContainerGroups/{method}");
        let call = Request::post(path)
            .header("content-type", "application/grpc")
            .header("te", "trailers")
            .header("x-region", "cn-hangzhou")
            .header("authorization", format!("Bearer {}", token("alice")));
        let call = metadata
            .iter()
            .fold(call, |call, (name, value)| call.header(*name, *value));
        let call = call.body(Full::new(Bytes::from_static(&[0; 5]))).unwrap();
        let answer = within(sender.send_request(call)).await.unwrap();
        within(read(answer)).await.unwrap()
    }
}

/// A request of alice, with JSON or without.
pub(super) fn request(method: Method, path: &str, body: serde_json::Value) -> Request<Full<Bytes>> {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "eci.example")
        .header("authorization", format!("Bearer {}", token("alice")));
    let body = Some(body).filter(|body| !body.is_null());
    let Some(text) = body.map(|body| body.to_string()) else {
        return request.body(Full::default()).unwrap();
    };
    let request = request.header("content-type", "application/json");
    request.body(Full::from(text)).unwrap()
}

pub(super) const GROUPS: &str = "/regions/cn-hangzhou/container-groups";

/// The body of a create with one tag.
pub(super) fn tagged(env: &str) -> serde_json::Value {
    json!({"Name": "web!", "Tags": [{"Key": "env", "Value": env}]})
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry: PathBuf = entry.unwrap().path();
        let target = to.join(entry.file_name().unwrap());
        if entry.is_dir() {
            fs::create_dir_all(&target).unwrap();
            copy(&entry, &target);
        } else {
            fs::copy(&entry, &target).unwrap();
        }
    }
}

/// Whether a request passed to the upstream, and what came of it.
#[track_caller]
fn check(answer: &Answer, seen: &Seen, before: usize, status: u16, passed: bool) {
    assert_eq!(answer.status, status, "{answer:?}");
    assert_eq!(seen.count() > before, passed, "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alice_has_the_groups_of_her_environment() {
    let Some(mesh) = Mesh::start().await else {
        return;
    };
    let group = |id: &str| format!("{GROUPS}/{id}");
    let list = |query: &str| format!("{GROUPS}?{query}");
    let test = "Tag.1.Key=env&Tag.1.Value=test";
    for (method, path, body, status, passed) in [
        (Method::POST, GROUPS.to_owned(), tagged("test"), 200, true),
        (Method::POST, GROUPS.to_owned(), tagged("prod"), 403, false),
        (
            Method::POST,
            GROUPS.to_owned(),
            json!({"Name": "web"}),
            403,
            false,
        ),
        (Method::PUT, group("eci-test"), json!({"Cpu": 2}), 200, true),
        (
            Method::PUT,
            group("eci-prod"),
            json!({"Cpu": 2}),
            403,
            false,
        ),
        (Method::PUT, group("eci-test"), tagged("prod"), 403, false),
        (Method::GET, list(test), json!(null), 200, true),
        (
            Method::GET,
            list("Tag.1.Key=env&Tag.1.Value=prod"),
            json!(null),
            200,
            false,
        ),
        (Method::GET, GROUPS.to_owned(), json!(null), 200, false),
        (Method::DELETE, group("eci-test"), json!(null), 200, true),
        (Method::DELETE, group("eci-plain"), json!(null), 403, false),
        (
            Method::DELETE,
            group("eci-unknown"),
            json!(null),
            403,
            false,
        ),
        (
            Method::POST,
            format!("/?Action=CreateContainerGroup&RegionId=cn-hangzhou&{test}"),
            json!(null),
            200,
            true,
        ),
        (
            Method::POST,
            "/?Action=CreateContainerGroup&RegionId=cn-hangzhou".to_owned(),
            json!(null),
            403,
            false,
        ),
        (
            Method::GET,
            "/elsewhere".to_owned(),
            json!(null),
            403,
            false,
        ),
        (
            Method::GET,
            list("Tag.1.Key=env&Tag.1.Key=team"),
            json!(null),
            400,
            false,
        ),
        (
            Method::GET,
            format!("{GROUPS}/a%2Fb"),
            json!(null),
            400,
            false,
        ),
        (Method::GET, format!("{GROUPS}//a"), json!(null), 400, false),
    ] {
        let before = mesh.http.count();
        let answer = mesh.alice(method, &path, body).await;
        check(&answer, &mesh.http, before, status, passed);
    }
    assert_eq!(mesh.envoy.counter("http.eci.ext_authz.error").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_grpc_are_told_by_their_metadata() {
    let Some(mesh) = Mesh::start().await else {
        return;
    };
    let group = |id| ("x-group", id);
    let test = ("x-tag-env", "test");
    for (method, metadata, status, passed) in [
        ("Create", vec![test], 0, true),
        ("Create", vec![("x-tag-env", "prod")], 7, false),
        ("Create", vec![], 7, false),
        ("Update", vec![group("eci-test")], 0, true),
        ("Update", vec![group("eci-prod")], 7, false),
        ("Delete", vec![group("eci-test")], 0, true),
        ("Delete", vec![group("eci-plain")], 7, false),
        ("List", vec![test], 0, true),
        ("Other", vec![], 7, false),
    ] {
        let before = mesh.grpc.count();
        let answer = mesh.call(method, &metadata).await;
        assert_eq!(
            answer.grpc_status(),
            Some(status),
            "{method} {metadata:?} {answer:?}"
        );
        assert_eq!(mesh.grpc.count() > before, passed, "{method} {metadata:?}");
    }
    // A refused list goes to the upstream, which is told to answer without entries.
    let answer = mesh.call("List", &[("x-tagwarden-effect", "ALLOW")]).await;
    assert_eq!(answer.grpc_status(), Some(0), "{answer:?}");
    let (head, _) = mesh.grpc.last();
    let told: Vec<_> = head.headers.get_all("x-tagwarden-effect").iter().collect();
    assert_eq!(told, ["DENY"]);
}
