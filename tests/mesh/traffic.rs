//! Traffic that goes on while policies change and while the server stops, hangs and comes back.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use http::{Method, Uri};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::eci::{GROUPS, Mesh, request, tagged};
use crate::support::envoy::{Around, Envoy, example, grpc_upstream, http_upstream, http2, program};
use crate::support::process::Process;
use crate::support::server::{LIMIT, within};

/// Requests of alice, one after the other on one connection over HTTP/2, until they are told to end:
/// one that is allowed, one that is not.
struct Load {
    stop: Arc<AtomicBool>,
    passed: watch::Receiver<usize>,
    task: JoinHandle<Vec<(u16, u16)>>,
}

impl Load {
    fn start(envoy: &Envoy) -> Self {
        let (stop, address) = (Arc::new(AtomicBool::new(false)), envoy.address);
        let (counted, passed) = watch::channel(0);
        let stopped = Arc::clone(&stop);
        let task = tokio::spawn(async move {
            let mut statuses = Vec::new();
            let mut sender = http2(address).await;
            while !stopped.load(Ordering::Relaxed) {
                let mut pair = [0; 2];
                for (status, env) in pair.iter_mut().zip(["test", "prod"]) {
                    let mut request = request(Method::POST, GROUPS, tagged(env));
                    request.headers_mut().remove("host");
                    let uri = format!("http://eci.example{GROUPS}");
                    *request.uri_mut() = uri.parse::<Uri>().unwrap();
                    let answer = within(sender.send_request(request)).await.unwrap();
                    *status = answer.status().as_u16();
                }
                counted.send_modify(|passed| *passed += usize::from(pair[0] == 200));
                statuses.push(pair.into());
            }
            statuses
        });
        Self { stop, passed, task }
    }

    /// Waits until so many more requests have passed.
    async fn passes(&self, more: usize) {
        let mut passed = self.passed.clone();
        let enough = *passed.borrow() + more;
        within(passed.wait_for(|passed| *passed >= enough))
            .await
            .unwrap();
    }

    async fn end(self) -> Vec<(u16, u16)> {
        self.stop.store(true, Ordering::Relaxed);
        within(self.task).await.unwrap()
    }
}

/// The status of alice's create.
async fn status(envoy: &Envoy) -> u16 {
    let create = request(Method::POST, GROUPS, tagged("test"));
    envoy.send(create).await.status
}

/// Waits until alice's create passes. The example's proxy asks for 0.2 s: a machine may be too busy
/// for that, and nothing tells when it is not.
async fn passes(envoy: &Envoy) {
    let end = Instant::now() + LIMIT;
    while status(envoy).await != 200 {
        assert!(Instant::now() < end, "nothing passes");
    }
}

fn policy(bundle: &Path, effect: &str) {
    let statement = json!({"Effect": effect, "Action": "eci:*", "Resource": "*",
        "Condition": {"StringEquals": {"acs:RequestTag/env": "test"}}});
    let document = json!({"Version": "1", "Statement": [statement]});
    let path = bundle.join("accounts/123456789012/policies/EciEnvTest.json");
    fs::write(path, document.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_policies_takes_effect_in_mid_traffic() {
    let Some(mut mesh) = Mesh::start().await else {
        return;
    };
    let load = Load::start(&mesh.envoy);
    load.passes(3).await;
    policy(mesh.bundle.path(), "Deny");
    mesh.process.said("in force").await;
    assert_eq!(status(&mesh.envoy).await, 403);
    policy(mesh.bundle.path(), "Allow");
    mesh.process.said("in force").await;
    assert_eq!(status(&mesh.envoy).await, 200);
    load.passes(3).await;
    let statuses = load.end().await;
    for (allowed, refused) in &statuses {
        assert!(matches!(allowed, 200 | 403), "{allowed}");
        assert_eq!(*refused, 403);
    }
    let flips = statuses.windows(2).filter(|pair| pair[0].0 != pair[1].0);
    assert_eq!(flips.count(), 2, "{statuses:?}");
    assert_eq!(mesh.envoy.counter("http.eci.ext_authz.error").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_change_with_the_bundle() {
    let Some(mut mesh) = Mesh::start().await else {
        return;
    };
    assert_eq!(status(&mesh.envoy).await, 200);
    let path = mesh.bundle.path().join("routes.json");
    let routes = fs::read_to_string(&path).unwrap();
    // Refused: the routes in force stay.
    fs::write(&path, routes.replace("\"create-group\"", "\"rpc-create\"")).unwrap();
    mesh.process.said("the bundle is refused").await;
    assert_eq!(status(&mesh.envoy).await, 200);
    fs::write(&path, routes.replace("[\"POST\"]", "[\"PATCH\"]")).unwrap();
    mesh.process.said("in force").await;
    assert_eq!(status(&mesh.envoy).await, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_passes_while_the_server_is_away() {
    let Some(program) = program() else { return };
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("mesh.sock");
    let listen = format!("unix:{}", socket.display());
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/eci");
    let arguments = ["--bundle", bundle.to_str().unwrap(), "--listen", &listen];
    let mut process = Process::start(&arguments);
    process.said("in force").await;
    let ((http, seen), (grpc, _)) = (http_upstream().await, grpc_upstream().await);
    let around = Around {
        tagwarden: &socket,
        http,
        grpc,
    };
    let envoy = Envoy::start(&program, &example(), &around).await;
    passes(&envoy).await;
    let load = Load::start(&envoy);
    load.passes(5).await;

    process.signal("TERM");
    assert!(process.ended().await.success());
    let passed = seen.count();
    for _ in 0..20 {
        assert_eq!(status(&envoy).await, 503);
    }
    assert_eq!(
        seen.count(),
        passed,
        "something passed while nobody was asked"
    );

    let mut process = Process::start(&arguments);
    process.said("in force").await;
    passes(&envoy).await;

    // A server that hangs: the proxy's time-out is told as a failure, and never as an answer.
    process.signal("STOP");
    assert_eq!(status(&envoy).await, 503);
    process.signal("CONT");
    passes(&envoy).await;
    load.passes(5).await;

    let statuses = load.end().await;
    let failed = statuses.iter().filter(|pair| pair.0 == 503).count();
    assert!(failed > 1, "{statuses:?}");
    for (allowed, refused) in statuses {
        assert!(matches!(allowed, 200 | 503), "{allowed}");
        assert!(matches!(refused, 403 | 503), "{refused}");
    }
    assert!(envoy.counter("http.eci.ext_authz.error").await > 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_requests_share_connections() {
    let Some(mesh) = Mesh::start().await else {
        return;
    };
    let sender = http2(mesh.envoy.address).await;
    let mut asked = Vec::new();
    for number in 0..200 {
        let (env, status) = if number % 3 == 0 {
            ("prod", 403)
        } else {
            ("test", 200)
        };
        let mut request = request(Method::POST, GROUPS, tagged(env));
        request.headers_mut().remove("host");
        *request.uri_mut() = format!("http://eci.example{GROUPS}").parse().unwrap();
        let mut sender = sender.clone();
        let sent = async move { (sender.send_request(request).await.unwrap().status(), status) };
        asked.push(tokio::spawn(sent));
    }
    for one in asked {
        let (found, expected) = within(one).await.unwrap();
        assert_eq!(found, expected);
    }
}
