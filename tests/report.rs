//! Reports over the directory, and repairs, over real sockets: who is told what, and what is
//! written.

mod check;
mod command;
mod live;
mod repair;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use tagwarden::wire::v1;
use tagwarden::wire::v1::directory_service_client::DirectoryServiceClient;
use tonic::Status;
use tonic::transport::Channel;

use crate::support::process::{Process, write};
use crate::support::server::within;

type Client = DirectoryServiceClient<Channel>;

const ALICE: &str = "acs:ram::1:user/alice";
const BOB: &str = "acs:ram::1:user/bob";
const CAROL: &str = "acs:ram::1:user/carol";

/// An instance of account 1.
fn instance(name: &str) -> String {
    format!("acs:ecs:cn-hangzhou:1:instance/{name}")
}

/// A running server with the bundle of [`bundle`], and a connection to its management channel.
struct World {
    process: Process,
    client: Client,
    /// Where metrics are.
    admin: SocketAddr,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        Self::with(bundle()).await
    }

    async fn with(files: Vec<(String, String)>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (place, data) = (folder.path().join("bundle"), folder.path().join("data"));
        write(&place, &files);
        let mut process = Process::start(&[
            "--data",
            data.to_str().unwrap(),
            "--bundle",
            place.to_str().unwrap(),
        ]);
        let admin = process.admin().await;
        process.said("in force").await;
        let client = process.directory().await;
        Self {
            process,
            client,
            admin,
            folder,
        }
    }

    /// Everything that a check tells.
    async fn check(&mut self, asked: v1::CheckComplianceRequest) -> Result<Checked, Status> {
        let mut stream = within(self.client.check_compliance(asked))
            .await?
            .into_inner();
        let mut checked = Checked::default();
        while let Some(message) = within(stream.message()).await? {
            assert!(checked.totals.is_none(), "nothing comes after the totals");
            checked.messages += 1;
            checked.resources.extend(message.resources);
            checked.totals = message.totals;
            let progress = message.progress.unwrap();
            assert!(progress.checked >= checked.progress.checked);
            checked.progress = progress;
        }
        Ok(checked)
    }
}

/// What a check told.
#[derive(Debug, Default)]
struct Checked {
    resources: Vec<v1::NoncompliantResource>,
    progress: v1::ComplianceProgress,
    totals: Option<v1::ComplianceTotals>,
    messages: usize,
}

impl Checked {
    fn totals(&self) -> &v1::ComplianceTotals {
        self.totals.as_ref().expect("the last message has totals")
    }

    /// What is wrong, by ARN: code, key and value.
    fn told(&self) -> BTreeMap<&str, Vec<(&'static str, &str, &str)>> {
        let told = self.resources.iter().map(|one| {
            let violations = one.violations.iter();
            let violations = violations.map(|found| {
                let code = found.code().as_str_name();
                let code = code.strip_prefix("TAG_VIOLATION_CODE_").unwrap();
                (code, &*found.key, &*found.value)
            });
            (&*one.arn, violations.collect())
        });
        let told: BTreeMap<_, _> = told.collect();
        assert_eq!(told.len(), self.resources.len(), "none twice");
        told
    }

    /// Resources, evaluated, compliant and noncompliant ones.
    fn sums(&self) -> [u64; 4] {
        let totals = self.totals();
        assert_eq!(self.progress.checked, totals.resources);
        assert_eq!(self.progress.noncompliant, totals.noncompliant);
        [
            totals.resources,
            totals.evaluated,
            totals.compliant,
            totals.noncompliant,
        ]
    }

    /// The row of a key and a type: compliant, missing, wrong case, wrong value, not inherited.
    fn row(&self, key: &str, kind: &str) -> Option<[u64; 5]> {
        let mut rows = self.totals().keys.iter();
        let row = rows.find(|row| row.key == key && row.r#type == kind)?;
        Some([
            row.compliant,
            row.missing,
            row.wrong_case,
            row.wrong_value,
            row.not_inherited,
        ])
    }
}

fn of_account(account: &str) -> v1::ResourceScope {
    v1::ResourceScope {
        account: account.to_owned(),
        ..v1::ResourceScope::default()
    }
}

fn asked(principal: &str) -> v1::CheckComplianceRequest {
    v1::CheckComplianceRequest {
        principal: principal.to_owned(),
        ..v1::CheckComplianceRequest::default()
    }
}

/// Account 1 has tag policies: of instances and disks `env` is `prod` or `test`, and becomes `test`
/// where the team is `a`; `CostCenter` is asked for of instances, and `owner` comes from the
/// resource group. Account 2 has none of its own: it is in the organization's folder without. Alice
/// sees and writes all of account 1, bob sees what is of team `a` and writes nothing, carol sees
/// instances and writes those of team `a`.
fn bundle() -> Vec<(String, String)> {
    let policy = |statements: &str| format!(r#"{{"Version": "1", "Statement": [{statements}]}}"#);
    let team = r#""Condition": {"StringEquals": {"acs:ResourceTag/team": "a"}}"#;
    let write = r#"["tag:TagResources", "tag:UntagResources", "ecs:TagResources",
        "ecs:UntagResources",
        "resourcemanager:TagResources", "vpc:TagResources", "vpc:UntagResources"]"#;
    let list = r#""tag:ListTagResources""#;
    let allow = |action: &str, resource: &str, condition: &str| {
        let comma = if condition.is_empty() { "" } else { ", " };
        format!(
            r#"{{"Effect": "Allow", "Action": {action}, "Resource": "{resource}"{comma}{condition}}}"#
        )
    };
    let account = r#"{"users": [{"name": "alice"}, {"name": "bob"}, {"name": "carol"}],
        "attachments": [
          {"policy": "custom:All", "to": "user:alice", "scope": "account"},
          {"policy": "custom:TeamA", "to": "user:bob", "scope": "account"},
          {"policy": "custom:Some", "to": "user:carol", "scope": "account"}]}"#;
    let resource = |arn: &str, group: &str, tags: &str| {
        let group = match group {
            "" => String::new(),
            group => format!(r#""group": "{group}", "#),
        };
        format!(r#"{{"arn": "{arn}", {group}"tags": {{{tags}}}}}"#)
    };
    let i = |name: &str| instance(name);
    let resources = [
        resource(
            &i("good"),
            "",
            r#""env": "prod", "CostCenter": "7", "team": "a""#,
        ),
        resource(
            &i("value"),
            "",
            r#""env": "Prod", "CostCenter": "7", "team": "a""#,
        ),
        resource(
            &i("case"),
            "",
            r#""ENV": "prod", "CostCenter": "7", "team": "b""#,
        ),
        resource(&i("bare"), "", ""),
        resource(
            &i("group"),
            "rg-1",
            r#""env": "test", "CostCenter": "7", "team": "b", "owner": "x""#,
        ),
        resource(
            "acs:ecs:cn-hangzhou:1:disk/d-1",
            "",
            r#""env": "stage", "team": "a""#,
        ),
        resource(
            "acs:resourcemanager:*:1:resourcegroup/rg-1",
            "",
            r#""owner": "ops""#,
        ),
        resource("acs:oss:cn-hangzhou:1:bucket-1", "", r#""env": "none""#),
        resource("acs:ecs:cn-hangzhou:2:instance/i-1", "", r#""env": "none""#),
    ];
    let tag_policy = r#"{"dialect": "alibaba", "policy": {
        "tags": {
          "env": {"tag_key": {"@@assign": "env"}, "tag_value": {"@@assign": ["prod", "test"]},
            "resource_type_scope": {"@@assign": ["ecs:instance", "ecs:disk"]},
            "tag_value_correction": {"@@assign": {"test": {"value_type": "Tag",
              "value_scope": {"team": "a"}}}}},
          "costcenter": {"tag_key": {"@@assign": "CostCenter"},
            "tag_value": {"@@assign": ["*"]},
            "resource_type_scope": {"@@assign": ["ecs:instance"]}}},
        "rg_inherit": {"owner": {"tag_key": {"@@assign": "owner"}}}}}"#;
    let files = [
        ("bundle.json", r#"{"format": 1}"#.to_owned()),
        ("accounts/1/account.json", account.to_owned()),
        ("accounts/2/account.json", "{}".to_owned()),
        ("accounts/9/account.json", "{}".to_owned()),
        (
            "accounts/1/policies/All.json",
            policy(&[allow(list, "*", ""), allow(write, "*", "")].join(", ")),
        ),
        (
            "accounts/1/policies/TeamA.json",
            policy(&allow(list, "*", team)),
        ),
        (
            "accounts/1/policies/Some.json",
            policy(
                &[
                    allow(list, "acs:ecs:*:1:instance/*", ""),
                    allow(write, "*", team),
                ]
                .join(", "),
            ),
        ),
        ("policies/tag/Tags.json", tag_policy.to_owned()),
        (
            "organizations/o.json",
            r#"{"id": "o", "management": "9", "dialect": "alibaba", "root": {"name": "Root",
                "folders": [{"name": "Ruled", "tag": [{"policy": "Tags", "mode": "enforce"}],
                  "accounts": [{"account": "1"}]}],
                "accounts": [{"account": "2"}]}}"#
                .to_owned(),
        ),
        ("resources.jsonl", resources.join("\n")),
    ];
    let files = files.into_iter();
    files.map(|(name, text)| (name.to_owned(), text)).collect()
}
