//! One Envoy with two listeners: each asks its own server and answers by itself what passes, so that
//! nothing else is measured.

use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// The program; `None`, where it is not installed. In CI it must be.
pub(crate) fn program() -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bin/envoy");
    if own.exists() {
        return Some(own);
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "CI needs Envoy: scripts/tools.sh"
    );
    None
}

/// A running Envoy, killed when it is dropped.
pub(crate) struct Envoy {
    child: Child,
    /// Where its listeners are, in the order of the servers.
    pub(crate) addresses: Vec<String>,
    _folder: tempfile::TempDir,
}

impl Envoy {
    /// Starts it in front of servers, on the core of the load.
    pub(crate) fn start(program: &Path, servers: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let named = servers.iter().enumerate();
        let (listeners, clusters): (Vec<_>, Vec<_>) = named
            .map(|(place, socket)| (listener(place, folder.path()), cluster(place, socket)))
            .unzip();
        let config = serde_json::json!({
            "static_resources": {"listeners": listeners, "clusters": clusters},
        });
        let path = folder.path().join("envoy.json");
        fs::write(&path, config.to_string()).unwrap();
        let child = Command::new(program)
            .args([
                "--disable-hot-restart",
                "--concurrency",
                "1",
                "-l",
                "error",
                "-c",
            ])
            .arg(&path)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let socket = |place: usize| folder.path().join(place.to_string());
        let addresses: Vec<PathBuf> = (0..servers.len()).map(socket).collect();
        let end = Instant::now() + Duration::from_secs(20);
        // It listens some time after its sockets are there.
        let listens = |path: &PathBuf| UnixStream::connect(path).is_ok();
        while !addresses.iter().all(listens) {
            assert!(Instant::now() < end, "Envoy did not start in time");
            std::thread::sleep(Duration::from_millis(20));
        }
        let shown = addresses
            .iter()
            .map(|path| path.to_str().unwrap().to_owned());
        Self {
            child,
            addresses: shown.collect(),
            _folder: folder,
        }
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const TYPES: &str = "type.googleapis.com/envoy.extensions";

/// A listener on a Unix socket. What the example takes from a verified token is given here.
fn listener(place: usize, folder: &Path) -> serde_json::Value {
    let filter = |name: &str, kind: &str, mut config: serde_json::Value| {
        config["@type"] = format!("{TYPES}.{kind}").into();
        serde_json::json!({"name": name, "typed_config": config})
    };
    let claims = filter(
        "envoy.filters.http.set_metadata",
        "filters.http.set_metadata.v3.Config",
        serde_json::json!({"metadata": [{
            "metadata_namespace": "envoy.filters.http.jwt_authn",
            "value": {"jwt_payload": {"sub": "alice"}},
        }]}),
    );
    let check = filter(
        "envoy.filters.http.ext_authz",
        "filters.http.ext_authz.v3.ExtAuthz",
        serde_json::json!({
            "transport_api_version": "V3",
            "grpc_service": {"envoy_grpc": {"cluster_name": place.to_string()}, "timeout": "5s"},
            "encode_raw_headers": true,
            "metadata_context_namespaces": ["envoy.filters.http.jwt_authn"],
        }),
    );
    let router = filter(
        "envoy.filters.http.router",
        "filters.http.router.v3.Router",
        serde_json::json!({}),
    );
    let passed = serde_json::json!({"match": {"prefix": "/"}, "direct_response": {"status": 200}});
    let manager = filter(
        "envoy.filters.network.http_connection_manager",
        "filters.network.http_connection_manager.v3.HttpConnectionManager",
        serde_json::json!({
            "stat_prefix": place.to_string(),
            "codec_type": "HTTP2",
            "route_config": {"virtual_hosts": [
                {"name": "all", "domains": ["*"], "routes": [passed]},
            ]},
            "http_filters": [claims, check, router],
        }),
    );
    let socket = folder.join(place.to_string());
    serde_json::json!({
        "name": place.to_string(),
        "address": {"pipe": {"path": socket}},
        "filter_chains": [{"filters": [manager]}],
    })
}

fn cluster(place: usize, socket: &str) -> serde_json::Value {
    let options = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";
    serde_json::json!({
        "name": place.to_string(),
        "type": "STATIC",
        "connect_timeout": "5s",
        // In an open loop requests pile up for as long as the machine is held up.
        "circuit_breakers": {"thresholds": [{"max_requests": 100_000}]},
        "typed_extension_protocol_options": {options: {
            "@type": format!("type.googleapis.com/{options}"),
            "explicit_http_config": {"http2_protocol_options": {}},
        }},
        "load_assignment": {
            "cluster_name": place.to_string(),
            "endpoints": [{"lb_endpoints": [
                {"endpoint": {"address": {"pipe": {"path": socket}}}},
            ]}],
        },
    })
}
