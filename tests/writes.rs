//! Writes of the directory over real sockets: who may, what they do, and that they last.

mod calls;
mod kill;
mod linked;
mod predefined;
mod refused;

use std::path::{Path, PathBuf};

use tagwarden::wire::v1;
use tagwarden::wire::v1::directory_service_client::DirectoryServiceClient;
use tonic::Status;
use tonic::transport::Channel;

use crate::support::process::{PROGRAM, Process, write};
use crate::support::server::within;

type Client = DirectoryServiceClient<Channel>;

/// An instance of account 1.
const ONE: &str = "acs:ecs:cn-hangzhou:1:instance/i-1";
/// Another.
const TWO: &str = "acs:ecs:cn-hangzhou:1:instance/i-2";
const ALICE: &str = "acs:ram::1:user/alice";
const BOB: &str = "acs:ram::1:user/bob";
const OPS: &str = "acs:ram::1:role/ops/session";

/// A running server with the bundle of [`bundle`], and a connection to its management channel.
struct World {
    process: Process,
    client: Client,
    folder: tempfile::TempDir,
}

impl World {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("bundle");
        write(&place, &bundle());
        Self::over(folder).await
    }

    /// The server over what is in a folder.
    async fn over(folder: tempfile::TempDir) -> Self {
        let place = folder.path().join("bundle");
        let data = folder.path().join("data");
        let mut process = Process::start(&[
            "--data",
            data.to_str().unwrap(),
            "--bundle",
            place.to_str().unwrap(),
        ]);
        process.said("in force").await;
        let client = process.directory().await;
        Self {
            process,
            client,
            folder,
        }
    }

    /// Ends the server and starts it again.
    async fn again(self) -> Self {
        let Self {
            mut process,
            folder,
            ..
        } = self;
        process.signal("TERM");
        assert!(process.ended().await.success());
        Self::over(folder).await
    }

    /// Puts resources with these tags.
    async fn put(&mut self, resources: &[(&str, &[(&str, &str)])]) -> v1::DirectoryOutcome {
        let resources = resources.iter().map(|(arn, tags)| v1::ResourceFacts {
            arn: (*arn).to_owned(),
            tags: Some(v1::TagSet { tags: sent(tags) }),
            ..v1::ResourceFacts::default()
        });
        let asked = self.client.put_resources(v1::PutResourcesRequest {
            resources: resources.collect(),
        });
        within(asked).await.unwrap().into_inner().outcome.unwrap()
    }

    async fn tag(
        &mut self,
        principal: &str,
        arns: &[&str],
        tags: &[(&str, &str)],
    ) -> Result<v1::DirectoryOutcome, Status> {
        let form = v1::TagCallForm::Unspecified;
        self.tag_in(form, principal, arns, tags).await
    }

    async fn tag_in(
        &mut self,
        form: v1::TagCallForm,
        principal: &str,
        arns: &[&str],
        tags: &[(&str, &str)],
    ) -> Result<v1::DirectoryOutcome, Status> {
        let asked = self.client.tag_resources(v1::TagResourcesRequest {
            writer: Some(writer(principal)),
            arns: owned(arns),
            tags: sent(tags),
            form: form.into(),
        });
        Ok(within(asked).await?.into_inner().outcome.unwrap())
    }

    async fn untag(
        &mut self,
        principal: &str,
        arns: &[&str],
        keys: &[&str],
    ) -> Result<v1::DirectoryOutcome, Status> {
        let asked = self.client.untag_resources(v1::UntagResourcesRequest {
            writer: Some(writer(principal)),
            arns: owned(arns),
            keys: owned(keys),
            all: keys.is_empty(),
            ..v1::UntagResourcesRequest::default()
        });
        Ok(within(asked).await?.into_inner().outcome.unwrap())
    }

    /// Whether a decision sees that an instance has a tag.
    async fn has(&self, arn: &str, key: &str, value: &str) -> bool {
        let name = format!("acs:ram::1:user/sees-{key}-{value}");
        let mut client = self.process.client().await;
        let asked = client.authorize(v1::AuthorizeRequest {
            principal: name,
            action: "ecs:StartInstance".to_owned(),
            resources: vec![v1::Resource {
                arn: arn.to_owned(),
                ..v1::Resource::default()
            }],
            ..v1::AuthorizeRequest::default()
        });
        let answer = within(asked).await.unwrap().into_inner();
        answer.effect() == v1::Effect::Allow
    }
}

fn writer(principal: &str) -> v1::TagWriter {
    let none = v1::session::Policy::None(v1::NoSessionPolicy {});
    v1::TagWriter {
        principal: principal.to_owned(),
        session: (principal == OPS).then_some(v1::Session { policy: Some(none) }),
        ..v1::TagWriter::default()
    }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

fn sent(tags: &[(&str, &str)]) -> Vec<v1::Tag> {
    let tags = tags.iter().map(|(key, value)| v1::Tag {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    });
    tags.collect()
}

/// Alice may write tags of instances; bob only by the tag service, which is half of it; the
/// sessions of ops may where the instance is of team `ops` before and after. Whoever is named
/// `sees-<key>-<value>` may start instances with that tag. Account 1 has tag policies: `env` is
/// `prod` or `test`.
fn bundle() -> Vec<(String, String)> {
    let seen = [
        ("env", "prod"),
        ("env", "test"),
        ("team", "a"),
        ("team", "b"),
        ("team", "ops"),
        ("n", "1"),
        ("n", "2"),
    ];
    let names = seen.map(|(key, value)| format!("sees-{key}-{value}"));
    let users = names.iter().map(|name| format!(r#"{{"name": "{name}"}}"#));
    let own = names.iter().map(|name| {
        format!(r#"{{"policy": "custom:{name}", "to": "user:{name}", "scope": "account"}}"#)
    });
    let joined = |texts: &mut dyn Iterator<Item = String>| texts.collect::<Vec<_>>().join(", ");
    let account = format!(
        r#"{{"users": [{{"name": "alice"}}, {{"name": "bob"}}, {}],
            "roles": [{{"name": "ops", "trust": {{"Version": "1", "Statement": [
                {{"Effect": "Allow", "Action": "sts:AssumeRole",
                  "Principal": {{"RAM": ["acs:ram::1:root"]}}}}]}}}}],
            "attachments": [
              {{"policy": "custom:Tagger", "to": "user:alice", "scope": "account"}},
              {{"policy": "custom:Half", "to": "user:bob", "scope": "account"}},
              {{"policy": "custom:Team", "to": "role:ops", "scope": "account"}}, {}]}}"#,
        joined(&mut users.into_iter()),
        joined(&mut own.into_iter()),
    );
    let policy = |statement: &str| format!(r#"{{"Version": "1", "Statement": [{statement}]}}"#);
    let all = r#"["tag:TagResources", "tag:UntagResources", "ecs:TagResources",
        "ecs:UntagResources"]"#;
    let tag_policy = r#"{"dialect": "alibaba", "policy": {"tags": {"env": {
        "tag_key": {"@@assign": "env"}, "tag_value": {"@@assign": ["prod", "test"]},
        "enforced_for": {"@@assign": ["ecs:instance"]}}}}}"#;
    let mut files = vec![
        ("bundle.json".to_owned(), r#"{"format": 1}"#.to_owned()),
        ("accounts/1/account.json".to_owned(), account),
        (
            "accounts/1/policies/Tagger.json".to_owned(),
            policy(&format!(
                r#"{{"Effect": "Allow", "Action": {all}, "Resource": "acs:ecs:*:1:instance/*"}}"#
            )),
        ),
        (
            "accounts/1/policies/Half.json".to_owned(),
            policy(r#"{"Effect": "Allow", "Action": "tag:*", "Resource": "*"}"#),
        ),
        (
            "accounts/1/policies/Team.json".to_owned(),
            policy(&format!(
                r#"{{"Effect": "Allow", "Action": {all}, "Resource": "*",
                    "Condition": {{"StringEquals": {{"acs:ResourceTag/team": "ops"}}}}}}"#
            )),
        ),
        ("policies/tag/Env.json".to_owned(), tag_policy.to_owned()),
        (
            "organizations/o.json".to_owned(),
            r#"{"id": "o", "management": "9", "dialect": "alibaba", "root": {"name": "Root",
                "tag": [{"policy": "Env", "mode": "enforce"}],
                "accounts": [{"account": "1"}]}}"#
                .to_owned(),
        ),
        ("accounts/9/account.json".to_owned(), "{}".to_owned()),
    ];
    for ((key, value), name) in seen.iter().zip(&names) {
        let statement = format!(
            r#"{{"Effect": "Allow", "Action": "ecs:StartInstance", "Resource": "*",
                "Condition": {{"StringEquals": {{"acs:ResourceTag/{key}": "{value}"}}}}}}"#
        );
        files.push((
            format!("accounts/1/policies/{name}.json"),
            policy(&statement),
        ));
    }
    files
}

/// The directory of the store.
fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}
