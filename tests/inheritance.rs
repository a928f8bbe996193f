//! Changes of the rules of inheritance, over real sockets and a real disk: each is acted on once,
//! whoever makes it and whenever the server ends.

mod fill;
mod role;
mod unseen;

use std::path::PathBuf;
use std::time::Instant;

use tagwarden::wire::v1;
use tagwarden::wire::v1::directory_service_client::DirectoryServiceClient;
use tonic::Status;
use tonic::transport::Channel;

use crate::support::process::{Process, write};
use crate::support::server::{LIMIT, within};

const ALICE: &str = "acs:ram::1:user/alice";
const DISK: &str = "rule:AttachDisk-DetachDisk-TagInstance:Ecs-Instance:Ecs-Disk";
const INSTANCE: &str = "acs:ecs:cn-hangzhou:1:instance/i";
const FEATURE: &str = "accounts/1/inheritance";
const ROLE: &str = "accounts/1/roles/AliyunServiceRoleForTag";
const ON: &str = r#"{"feature": "on"}"#;
const OFF: &str = r#"{"feature": "off"}"#;
const FILLING: &str = r#"{"status": "enabled", "existing": true}"#;

/// A running server with a store, and a connection to its directory.
struct World {
    process: Process,
    client: DirectoryServiceClient<Channel>,
    folder: tempfile::TempDir,
}

fn rule() -> String {
    format!("{FEATURE}/{DISK}")
}

fn disk(number: usize) -> String {
    format!("acs:ecs:cn-hangzhou:1:disk/d{number:04}")
}

/// Alice of account 1 may do everything.
fn bundle() -> Vec<(String, String)> {
    let files = [
        ("bundle.json", r#"{"format": 1}"#),
        (
            "accounts/1/account.json",
            r#"{"users": [{"name": "alice"}, {"name": "bob"}], "attachments":
                [{"policy": "custom:All", "to": "user:alice", "scope": "account"}]}"#,
        ),
        (
            "accounts/1/policies/All.json",
            r#"{"Version": "1", "Statement":
                [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#,
        ),
    ];
    let owned = files.into_iter();
    owned
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}

impl World {
    async fn new() -> Self {
        Self::with(&bundle()).await
    }

    async fn with(files: &[(String, String)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("bundle"), files);
        Self::over(folder).await
    }

    /// The server over what is in a folder.
    async fn over(folder: tempfile::TempDir) -> Self {
        let place = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let (data, bundle) = (place("data"), place("bundle"));
        let mut process = Process::start(&["--data", &data, "--bundle", &bundle]);
        process.said("in force").await;
        let client = process.directory().await;
        Self {
            process,
            client,
            folder,
        }
    }

    /// Kills the server; what is left is the disk.
    async fn killed(mut self) -> tempfile::TempDir {
        self.process.signal("KILL");
        self.process.ended().await;
        self.folder
    }

    fn data(folder: &tempfile::TempDir) -> PathBuf {
        folder.path().join("data")
    }

    /// Makes a change, or tells why not.
    async fn change(&self, operations: &[(&str, Option<&str>)]) -> v1::ApplyChangesResponse {
        self.try_change(operations).await.unwrap()
    }

    async fn try_change(
        &self,
        operations: &[(&str, Option<&str>)],
    ) -> Result<v1::ApplyChangesResponse, Status> {
        let operations = operations.iter().map(|(id, document)| {
            let put = |text: &str| v1::operation::Action::Put(text.as_bytes().to_vec());
            let delete = v1::operation::Action::Delete(v1::Delete {});
            v1::Operation {
                id: (*id).to_owned(),
                action: Some(document.map_or(delete, put)),
            }
        });
        let mut manage = self.process.manage().await;
        let asked = manage.apply_changes(v1::ApplyChangesRequest {
            operations: operations.collect(),
            options: None,
        });
        Ok(within(asked).await?.into_inner())
    }

    /// An instance with these tags, and disks that are attached to it.
    async fn with_disks(&mut self, tags: &[(&str, &str)], disks: usize) {
        self.put(&[(INSTANCE.to_owned(), tags)]).await;
        for page in (0..disks).collect::<Vec<_>>().chunks(50) {
            let names: Vec<String> = page.iter().map(|number| disk(*number)).collect();
            let facts: Vec<(String, &[(&str, &str)])> =
                names.iter().map(|name| (name.clone(), &[][..])).collect();
            self.put(&facts).await;
            let associations = names.into_iter().map(|associated| v1::ResourceAssociation {
                primary: INSTANCE.to_owned(),
                associated,
                rule: DISK.to_owned(),
            });
            let asked = self
                .client
                .associate_resources(v1::AssociateResourcesRequest {
                    writer: Some(writer(ALICE)),
                    associations: associations.collect(),
                });
            within(asked).await.unwrap();
        }
    }

    async fn put(&mut self, resources: &[(String, &[(&str, &str)])]) {
        let resources = resources.iter().map(|(arn, tags)| v1::ResourceFacts {
            arn: arn.clone(),
            tags: Some(v1::TagSet { tags: sent(tags) }),
            ..v1::ResourceFacts::default()
        });
        let asked = self.client.put_resources(v1::PutResourcesRequest {
            resources: resources.collect(),
        });
        let outcome = within(asked).await.unwrap().into_inner().outcome.unwrap();
        assert_eq!(outcome.failed, []);
    }

    async fn progress(
        &mut self,
        principal: &str,
        account: &str,
    ) -> Result<v1::GetInheritanceProgressResponse, Status> {
        let asked = v1::GetInheritanceProgressRequest {
            principal: principal.to_owned(),
            account: account.to_owned(),
        };
        let told = within(self.client.get_inheritance_progress(asked)).await?;
        Ok(told.into_inner())
    }

    /// Waits until nothing is left to do; tells how far the work was each time.
    async fn settle(&mut self) -> Vec<v1::InheritanceWork> {
        let (from, mut seen) = (Instant::now(), Vec::new());
        loop {
            let told = self.progress("", "").await.unwrap();
            if told.pieces == 0 && told.edits == 0 {
                return seen;
            }
            seen.extend(told.work);
            assert!(from.elapsed() < LIMIT, "{seen:?}");
        }
    }

    /// The value that a resource has of a key.
    async fn value(&mut self, arn: &str, key: &str) -> Option<String> {
        let asked = v1::ListTagResourcesRequest {
            principal: String::new(),
            arns: vec![arn.to_owned()],
        };
        let told = within(self.client.list_tag_resources(asked)).await.unwrap();
        let [resource] = &*told.into_inner().resources else {
            panic!("{arn} is not known");
        };
        let mut tags = resource.tags.iter();
        tags.find(|tag| tag.key == key).map(|tag| tag.value.clone())
    }

    /// How many of the first disks have a tag with this value.
    async fn carrying(&mut self, key: &str, value: &str) -> u64 {
        let exact = |text: &str| v1::TextMatch {
            kind: v1::TextMatchKind::Exact.into(),
            text: text.to_owned(),
        };
        let asked = v1::ListTagValuesRequest {
            scope: Some(v1::ResourceScope {
                account: "1".to_owned(),
                types: vec!["ecs:disk".to_owned()],
                ..v1::ResourceScope::default()
            }),
            key: key.to_owned(),
            value: Some(exact(value)),
            ..v1::ListTagValuesRequest::default()
        };
        let told = within(self.client.list_tag_values(asked)).await.unwrap();
        let values = told.into_inner().values.into_iter();
        values.map(|value| value.resources).sum()
    }
}

fn writer(principal: &str) -> v1::TagWriter {
    v1::TagWriter {
        principal: principal.to_owned(),
        ..v1::TagWriter::default()
    }
}

fn sent(tags: &[(&str, &str)]) -> Vec<v1::Tag> {
    let tags = tags.iter().map(|(key, value)| v1::Tag {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    });
    tags.collect()
}
