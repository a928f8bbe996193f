//! The store and the management channel that changes it: over real sockets, on a real disk.

mod channel;
mod command;
mod hostile;
mod kill;
mod permission;
mod restart;

use std::path::{Path, PathBuf};

use tagwarden::wire::v1;
use tagwarden::wire::v1::management_service_client::ManagementServiceClient;
use tonic::Status;
use tonic::transport::Channel;

use crate::support::process::Process;
use crate::support::server::within;

type Manage = ManagementServiceClient<Channel>;

/// A running server with a store, and a connection to its management channel.
struct World {
    process: Process,
    manage: Manage,
    folder: tempfile::TempDir,
}

impl World {
    /// A server with an empty store.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let process = serve(&data(&folder), &[]).await;
        let manage = process.manage().await;
        Self {
            process,
            manage,
            folder,
        }
    }

    /// A server with alice of account 1, who may do what policy `P` allows.
    async fn with_alice() -> (Self, v1::Revision) {
        let mut world = Self::new().await;
        let made = world.apply(alice("Allow")).await;
        let revision = made.revision.unwrap();
        (world, revision)
    }

    async fn ask(
        &mut self,
        operations: Vec<v1::Operation>,
        options: v1::ChangeOptions,
    ) -> Result<v1::ApplyChangesResponse, Status> {
        let asked = self.manage.apply_changes(v1::ApplyChangesRequest {
            operations,
            options: Some(options),
        });
        Ok(within(asked).await?.into_inner())
    }

    /// Makes a change that must be made.
    async fn apply(&mut self, operations: Vec<v1::Operation>) -> v1::ApplyChangesResponse {
        let made = self
            .ask(operations, v1::ChangeOptions::default())
            .await
            .unwrap();
        assert_eq!(made.outcome(), v1::ApplyOutcome::Published, "{made:?}");
        made
    }

    async fn get(&mut self, id: &str) -> Result<String, Status> {
        let id = id.to_owned();
        let asked = self.manage.get_object(v1::GetObjectRequest { id });
        let answer = within(asked).await?.into_inner();
        Ok(String::from_utf8(answer.object.unwrap().document).unwrap())
    }

    async fn rollback(
        &mut self,
        number: u64,
        options: v1::ChangeOptions,
    ) -> Result<v1::RollbackResponse, Status> {
        let options = Some(options);
        let asked = self
            .manage
            .rollback(v1::RollbackRequest { number, options });
        Ok(within(asked).await?.into_inner())
    }

    async fn history(&mut self) -> Vec<v1::Change> {
        let asked = self.manage.list_revisions(v1::ListRevisionsRequest {
            page_size: 1_000,
            page_token: String::new(),
            differences: true,
        });
        within(asked).await.unwrap().into_inner().changes
    }
}

/// The directory of the store.
fn data(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("data")
}

/// The program over the store of a directory.
async fn serve(data: &Path, arguments: &[&str]) -> Process {
    let mut all = vec!["--data", data.to_str().unwrap()];
    all.extend(arguments);
    let mut process = Process::start(&all);
    process.said("listening for metrics and probes").await;
    process
}

fn put(id: &str, document: &str) -> v1::Operation {
    v1::Operation {
        id: id.to_owned(),
        action: Some(v1::operation::Action::Put(document.as_bytes().to_vec())),
    }
}

fn delete(id: &str) -> v1::Operation {
    v1::Operation {
        id: id.to_owned(),
        action: Some(v1::operation::Action::Delete(v1::Delete {})),
    }
}

/// Alice of account 1, who may do what `effect` says.
fn alice(effect: &str) -> Vec<v1::Operation> {
    vec![
        put("accounts/1", "{}"),
        put("accounts/1/users/alice", "{}"),
        put("accounts/1/policies/P", &policy(effect, "ecs:*", "*")),
        put("accounts/1/attachments/user:alice/account/custom:P", "{}"),
    ]
}

fn policy(effect: &str, action: &str, resource: &str) -> String {
    format!(
        r#"{{"Version": "1", "Statement":
            [{{"Effect": "{effect}", "Action": "{action}", "Resource": "{resource}"}}]}}"#
    )
}

fn token(revision: &v1::Revision) -> v1::RevisionToken {
    v1::RevisionToken {
        source: revision.source.clone(),
        number: revision.number,
    }
}
