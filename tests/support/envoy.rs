//! A real Envoy, upstreams behind it, and clients in front.

use std::fs;
use std::io::{BufRead as _, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use sha2::Sha256;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::server::within;

/// The program; `None`, with a notice, where it is not installed. In CI it must be.
pub(crate) fn program() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bin/envoy");
    if own.exists() {
        return Some(own);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "CI needs Envoy: scripts/tools.sh"
    );
    eprintln!("skipped: no Envoy; scripts/tools.sh installs it");
    None
}

/// A running Envoy, killed when it is dropped.
pub(crate) struct Envoy {
    child: Child,
    pub(crate) address: SocketAddr,
    admin: SocketAddr,
    /// Its access log.
    log: watch::Receiver<Vec<String>>,
    _folder: tempfile::TempDir,
}

/// Where Envoy finds the others.
pub(crate) struct Around<'a> {
    /// The socket of the server under test.
    pub(crate) tagwarden: &'a Path,
    pub(crate) http: SocketAddr,
    pub(crate) grpc: SocketAddr,
}

/// The configuration that users start from.
pub(crate) fn example() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join("examples/eci-mesh/envoy.yaml")).unwrap()
}

/// The same with a time-out that no busy machine exceeds.
pub(crate) fn patient() -> String {
    let example = example();
    assert!(example.contains("timeout: 0.2s"));
    example.replace("timeout: 0.2s", "timeout: 10s")
}

impl Envoy {
    /// Starts the example's Envoy between others.
    pub(crate) async fn start(program: &Path, config: &str, around: &Around<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let keys = root.join("examples/eci-mesh/jwks.json");
        let config = [
            ("port_value: 8080", "port_value: 0".to_owned()),
            ("port_value: 9901", "port_value: 0".to_owned()),
            (
                "port_value: 8081",
                format!("port_value: {}", around.http.port()),
            ),
            (
                "port_value: 8082",
                format!("port_value: {}", around.grpc.port()),
            ),
            (
                "/run/tagwarden/data.sock",
                around.tagwarden.display().to_string(),
            ),
            (
                "filename: jwks.json",
                format!("filename: {}", keys.display()),
            ),
        ]
        .iter()
        .fold(config.to_owned(), |config, (from, to)| {
            assert!(config.contains(from), "{from}");
            config.replace(from, to)
        });
        let path = folder.path().join("envoy.yaml");
        fs::write(&path, config).unwrap();
        let told = folder.path().join("admin");
        let mut child = Command::new(program)
            .args(["--disable-hot-restart", "--concurrency", "1"])
            .args(["-l", "warning", "--component-log-level", "config:info"])
            .args(["--file-flush-interval-msec", "50"])
            .arg("-c")
            .arg(&path)
            .arg("--admin-address-path")
            .arg(&told)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = lines(child.stdout.take().unwrap());
        let mut said = lines(child.stderr.take().unwrap());
        let mut envoy = Self {
            child,
            address: ([127, 0, 0, 1], 0).into(),
            admin: ([127, 0, 0, 1], 0).into(),
            log,
            _folder: folder,
        };
        let serves = |said: &Vec<String>| said.iter().any(|line| line.contains(STARTED));
        let started = within(said.wait_for(serves)).await.map(|_| ());
        assert!(started.is_ok(), "Envoy ended: {:#?}", said.borrow());
        envoy.admin = fs::read_to_string(&told).unwrap().trim().parse().unwrap();
        let listeners = envoy.asked("/listeners?format=json").await.unwrap();
        let listeners: serde_json::Value = serde_json::from_str(&listeners).unwrap();
        let bound = &listeners["listener_statuses"][0]["local_address"]["socket_address"];
        let port = bound["port_value"].as_u64().unwrap();
        envoy.address.set_port(port.try_into().unwrap());
        envoy
    }

    /// What its own interface tells.
    pub(crate) async fn asked(&self, path: &str) -> Option<String> {
        let request = Request::get(path)
            .header("host", "admin")
            .body(Full::default());
        let stream = connected(self.admin).await?;
        let answer = exchange(stream, request.unwrap()).await?;
        Some(answer.text())
    }

    /// One of its counters.
    pub(crate) async fn counter(&self, name: &str) -> u64 {
        let told = self.asked("/stats?usedonly").await.unwrap();
        let lines = told.lines().filter_map(|line| line.split_once(": "));
        let mut found = lines.filter(|(known, _)| *known == name);
        found.next().map_or(0, |(_, value)| value.parse().unwrap())
    }

    /// Sends one request over HTTP/1.1, on a connection of its own.
    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let stream = within(connected(self.address)).await.unwrap();
        within(exchange(stream, request)).await.expect("no answer")
    }

    /// The first line of its access log that holds `text`, once it is written.
    pub(crate) async fn logged(&self, text: &str) -> serde_json::Value {
        let mut log = self.log.clone();
        let is_there = |log: &Vec<String>| log.iter().any(|line| line.contains(text));
        let log = within(log.wait_for(is_there)).await.unwrap();
        let line = log.iter().find(|line| line.contains(text)).unwrap();
        serde_json::from_str(line).unwrap()
    }
}

/// What Envoy says when its listeners take connections.
const STARTED: &str = "starting workers";

/// The lines that come out of a pipe, as they come.
fn lines(pipe: impl Read + Send + 'static) -> watch::Receiver<Vec<String>> {
    let (sender, lines) = watch::channel(Vec::new());
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            sender.send_modify(|lines| lines.push(line));
        }
    });
    lines
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) trailers: HeaderMap,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// A status of gRPC: in the trailers, or in the headers where there are none.
    pub(crate) fn grpc_status(&self) -> Option<u16> {
        let value = self.trailers.get("grpc-status");
        let value = value.or_else(|| self.headers.get("grpc-status"))?;
        value.to_str().unwrap().parse().ok()
    }
}

/// A connection on which small writes are sent at once.
async fn connected(address: SocketAddr) -> Option<TcpStream> {
    let stream = TcpStream::connect(address).await.ok()?;
    stream.set_nodelay(true).ok()?;
    Some(stream)
}

async fn exchange(stream: TcpStream, request: Request<Full<Bytes>>) -> Option<Answer> {
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
    let (mut sender, connection) = handshake.await.ok()?;
    tokio::spawn(connection);
    read(sender.send_request(request).await.ok()?).await
}

/// Reads an answer to its end.
pub(crate) async fn read(response: Response<Incoming>) -> Option<Answer> {
    let (head, body) = response.into_parts();
    let body = body.collect().await.ok()?;
    let trailers = body.trailers().cloned().unwrap_or_default();
    Some(Answer {
        status: head.status.as_u16(),
        headers: head.headers,
        body: body.to_bytes(),
        trailers,
    })
}

/// A connection over HTTP/2.
pub(crate) async fn http2(
    address: SocketAddr,
) -> hyper::client::conn::http2::SendRequest<Full<Bytes>> {
    let stream = within(connected(address)).await.unwrap();
    let executor = TokioExecutor::new();
    let handshake = hyper::client::conn::http2::handshake(executor, TokioIo::new(stream));
    let (sender, connection) = within(handshake).await.unwrap();
    tokio::spawn(connection);
    sender
}

/// The requests that came to an upstream: heads and bodies.
#[derive(Debug, Default, Clone)]
pub(crate) struct Seen(Arc<Mutex<Vec<(http::request::Parts, Bytes)>>>);

impl Seen {
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// The last one.
    pub(crate) fn last(&self) -> (http::request::Parts, Bytes) {
        self.0
            .lock()
            .unwrap()
            .last()
            .cloned()
            .expect("nothing came")
    }
}

/// An upstream that speaks HTTP/1.1 and answers `{"upstream": true}`.
pub(crate) async fn http_upstream() -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Seen::default());
    let kept = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let seen = kept.clone();
            let service = service_fn(move |request| answer(request, seen.clone()));
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    (address, seen)
}

async fn answer(
    request: Request<Incoming>,
    seen: Seen,
) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    seen.0.lock().unwrap().push((head, body));
    let body = Full::from(r#"{"upstream": true}"#);
    let answer = Response::builder().header("content-type", "application/json");
    Ok(answer.body(body).unwrap())
}

/// An upstream that speaks gRPC and answers every call with an empty message.
pub(crate) async fn grpc_upstream() -> (SocketAddr, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Seen::default());
    let kept = seen.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            stream.set_nodelay(true).unwrap();
            let seen = kept.clone();
            let service = service_fn(move |request| call(request, seen.clone()));
            let server = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    });
    (address, seen)
}

async fn call(
    request: Request<Incoming>,
    seen: Seen,
) -> Result<Response<tonic::body::Body>, hyper::Error> {
    let (head, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    seen.0.lock().unwrap().push((head, body));
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    let message = Full::new(Bytes::from_static(&[0; 5]));
    let body = message.with_trailers(async move { Some(Ok(trailers)) });
    let answer = Response::builder().header("content-type", "application/grpc");
    Ok(answer.body(tonic::body::Body::new(body)).unwrap())
}

/// A token of the example's issuer.
pub(crate) fn token(subject: &str) -> String {
    let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let head = encode(serde_json::json!({"alg": "HS256", "kid": "example", "typ": "JWT"}));
    let claims = encode(serde_json::json!({
        "iss": "https://login.example", "aud": "eci", "sub": subject, "exp": 4_102_444_800_u64,
    }));
    let signed = format!("{head}.{claims}");
    let key = b"an example key, known to everybody";
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(signed.as_bytes());
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}
