//! Traffic that goes on while policies change and while the server stops, hangs and comes back.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::{Method, Uri};
use serde_json::json;
use tokio::task::JoinHandle;

use super::eci::{GROUPS, Mesh, request, tagged};
use crate::support::envoy::{Around, Envoy, example, grpc_upstream, http_upstream, http2, program};
use crate::support::process::Process;
use crate::support::server::{LIMIT, within};

/// Requests of alice, one after the other on one connection over HTTP/2, until they are told to end:
/// one that is allowed, one that is not.
struct Load {
    stop: Arc<AtomicBool>,
    passed: Arc<AtomicUsize>,
    task: JoinHandle<Vec<(u16, u16)>>,
}

impl Load {
    fn start(envoy: &Envoy) -> Self {
        let (stop, address) = (Arc::new(AtomicBool::new(false)), envoy.address);
        let passed = Arc::new(AtomicUsize::new(0));
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&passed));
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
                counted.fetch_add(usize::from(pair[0] == 200), Ordering::Relaxed);
                statuses.push(pair.into());
            }
            statuses
        });
        Self { stop, passed, task }
    }

    /// Waits until so many more requests have passed.
    async fn passes(&self, more: usize) {
        let (before, end) = (self.passed.load(Ordering::Relaxed), Instant::now() + LIMIT);
        while self.passed.load(Ordering::Relaxed) < before + more {
            assert!(Instant::now() < end, "too few requests pass");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    async fn end(self) -> Vec<(u16, u16)> {
        self.stop.store(true, Ordering::Relaxed);
        within(self.task).await.unwrap()
    }
}

/// Waits until alice's create has a status.
async fn becomes(envoy: &Envoy, status: u16) {
    let end = Instant::now() + LIMIT;
    loop {
        let answer = envoy
            .send(request(Method::POST, GROUPS, tagged("test")))
            .await;
        if answer.status == status {
            return;
        }
        assert!(Instant::now() < end, "still {}", answer.status);
        tokio::time::sleep(Duration::from_millis(10)).await;
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
    let Some(mesh) = Mesh::start().await else {
        return;
    };
    let load = Load::start(&mesh.envoy);
    becomes(&mesh.envoy, 200).await;
    load.passes(3).await;
    policy(mesh.bundle.path(), "Deny");
    becomes(&mesh.envoy, 403).await;
    policy(mesh.bundle.path(), "Allow");
    becomes(&mesh.envoy, 200).await;
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
    let Some(mesh) = Mesh::start().await else {
        return;
    };
    becomes(&mesh.envoy, 200).await;
    let path = mesh.bundle.path().join("routes.json");
    let routes = fs::read_to_string(&path).unwrap();
    // Refused: the routes in force stay.
    fs::write(&path, routes.replace("\"create-group\"", "\"rpc-create\"")).unwrap();
    let mut process = mesh.process;
    process.said("the bundle is refused").await;
    becomes(&mesh.envoy, 200).await;
    fs::write(&path, routes.replace("[\"POST\"]", "[\"PATCH\"]")).unwrap();
    becomes(&mesh.envoy, 403).await;
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
    becomes(&envoy, 200).await;
    let load = Load::start(&envoy);
    load.passes(5).await;

    process.signal("TERM");
    assert!(process.ended().await.success());
    becomes(&envoy, 503).await;
    let passed = seen.count();
    for _ in 0..20 {
        let answer = envoy
            .send(request(Method::POST, GROUPS, tagged("test")))
            .await;
        assert_eq!(answer.status, 503);
    }
    assert_eq!(
        seen.count(),
        passed,
        "something passed while nobody was asked"
    );

    let mut process = Process::start(&arguments);
    process.said("in force").await;
    becomes(&envoy, 200).await;

    // A server that hangs: the proxy's time-out is told as a failure, and never as an answer.
    process.signal("STOP");
    let hanging = envoy
        .send(request(Method::POST, GROUPS, tagged("test")))
        .await;
    assert_eq!(hanging.status, 503);
    process.signal("CONT");
    becomes(&envoy, 200).await;
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
