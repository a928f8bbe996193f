//! Policies that are older than what their source holds: told by health, probes, metrics and the
//! management channel, and under `on_stale` = `deny` not decided by any more.

use std::fs;
use std::path::Path;

use tagwarden::service::BUNDLE_HEALTH;
use tagwarden::wire::status::reason_of;
use tagwarden::wire::v1;
use tokio_stream::StreamExt as _;
use tonic::{Code, Streaming};
use tonic_health::pb::HealthCheckResponse;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_types::StatusExt as _;

use crate::admin::{get, value};
use crate::support::process::{Process, account_files, files, may, write};
use crate::support::server::within;

const DENYING: &str = r#"{"format": 1, "settings": {"on_stale": "deny", "max_staleness": 1}}"#;
/// In the order in which their health is told.
const SERVICES: [&str; 4] = [
    "",
    "tagwarden.v1.AuthorizationService",
    "tagwarden.v1.TaggingService",
    "envoy.service.auth.v3.Authorization",
];

/// A bundle of two accounts whose `bundle.json` says something of staleness.
fn bundle(folder: &Path, settings: &str) {
    write(folder, &files(&[("1", "Allow"), ("2", "Allow")]));
    fs::write(folder.join("bundle.json"), settings).unwrap();
}

/// Waits until a health is told.
async fn becomes(watched: &mut Streaming<HealthCheckResponse>, status: ServingStatus) {
    while within(watched.next()).await.unwrap().unwrap().status() != status {}
}

async fn check_services(process: &Process, status: ServingStatus) {
    for service in SERVICES {
        assert_eq!(process.health(service).await, status, "{service}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_told_in_health_log_metrics_and_probes_and_changes_no_decision() {
    let folder = tempfile::tempdir().unwrap();
    bundle(folder.path(), r#"{"format": 1}"#);
    let directory = folder.path().to_str().unwrap();
    let mut process = Process::start(&["--bundle", directory]);
    let admin = process.admin().await;
    process.said("in force").await;
    let mut newest = process.watch_health(BUNDLE_HEALTH).await;
    becomes(&mut newest, ServingStatus::Serving).await;

    fs::write(folder.path().join("bundle.json"), "{\n \"format\": 9}").unwrap();
    let line = process.said("the bundle is refused").await;
    assert_eq!(line["errors"], 1, "{line}");
    becomes(&mut newest, ServingStatus::NotServing).await;
    // Whoever balances calls sees no difference.
    check_services(&process, ServingStatus::Serving).await;
    let mut client = process.client().await;
    assert!(may(&mut client, "1", "1").await.unwrap());
    let (code, said) = get(admin, "/readyz").await;
    assert_eq!(code, 200, "{said}");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines.len(), 4, "{said}");
    assert_eq!(lines[0], "ready: revision 1");
    assert!(lines[1].starts_with("refused at ") && lines[1].ends_with(": 1 error"));
    assert_eq!(lines[2], "  bundle.json:2:12 UNKNOWN_FORMAT");
    assert!(lines[3].starts_with("stale since ") && lines[3].ends_with(" s"));
    let (_, metrics) = get(admin, "/metrics").await;
    assert_eq!(value(&metrics, "tagwarden_snapshot_expired"), "0");
    assert!(!metrics.contains("tagwarden_max_staleness"), "{metrics}");
    let stale: f64 = value(&metrics, "tagwarden_snapshot_stale_seconds")
        .parse()
        .unwrap();
    assert!(stale > 0.0);
    let info = process.info().await;
    assert_eq!(
        (info.expires, info.snapshot.unwrap().max_staleness),
        (None, None)
    );

    // One account is bad, in place of all of it.
    bundle(folder.path(), r#"{"format": 1}"#);
    process.said("nothing changed").await;
    becomes(&mut newest, ServingStatus::Serving).await;
    fs::write(folder.path().join("accounts/2/account.json"), "{").unwrap();
    process.said("in force").await;
    becomes(&mut newest, ServingStatus::NotServing).await;
    let (code, said) = get(admin, "/readyz").await;
    assert_eq!(code, 200, "{said}");
    assert!(said.contains("account 2: stale, 1 error, for "), "{said}");
    assert!(
        said.contains("  accounts/2/account.json:1:1 NOT_JSON"),
        "{said}"
    );
    write(folder.path(), &account_files("2", "Deny"));
    becomes(&mut newest, ServingStatus::Serving).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_stale_for_too_long_decides_nothing_until_it_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    bundle(folder.path(), DENYING);
    let directory = folder.path().to_str().unwrap();
    let mut process = Process::start(&["--bundle", directory]);
    let admin = process.admin().await;
    process.said("in force").await;
    let mut client = process.client().await;
    let mut serving = process.watch_health(SERVICES[3]).await;
    becomes(&mut serving, ServingStatus::Serving).await;
    let limit = process
        .info()
        .await
        .snapshot
        .unwrap()
        .max_staleness
        .unwrap();
    assert_eq!((limit.seconds, limit.nanos), (1, 0));

    fs::write(folder.path().join("bundle.json"), "{").unwrap();
    process.said("the bundle is refused").await;
    let info = process.info().await;
    let (since, expires) = (info.stale_since.unwrap(), info.expires.unwrap());
    assert_eq!(
        (expires.seconds, expires.nanos),
        (since.seconds + 1, since.nanos)
    );
    becomes(&mut serving, ServingStatus::NotServing).await;
    check_services(&process, ServingStatus::NotServing).await;
    let refused = may(&mut client, "1", "1").await.unwrap_err();
    assert_eq!(refused.code(), Code::Unavailable);
    assert_eq!(reason_of(&refused).unwrap(), "SNAPSHOT_STALE");
    assert!(refused.get_error_details().retry_info().is_some());
    check_calls(&mut client).await;
    check_tagging(&process).await;
    let (code, said) = get(admin, "/readyz").await;
    assert_eq!(code, 503, "{said}");
    let first = "not ready: stale for longer than `max_staleness`\n";
    assert!(said.starts_with(first), "{said}");
    assert!(said.contains("\nnothing is decided from "), "{said}");
    let (_, metrics) = get(admin, "/metrics").await;
    assert_eq!(value(&metrics, "tagwarden_snapshot_expired"), "1");
    assert_eq!(value(&metrics, "tagwarden_max_staleness_seconds"), "1.0");

    // The same files again: what is in force is not stale any more.
    fs::write(folder.path().join("bundle.json"), DENYING).unwrap();
    becomes(&mut serving, ServingStatus::Serving).await;
    assert!(may(&mut client, "1", "1").await.unwrap());
    assert_eq!(
        get(admin, "/readyz").await,
        (200, "ready: revision 1\n".to_owned())
    );

    // The source is lost, and then there again with something else.
    let away = tempfile::tempdir().unwrap();
    fs::rename(folder.path(), away.path().join("bundle")).unwrap();
    becomes(&mut serving, ServingStatus::NotServing).await;
    let refused = may(&mut client, "1", "1").await.unwrap_err();
    assert_eq!(reason_of(&refused).unwrap(), "SNAPSHOT_STALE");
    write(&away.path().join("bundle"), &account_files("1", "Deny"));
    fs::rename(away.path().join("bundle"), folder.path()).unwrap();
    becomes(&mut serving, ServingStatus::Serving).await;
    assert!(!may(&mut client, "1", "1").await.unwrap());
}

/// Every other call that decides is refused, too: a batch as a whole, a stream as it is opened.
async fn check_calls(
    client: &mut v1::authorization_service_client::AuthorizationServiceClient<
        tonic::transport::Channel,
    >,
) {
    let stale = |status: tonic::Status| {
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(reason_of(&status).unwrap(), "SNAPSHOT_STALE");
    };
    let batch = within(client.batch_authorize(v1::BatchAuthorizeRequest::default())).await;
    stale(batch.unwrap_err());
    let filter = within(client.filter_resources(v1::FilterResourcesRequest::default())).await;
    stale(filter.unwrap_err());
    let questions = tokio_stream::empty::<v1::AuthorizeStreamRequest>();
    stale(
        within(client.authorize_stream(questions))
            .await
            .unwrap_err(),
    );
}

/// So are the calls about tags.
async fn check_tagging(process: &Process) {
    let mut client = process.tagging().await;
    let one = client.validate_tagging(v1::ValidateTaggingRequest::default());
    let one = within(one).await.unwrap_err();
    let batch = client.batch_validate_tagging(v1::BatchValidateTaggingRequest::default());
    let batch = within(batch).await.unwrap_err();
    let request = Some(v1::AuthorizeRequest::default());
    let both = client.authorize_tagging(v1::AuthorizeTaggingRequest { request });
    let both = within(both).await.unwrap_err();
    let node = client.get_effective_tag_policy(v1::GetEffectiveTagPolicyRequest::default());
    let node = within(node).await.unwrap_err();
    for status in [one, batch, both, node] {
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(reason_of(&status).unwrap(), "SNAPSHOT_STALE");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_is_stale_for_too_long_is_quarantined_alone() {
    let folder = tempfile::tempdir().unwrap();
    bundle(folder.path(), DENYING);
    write(folder.path(), &account_files("3", "Allow"));
    fs::write(folder.path().join("accounts/3/account.json"), "{").unwrap();
    let directory = folder.path().to_str().unwrap();
    let mut process = Process::start(&["--bundle", directory]);
    let admin = process.admin().await;
    process.said("in force").await;
    let mut client = process.client().await;
    // What never was good is quarantined at once, limit or not.
    let refused = may(&mut client, "3", "3").await.unwrap_err();
    assert_eq!(reason_of(&refused).unwrap(), "ACCOUNT_QUARANTINED");
    fs::write(folder.path().join("accounts/2/account.json"), "{").unwrap();
    process.said("in force").await;
    let stale = process.info().await.snapshot.unwrap().stale_accounts;
    let (since, expires) = (stale[0].since.unwrap(), stale[0].expires.unwrap());
    assert_eq!(
        (expires.seconds, expires.nanos),
        (since.seconds + 1, since.nanos)
    );
    let refused = within(async {
        loop {
            match may(&mut client, "2", "2").await {
                Ok(allowed) => assert!(allowed),
                Err(refused) => break refused,
            }
        }
    })
    .await;
    assert_eq!(reason_of(&refused).unwrap(), "ACCOUNT_QUARANTINED");
    assert!(may(&mut client, "1", "1").await.unwrap());
    assert_eq!(process.health("").await, ServingStatus::Serving);
    let (code, said) = get(admin, "/readyz").await;
    assert_eq!(code, 200, "{said}");
    let told = "account 2: stale for longer than `max_staleness`, 1 error";
    assert!(said.contains(told), "{said}");
    // Another change does not make it younger.
    write(folder.path(), &account_files("1", "Deny"));
    process.said("in force").await;
    let refused = may(&mut client, "2", "2").await.unwrap_err();
    assert_eq!(reason_of(&refused).unwrap(), "ACCOUNT_QUARANTINED");
    assert_eq!(
        process.info().await.snapshot.unwrap().stale_accounts[0].since,
        Some(since)
    );
    write(folder.path(), &account_files("2", "Deny"));
    process.said("in force").await;
    assert!(!may(&mut client, "2", "2").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_of_health_names_every_metric() {
    let folder = tempfile::tempdir().unwrap();
    bundle(folder.path(), DENYING);
    let directory = folder.path().to_str().unwrap();
    let mut process = Process::start(&["--bundle", directory]);
    let admin = process.admin().await;
    process.said("in force").await;
    let (_, metrics) = get(admin, "/metrics").await;
    let types = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE "));
    let mut served: Vec<String> = types
        .map(|line| line.replacen(' ', "` | ", 1))
        .map(|line| format!("| `{line} |"))
        .collect();
    let page = include_str!("../docs/health.md");
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| `tagwarden_"));
    let mut told: Vec<String> = rows
        .map(|row| row.split_inclusive('|').take(3).collect())
        .collect();
    served.sort_unstable();
    told.sort_unstable();
    assert_eq!(told, served);
}
