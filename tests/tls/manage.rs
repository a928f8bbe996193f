//! The management channel over TLS, the commands that use it, and what is told of certificates.

use std::fs::{self, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::admin::{get, value};
use crate::support::certificate::{Authority, Files, Pair, Says, arg, uri};
use crate::support::process::{PROGRAM, Process, files as bundle_files, write};

/// Runs the program to its end: its code, and all that it said.
fn run(arguments: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM).args(arguments).output().unwrap();
    let mut said = String::from_utf8(output.stdout).unwrap();
    said += &String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

/// Who manages in these tests.
const ADMINISTRATORS: [&str; 2] = ["spiffe://d/ops", "token:ops"];

/// Certificates and tokens in a folder, and a bundle to apply.
struct World {
    authority: Authority,
    files: Files,
    bundle: tempfile::TempDir,
}

impl World {
    fn new() -> Self {
        let authority = Authority::new();
        let files = Files::new(&authority.issue(Says::server()), &authority.pem);
        let world = Self {
            authority,
            files,
            bundle: tempfile::tempdir().unwrap(),
        };
        world.client(
            "ops",
            &world
                .authority
                .issue(Says::client(&[uri("spiffe://d/ops")])),
        );
        world.token("token", &"t".repeat(40));
        write(world.bundle.path(), &bundle_files(&[("1", "Allow")]));
        world
    }

    fn client(&self, name: &str, pair: &Pair) {
        self.files.write(&format!("{name}.crt"), &pair.certificate);
        self.files.write(&format!("{name}.key"), &pair.key);
    }

    fn token(&self, name: &str, content: &str) {
        self.files.write(name, content);
        let mode = Permissions::from_mode(0o600);
        fs::set_permissions(self.files.path(name), mode).unwrap();
    }

    /// A server whose management channel has TLS.
    async fn start(&self, more: &[&str]) -> (Process, String) {
        let (certificate, key) = (self.files.arg("tls.crt"), self.files.arg("tls.key"));
        let mut arguments = vec!["--manage", "127.0.0.1:0,tls"];
        arguments.extend(["--manage-tls-cert", &certificate, "--manage-tls-key", &key]);
        for peer in ADMINISTRATORS {
            arguments.extend(["--administrator", peer]);
        }
        arguments.extend(more);
        let mut process = Process::start(&arguments);
        let line = process.said("listening for management").await;
        let address = line["address"].as_str().unwrap();
        let address = address.strip_suffix(",tls").unwrap();
        (process, format!("https://{address}"))
    }

    /// Applies the bundle as a dry run, with further arguments.
    fn apply(&self, address: &str, more: &[&str]) -> (Option<i32>, String) {
        let (bundle, ca) = (arg(self.bundle.path()), self.files.arg("ca.pem"));
        let mut arguments = vec!["apply", &bundle, "--dry-run", "--manage", address];
        arguments.extend(["--tls-ca", &ca]);
        arguments.extend(more);
        run(&arguments)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_manages_over_tls_shows_a_certificate() {
    let world = World::new();
    let ca = world.files.arg("ca.pem");
    let listed = [
        "--manage-tls-client-ca",
        &ca,
        "--manage-tls-spiffe",
        "spiffe://d/ops",
    ];
    let (_process, address) = world.start(&listed).await;
    let (certificate, key) = (world.files.arg("ops.crt"), world.files.arg("ops.key"));
    let shown = ["--tls-cert", &certificate, "--tls-key", &key];
    let (code, said) = world.apply(&address, &shown);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("valid: 0 errors"), "{said}");
    // Without one there is no connection.
    let (code, said) = world.apply(&address, &[]);
    assert!(matches!(code, Some(1 | 6)), "{code:?} {said}");
    // A token is not taken beside it where there are none.
    let token = world.files.arg("token");
    let both = [
        "--tls-cert",
        &certificate,
        "--tls-key",
        &key,
        "--token-file",
        &token,
    ];
    let (code, said) = world.apply(&address, &both);
    assert_eq!(code, Some(1), "{said}");
    let other = world
        .authority
        .issue(Says::client(&[uri("spiffe://d/dev")]));
    world.client("ops", &other);
    let (code, said) = world.apply(&address, &shown);
    assert!(matches!(code, Some(1 | 6)), "{code:?} {said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_manages_over_tls_sends_a_token_that_may_change() {
    let world = World::new();
    let token = world.files.arg("token");
    let named = format!("ops={token}");
    let arguments = ["--manage-token-file", &named, "--poll", "1"];
    let (mut process, address) = world.start(&arguments).await;
    let (code, said) = world.apply(&address, &["--token-file", &token]);
    assert_eq!(code, Some(0), "{said}");
    let refused = |token: &[&str]| {
        let (code, said) = world.apply(&address, token);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains("may manage"), "{said}");
    };
    refused(&[]);
    process.said("a management call is refused").await;
    world.token("wrong", &"w".repeat(40));
    let wrong = world.files.arg("wrong");
    refused(&["--token-file", &wrong]);
    // Both are tried again: the old one is over, and the new one counts.
    fs::rename(world.files.path("token"), world.files.path("old")).unwrap();
    world.token("token.new", &"n".repeat(40));
    fs::rename(world.files.path("token.new"), world.files.path("token")).unwrap();
    let line = process.said("put into force").await;
    assert_eq!(line["what"], "tokens");
    let (code, said) = world.apply(&address, &["--token-file", &token]);
    assert_eq!(code, Some(0), "{said}");
    let old = world.files.arg("old");
    refused(&["--token-file", &old]);
    // One that is open to others is refused, and the former stays.
    let open = Permissions::from_mode(0o644);
    fs::set_permissions(world.files.path("token"), open).unwrap();
    let line = process.said("refused, the former stay in force").await;
    assert!(
        line["error"].as_str().unwrap().contains("mode is 0644"),
        "{line}"
    );
    world.token("copy", &"n".repeat(40));
    let copy = world.files.arg("copy");
    let (code, said) = world.apply(&address, &["--token-file", &copy]);
    assert_eq!(code, Some(0), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_are_both_one_of_them_is_enough() {
    let world = World::new();
    let (ca, token) = (world.files.arg("ca.pem"), world.files.arg("token"));
    let named = format!("ops={token}");
    let both = ["--manage-tls-client-ca", &ca, "--manage-token-file", &named];
    let (_process, address) = world.start(&both).await;
    let (certificate, key) = (world.files.arg("ops.crt"), world.files.arg("ops.key"));
    let shown = ["--tls-cert", &certificate, "--tls-key", &key];
    assert_eq!(world.apply(&address, &shown).0, Some(0));
    assert_eq!(world.apply(&address, &["--token-file", &token]).0, Some(0));
    assert_eq!(world.apply(&address, &[]).0, Some(1));
}

#[test]
fn secrets_are_sent_over_tls_only() {
    let world = World::new();
    let token = world.files.arg("token");
    for address in ["127.0.0.1:1", "unix:/nowhere"] {
        let (code, said) = run(&["healthcheck", address, "--token-file", &token]);
        assert_eq!(code, Some(6), "{said}");
        assert!(said.contains("are for `https://` addresses"), "{said}");
    }
    let (code, said) = run(&["healthcheck", "https://127.0.0.1:1"]);
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("needs --tls-ca"), "{said}");
}

/// A server with a data address of TLS and one without.
struct Data {
    process: Process,
    admin: SocketAddr,
    secured: String,
    plain: String,
}

impl World {
    /// Data addresses, for which clients need certificates.
    async fn data(&self) -> Data {
        let (certificate, key) = (self.files.arg("tls.crt"), self.files.arg("tls.key"));
        let (ca, bundle) = (self.files.arg("ca.pem"), arg(self.bundle.path()));
        let mut arguments = vec!["--listen", "127.0.0.1:0,tls", "--listen", "127.0.0.1:0"];
        arguments.extend(["--tls-cert", &certificate, "--tls-key", &key]);
        arguments.extend(["--tls-client-ca", &ca, "--bundle", &bundle]);
        let mut process = Process::start(&arguments);
        let (mut secured, mut plain) = (None, None);
        while secured.is_none() || plain.is_none() {
            let line = process.said("listening").await;
            let address = line["address"].as_str().unwrap();
            match address.strip_suffix(",tls") {
                Some(address) => secured = Some(address.to_owned()),
                None if address.starts_with("unix:") => {}
                None => plain = Some(address.to_owned()),
            }
        }
        let admin = process.admin().await;
        process.said("in force").await;
        Data {
            process,
            admin,
            secured: secured.unwrap(),
            plain: plain.unwrap(),
        }
    }

    /// Runs a command that shows the certificate of `ops`.
    fn as_ops(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let (ca, own) = (self.files.arg("ca.pem"), self.files.arg("ops.crt"));
        let key = self.files.arg("ops.key");
        let tls = ["--tls-ca", &ca, "--tls-cert", &own, "--tls-key", &key];
        run(&[arguments, &tls].concat())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_ask_over_tls_and_mixed_up_addresses_are_told() {
    let world = World::new();
    let callers = r#"{"callers": [{"name": "ops", "peers": [{"spiffe": "spiffe://d/ops"}],
        "rpcs": ["Authorize"], "act_for": ["acs:ram::1:*"]}]}"#;
    let file = ("callers.json".to_owned(), callers.to_owned());
    write(world.bundle.path(), &[file]);
    let mut data = world.data().await;
    let server = format!("https://{}", data.secured);
    let health = world.as_ops(&["healthcheck", &server]);
    assert_eq!(health, (Some(0), "SERVING\n".to_owned()));
    let mut question = vec!["authorize", "--server", &server];
    question.extend(["--principal", "acs:ram::1:user/alice"]);
    question.extend(["--action", "ecs:StartInstance"]);
    question.extend(["--resource", "acs:ecs:cn-hangzhou:1:instance/i-1"]);
    let (code, said) = world.as_ops(&question);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("ALLOW"), "{said}");
    let other = world
        .authority
        .issue(Says::client(&[uri("spiffe://d/dev")]));
    world.client("ops", &other);
    let (_, said) = world.as_ops(&question);
    assert!(said.contains("CALLER_NOT_ALLOWED"), "{said}");

    assert_eq!(run(&["healthcheck", &data.secured]).0, Some(6));
    let line = data.process.said("connection refused").await;
    let expected = "the peer speaks HTTP/2 without TLS on an address for TLS";
    assert_eq!(line["fault"], expected);
    let (code, _) = world.as_ops(&["healthcheck", &format!("https://{}", data.plain)]);
    assert_eq!(code, Some(6));
    let line = data.process.said("connection refused").await;
    let expected = "the peer speaks TLS on an address without it";
    assert_eq!(line["fault"], expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn certificates_are_told_by_probes_and_metrics() {
    let world = World::new();
    let mut data = world.data().await;
    let server = format!("https://{}", data.secured);
    assert_eq!(world.as_ops(&["healthcheck", &server]).0, Some(0));
    assert_eq!(run(&["healthcheck", &data.secured]).0, Some(6));
    data.process.said("connection refused").await;
    let (_, metrics) = get(data.admin, "/metrics").await;
    let told = |name: &str, labels: &str| {
        let name = format!(r#"tagwarden_tls_{name}{{listeners="data",{labels}}}"#);
        value(&metrics, &name).parse::<i64>().unwrap()
    };
    let handshakes = |outcome: &str| told("handshakes_total", &format!(r#"outcome="{outcome}""#));
    assert_eq!(handshakes("done"), 1);
    // A client may try a connection that failed once more.
    assert!(handshakes("not_tls") >= 1);
    let not_after = |part: &str| {
        let labels = format!(r#"part="{part}",number="0""#);
        told("certificate_not_after_timestamp_seconds", &labels)
    };
    let (day, now) = (24 * 60 * 60, jiff::Timestamp::now().as_second());
    let left = not_after("server") - now;
    assert!((day - 600..=day).contains(&left), "{left}");
    assert!(not_after("client_ca") > now + 365 * day);

    world.files.write("tls.key", "no PEM");
    let line = data.process.said("refused, the former stay in force").await;
    let error = line["error"].as_str().unwrap();
    assert!(error.contains("private key"), "{line}");
    let (code, said) = get(data.admin, "/readyz").await;
    assert_eq!(code, 200);
    let expected = "certificates of data: newer ones refused since";
    assert!(said.contains(expected), "{said}");
    let (_, metrics) = get(data.admin, "/metrics").await;
    let told = |name: &str| value(&metrics, name).parse::<f64>().unwrap();
    let labels = r#"{listeners="data",what="certificates",outcome="refused"}"#;
    assert!(told(&format!("tagwarden_tls_reloads_total{labels}")) >= 1.0);
    let labels = r#"{listeners="data",what="certificates"}"#;
    assert!(told(&format!("tagwarden_tls_stale_seconds{labels}")) > 0.0);
    assert_eq!(world.as_ops(&["healthcheck", &server]).0, Some(0));
}
