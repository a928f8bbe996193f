//! Metrics and probes over HTTP, before a bundle, with one, and while the server drains.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;

use tagwarden::wire::v1;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::process::{Process, files, may, write};
use crate::support::server::{authorize_head, empty_message, within};

/// Sends a head, and reads the whole answer.
async fn ask(address: SocketAddr, head: &str) -> String {
    let mut stream = within(TcpStream::connect(address)).await.unwrap();
    let head = format!("{head}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within(stream.read_to_string(&mut answer)).await.unwrap();
    answer
}

pub(crate) async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let answer = ask(address, &format!("GET {path} HTTP/1.1\r\nHost: localhost")).await;
    let code = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    (code, body)
}

/// The value of a metric, as it is written.
pub(crate) fn value<'m>(metrics: &'m str, name: &str) -> &'m str {
    let mut lines = metrics.lines();
    let value = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("{name}:\n{metrics}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_tell_what_the_server_is_ready_for() {
    let mut process = Process::start(&[]);
    let admin = process.admin().await;
    assert_eq!(get(admin, "/livez").await.0, 200);
    let (code, said) = get(admin, "/readyz").await;
    assert_eq!(code, 503);
    assert!(said.contains("no policies are loaded yet"), "{said}");
    let (_, metrics) = get(admin, "/metrics").await;
    assert!(!metrics.contains("tagwarden_snapshot_info{"), "{metrics}");
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
}

/// A server with a call under way: what is missing of it is to be sent.
async fn with_open_call(directory: &Path, drain: &str) -> (Process, SocketAddr, Held) {
    write(directory, &files(&[("1", "Allow")]));
    let directory = directory.to_str().unwrap();
    let mut process = Process::start(&["--bundle", directory, "--drain", drain]);
    let admin = process.admin().await;
    process.said("in force").await;
    let mut sender = process.driven().await;
    let (answer, mut body) = sender.send_request(authorize_head(), false).unwrap();
    body.send_data(empty_message().slice(..2), false).unwrap();
    // The server has seen the call when it answers one that came after it.
    let (seen, _) = within(sender.clone().ready())
        .await
        .unwrap()
        .send_request(authorize_head(), true)
        .unwrap();
    within(seen).await.unwrap();
    (process, admin, Held { answer, body })
}

/// A call that holds the drain.
struct Held {
    answer: h2::client::ResponseFuture,
    body: h2::SendStream<bytes::Bytes>,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draining_server_is_live_and_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    let (mut process, admin, held) = with_open_call(folder.path(), "3600").await;
    let ready = (200, "ready: revision 1\n".to_owned());
    assert_eq!(get(admin, "/readyz").await, ready);
    process.signal("TERM");
    process.said("stopping").await;
    let draining = (503, "not ready: draining\n".to_owned());
    assert_eq!(get(admin, "/readyz").await, draining);
    assert_eq!(get(admin, "/livez").await.0, 200);
    assert_eq!(get(admin, "/metrics").await.0, 200);
    let Held { answer, mut body } = held;
    body.send_data(empty_message().slice(2..), true).unwrap();
    let answered = within(answer).await.unwrap();
    assert_eq!(answered.headers()["grpc-status"], "3");
    assert_eq!(process.ended().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_the_process_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut process, _, held) = with_open_call(folder.path(), "3600").await;
    process.signal("TERM");
    process.said("stopping").await;
    process.signal("TERM");
    let line = process.said("connections were cut").await;
    assert_eq!(line["connections"], 1, "{line}");
    assert!(within(held.answer).await.is_err());
    assert_eq!(process.ended().await.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_decisions_and_bundles() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &files(&[("1", "Allow"), ("2", "Deny")]));
    let directory = folder.path().to_str().unwrap();
    let mut process = Process::start(&["--bundle", directory]);
    let admin = process.admin().await;
    process.said("in force").await;
    let mut client = process.client().await;
    for _ in 0..3 {
        may(&mut client, "1", "1").await.unwrap();
    }
    may(&mut client, "2", "2").await.unwrap();
    may(&mut client, "2", "*").await.unwrap_err();
    let (code, metrics) = get(admin, "/metrics").await;
    assert_eq!(code, 200);
    for (name, expected) in [
        (r#"decisions_total{api="Authorize",effect="allow"}"#, "3"),
        (r#"decisions_total{api="Authorize",effect="deny"}"#, "1"),
        (r#"decisions_total{api="Authorize",effect="error"}"#, "1"),
        (
            r#"decisions_total{api="BatchAuthorize",effect="allow"}"#,
            "0",
        ),
        ("decision_duration_seconds_count", "5"),
        (r#"decision_duration_seconds_bucket{le="+Inf"}"#, "5"),
        (r#"reloads_total{outcome="published"}"#, "1"),
        (r#"reloads_total{outcome="refused"}"#, "0"),
        ("compile_duration_seconds_count", "1"),
        ("stale_accounts", "0"),
        ("snapshot_stale_seconds", "0.0"),
        ("ignored_sent_values_total", "0"),
        ("open_connections", "1"),
    ] {
        assert_eq!(
            value(&metrics, &format!("tagwarden_{name}")),
            expected,
            "{name}"
        );
    }
    let activated = value(&metrics, "tagwarden_snapshot_activated_timestamp_seconds");
    assert!(activated.parse::<f64>().unwrap() > 1e9, "{activated}");
    assert!(metrics.contains(r#"tagwarden_snapshot_info{revision="1",source=""#));
    assert!(metrics.contains(r#"tagwarden_build_info{version=""#));

    // One account is bad, and then the bundle.
    fs::write(folder.path().join("accounts/2/account.json"), "{").unwrap();
    process.said("in force").await;
    fs::write(folder.path().join("bundle.json"), "{").unwrap();
    process.said("the bundle is refused").await;
    let (_, metrics) = get(admin, "/metrics").await;
    assert_eq!(value(&metrics, "tagwarden_stale_accounts"), "1");
    assert_eq!(
        value(&metrics, r#"tagwarden_reloads_total{outcome="refused"}"#),
        "1"
    );
    let (code, said) = get(admin, "/readyz").await;
    assert_eq!(code, 200, "{said}");
    for told in ["refused at ", "stale since ", "account 2: stale, 1 error"] {
        assert!(said.contains(told), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_count_verdicts_on_tags() {
    let bundle = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/tag-governance");
    let mut process = Process::start(&["--bundle", bundle]);
    let admin = process.admin().await;
    process.said("in force").await;
    let mut client = process.tagging().await;
    let create = |key: &str, value: &str| v1::ValidateTaggingRequest {
        resource: Some(v1::Resource {
            arn: "acs:ecs:cn-hangzhou:200000000002:instance/*".to_owned(),
            ..v1::Resource::default()
        }),
        operation: v1::TaggingOperation::Create.into(),
        tag_write: Some(v1::TagWrite {
            set: Some(v1::TagSet {
                tags: [(key, value), ("project", "P1234")]
                    .map(|(key, value)| v1::Tag {
                        key: key.to_owned(),
                        value: value.to_owned(),
                    })
                    .into(),
            }),
            ..v1::TagWrite::default()
        }),
        ..v1::ValidateTaggingRequest::default()
    };
    let right = create("CostCenter", "Beijing");
    let wrong = create("CostCenter", "beijing");
    client.validate_tagging(right.clone()).await.unwrap();
    client.validate_tagging(wrong.clone()).await.unwrap();
    let nothing = v1::ValidateTaggingRequest::default();
    client.validate_tagging(nothing.clone()).await.unwrap_err();
    let requests = vec![right, wrong, nothing];
    let batch = v1::BatchValidateTaggingRequest { requests };
    client.batch_validate_tagging(batch).await.unwrap();
    let both = v1::AuthorizeTaggingRequest {
        request: Some(v1::AuthorizeRequest {
            principal: "acs:ram::200000000002:user/alice".to_owned(),
            action: "ecs:RunInstances".to_owned(),
            resources: vec![v1::Resource {
                arn: "acs:ecs:cn-hangzhou:200000000002:instance/*".to_owned(),
                ..v1::Resource::default()
            }],
            ..v1::AuthorizeRequest::default()
        }),
    };
    client.authorize_tagging(both).await.unwrap();
    let (_, metrics) = get(admin, "/metrics").await;
    for (labels, expected) in [
        (r#"api="ValidateTagging",outcome="compliant""#, "1"),
        (r#"api="ValidateTagging",outcome="reported""#, "0"),
        (r#"api="ValidateTagging",outcome="intercepted""#, "1"),
        (r#"api="ValidateTagging",outcome="error""#, "1"),
        (r#"api="BatchValidateTagging",outcome="compliant""#, "1"),
        (r#"api="BatchValidateTagging",outcome="intercepted""#, "1"),
        (r#"api="BatchValidateTagging",outcome="error""#, "1"),
        (r#"api="AuthorizeTagging",outcome="intercepted""#, "1"),
    ] {
        let name = format!("tagwarden_tag_verdicts_total{{{labels}}}");
        assert_eq!(value(&metrics, &name), expected, "{labels}");
    }
    let timed = value(&metrics, "tagwarden_tag_verdict_duration_seconds_count");
    assert_eq!(timed, "6");
    let decided = r#"tagwarden_decisions_total{api="AuthorizeTagging",effect="deny"}"#;
    assert_eq!(value(&metrics, decided), "1");
    assert!(!metrics.contains(r#"decisions_total{api="ValidateTagging""#));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_listed_hosts_are_answered() {
    let mut process = Process::start(&["--admin-host", "metrics.example"]);
    let admin = process.admin().await;
    let own = format!("127.0.0.1:{}", admin.port());
    for (host, code) in [
        ("Host: localhost:1", "200"),
        ("Host: LocalHost", "200"),
        (&*format!("Host: {own}"), "200"),
        ("Host: [::1]:4771", "200"),
        ("Host: Metrics.Example:80", "200"),
        ("Host: evil.example", "421"),
        ("Host: localhost.evil.example", "421"),
        ("Host: 10.0.0.1", "421"),
        ("Host:", "421"),
        ("Host: localhost\r\nHost: evil.example", "400"),
        ("X: y", "400"),
    ] {
        let origin = "Origin: http://evil.example";
        let answer = ask(admin, &format!("GET /livez HTTP/1.1\r\n{host}\r\n{origin}")).await;
        assert_eq!(answer.split(' ').nth(1), Some(code), "{host}: {answer}");
        assert!(
            !answer.to_lowercase().contains("access-control"),
            "{answer}"
        );
    }
    for (head, code) in [
        ("POST /livez HTTP/1.1", "405"),
        ("GET / HTTP/1.1", "404"),
        ("HEAD /livez HTTP/1.1", "200"),
        ("GET http://evil.example/livez HTTP/1.1", "421"),
    ] {
        let answer = ask(admin, &format!("{head}\r\nHost: localhost")).await;
        assert_eq!(answer.split(' ').nth(1), Some(code), "{head}: {answer}");
    }
}
