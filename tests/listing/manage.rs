//! The same listings on the management channel, and the command `resources`.

use std::path::Path;
use std::process::Command;

use super::*;
use crate::support::process::{PROGRAM, Process};

async fn serving() -> Process {
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/listing/bundle");
    let mut process = Process::start(&["--bundle", bundle.to_str().unwrap()]);
    process.said("in force").await;
    process
}

fn run(process: &Process, arguments: &[&str]) -> (Vec<String>, Option<i32>) {
    let manage = format!("unix:{}", process.manage_path().display());
    let ran = Command::new(PROGRAM)
        .args(["resources", "--manage", &manage])
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8(ran.stdout).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    (lines, ran.status.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_user_sees_everything_and_others_what_their_principal_may() {
    let process = serving().await;
    let mut client = process.directory().await;
    let scope = |account: &str| {
        Some(v1::ResourceScope {
            account: account.to_owned(),
            ..v1::ResourceScope::default()
        })
    };
    for (principal, account, expected) in [
        ("", "1", 8),
        ("", "2", 1),
        (&*user("all"), "1", 8),
        (&*user("all"), "2", 0),
        (&*user("team-a"), "1", 2),
    ] {
        let asked = v1::ListResourcesByTagsRequest {
            principal: principal.to_owned(),
            scope: scope(account),
            ..v1::ListResourcesByTagsRequest::default()
        };
        let told = within(client.list_resources_by_tags(asked)).await.unwrap();
        assert_eq!(
            told.into_inner().resources.len(),
            expected,
            "{principal} {account}"
        );
    }
    let asked = v1::ListTagValuesRequest {
        scope: scope("2"),
        key: "secret".to_owned(),
        ..v1::ListTagValuesRequest::default()
    };
    let told = within(client.list_tag_values(asked)).await.unwrap();
    assert_eq!(
        counts(&told.into_inner().values),
        BTreeMap::from([("x".to_owned(), 1)])
    );
    let asked = v1::ListTagKeysRequest {
        principal: user("team-a"),
        ..v1::ListTagKeysRequest::default()
    };
    let told = within(client.list_tag_keys(asked)).await.unwrap();
    assert_eq!(told.into_inner().keys.len(), 3);
    let asked = v1::ListTagResourcesRequest {
        principal: user("team-a"),
        arns: vec!["acs:ecs:cn-a:1:instance/i-3".to_owned()],
    };
    let told = within(client.list_tag_resources(asked)).await.unwrap();
    assert!(told.into_inner().resources.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_tells_arns_that_others_take() {
    let process = serving().await;
    let lines = |lines: &[&str]| {
        (
            lines.iter().map(|line| (*line).to_owned()).collect(),
            Some(0),
        )
    };
    let asked = [
        "--account",
        "1",
        "--tag",
        "env=prod*",
        "--not",
        "env=prod",
        "-t",
        "team",
    ];
    assert_eq!(
        run(&process, &asked),
        lines(&["acs:ecs:cn-b:1:instance/i-4"])
    );
    let asked = [
        "--principal",
        &user("team-a"),
        "-t",
        "env=test",
        "-t",
        "env=prod",
    ];
    let both = ["acs:ecs:cn-a:1:instance/i-1", "acs:ecs:cn-a:1:instance/i-2"];
    assert_eq!(run(&process, &asked), lines(&both));
    let asked = [
        "--account",
        "1",
        "--type",
        "slb:instance",
        "--show",
        "all",
        "-o",
        "json",
    ];
    let told = r#"{"arn":"acs:slb:cn-b:1:loadbalancer/lb-1","group":"rg-1","tags":{"env":"prod","team":"c"},"type":"slb:instance"}"#;
    assert_eq!(run(&process, &asked), lines(&[told]));
    // Nobody's account is nobody's question.
    assert_eq!(run(&process, &[]), (Vec::new(), Some(1)));
}
