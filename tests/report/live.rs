//! The counters of `/metrics`: what a check of everything tells, after writes and other policies.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::*;
use crate::admin::{get, value};

/// How long the counters may take to follow other policies.
const LATEST: Duration = Duration::from_secs(20);

type Rows = BTreeMap<(String, String, String), u64>;

/// The counters, as they are served; those that are zero are left out.
async fn counters(admin: SocketAddr) -> (Rows, f64) {
    let (_, metrics) = get(admin, "/metrics").await;
    let lines = metrics.lines();
    let lines = lines.filter_map(|line| line.strip_prefix("tagwarden_tag_compliance{"));
    let rows = lines.map(|line| {
        let (labels, count) = line.rsplit_once("} ").unwrap();
        let label = |name: &str| {
            let (_, rest) = labels.split_once(&format!("{name}=\"")).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        let row = (label("key"), label("type"), label("outcome"));
        (row, count.parse().unwrap())
    });
    let stale = value(&metrics, "tagwarden_tag_compliance_stale_seconds");
    let rows = rows.filter(|(_, count)| *count > 0);
    (rows.collect(), stale.parse().unwrap())
}

/// The counters once they follow every write.
async fn settled(admin: SocketAddr) -> Rows {
    let begun = Instant::now();
    loop {
        let (rows, stale) = counters(admin).await;
        if stale <= 0.0 {
            return rows;
        }
        assert!(begun.elapsed() < LATEST, "stale for {stale} s");
        tokio::task::yield_now().await;
    }
}

impl World {
    /// What a check by the server's own user counts.
    async fn counted(&mut self) -> Rows {
        let checked = self.check(asked("")).await.unwrap();
        let mut rows = Rows::new();
        for row in &checked.totals().keys {
            for (outcome, count) in [
                ("compliant", row.compliant),
                ("missing", row.missing),
                ("wrong_case", row.wrong_case),
                ("wrong_value", row.wrong_value),
                ("not_inherited", row.not_inherited),
            ] {
                let name = (row.key.clone(), row.r#type.clone(), outcome.to_owned());
                rows.extend((count > 0).then_some((name, count)));
            }
        }
        rows
    }

    async fn tag(&mut self, arn: &str, key: &str, value: &str) {
        let told = within(self.client.tag_resources(v1::TagResourcesRequest {
            writer: Some(v1::TagWriter {
                principal: ALICE.to_owned(),
                ..v1::TagWriter::default()
            }),
            arns: vec![arn.to_owned()],
            tags: vec![v1::Tag {
                key: key.to_owned(),
                value: value.to_owned(),
            }],
            ..v1::TagResourcesRequest::default()
        }));
        let outcome = told.await.unwrap().into_inner().outcome.unwrap();
        assert!(
            outcome.change > 0 && outcome.failed.is_empty(),
            "{outcome:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_counters_follow_writes_at_once_and_policies_soon() {
    let mut world = World::new().await;
    let admin = world.admin;
    let rows = settled(admin).await;
    assert_eq!(rows, world.counted().await);
    let row = |key: &str, kind: &str, outcome: &str| {
        (key.to_owned(), kind.to_owned(), outcome.to_owned())
    };
    assert_eq!(rows[&row("env", "ecs:instance", "wrong_value")], 1);
    // An acknowledged write is counted.
    world.tag(&instance("value"), "env", "prod").await;
    let (rows, stale) = counters(admin).await;
    assert!(stale <= 0.0, "{stale}");
    assert_eq!(rows.get(&row("env", "ecs:instance", "wrong_value")), None);
    assert_eq!(rows, world.counted().await);
    // A group's tag changes what its members come to.
    world
        .tag("acs:resourcemanager:*:1:resourcegroup/rg-1", "owner", "x")
        .await;
    let rows = settled(admin).await;
    assert_eq!(rows[&row("owner", "ecs:instance", "compliant")], 1);
    assert_eq!(rows, world.counted().await);
    // Other policies.
    let document = r#"{"dialect": "alibaba", "policy": {"tags": {"team": {
        "tag_key": {"@@assign": "team"}, "tag_value": {"@@assign": ["a"]}}}}}"#;
    let mut manage = world.process.manage().await;
    let changed = within(manage.apply_changes(v1::ApplyChangesRequest {
        operations: vec![v1::Operation {
            id: "policies/tag/Tags".to_owned(),
            action: Some(v1::operation::Action::Put(document.into())),
        }],
        options: None,
    }));
    let changed = changed.await.unwrap().into_inner();
    assert_eq!(
        changed.outcome(),
        v1::ApplyOutcome::Published,
        "{changed:?}"
    );
    let begun = Instant::now();
    loop {
        let rows = settled(admin).await;
        if rows.keys().all(|(key, _, _)| key == "team") {
            assert_eq!(rows, world.counted().await);
            break;
        }
        assert!(begun.elapsed() < LATEST, "{rows:?}");
    }
}
