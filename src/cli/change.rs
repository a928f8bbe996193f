//! What the commands of the management channel share: where the server is, how a change is made,
//! and how its outcome is told.

use std::path::Path;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tonic::{Code, Status};

use super::client::{Connecting, Connection, runtime};
use super::finding::tell;
use super::output::{Format, print_line};
use super::{Exit, serve};
use crate::document::counted::counted;
use crate::document::finding::{Finding, Severity};
use crate::wire::status::reason_of;
use crate::wire::v1;
use crate::wire::v1::directory_service_client::DirectoryServiceClient;
use crate::wire::v1::management_service_client::ManagementServiceClient;

pub(super) type Client = ManagementServiceClient<Connection>;
pub(super) type DirectoryClient = DirectoryServiceClient<Connection>;

/// Where the server is.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// The management address: `unix:/path` or `https://<host>:<port>`.
    #[arg(long, env = "TAGWARDEN_MANAGE", default_value_t = serve::default_manage())]
    manage: String,
    #[command(flatten)]
    connecting: Connecting,
}

/// Where the server is, and how it is told what it says.
#[derive(Debug, clap::Args)]
pub(super) struct Server {
    #[command(flatten)]
    pub(super) place: Place,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value_t)]
    pub(super) output: Format,
}

/// How a change is made.
#[derive(Debug, clap::Args)]
pub(super) struct How {
    /// Only check it there.
    #[arg(long)]
    dry_run: bool,
    /// The revision that must be in force: `<source>/<number>`.
    #[arg(long, value_parser = revision)]
    expect: Option<v1::RevisionToken>,
    /// A key of your choice: within a day the same call with it is made once.
    #[arg(long, default_value = "")]
    key: String,
    /// Why: kept with the change.
    #[arg(short, long, default_value = "")]
    message: String,
    /// Make the change also if you could not undo it.
    #[arg(long)]
    force: bool,
}

fn revision(text: &str) -> Result<v1::RevisionToken, &'static str> {
    let parsed = text.split_once('/').and_then(|(source, number)| {
        let (source, number) = (source.to_owned(), number.parse().ok()?);
        Some(v1::RevisionToken { source, number })
    });
    parsed.ok_or("expected `<source>/<number>`")
}

impl How {
    pub(super) fn options(&self) -> v1::ChangeOptions {
        v1::ChangeOptions {
            dry_run: self.dry_run,
            expected_revision: self.expect.clone(),
            idempotency_key: self.key.clone(),
            message: self.message.clone(),
            force: self.force,
        }
    }
}

impl Server {
    /// Makes a change, and tells what came of it; the files of its findings stand in `directory`.
    pub(super) fn change<T: Into<Told>>(
        &self,
        directory: &Path,
        ask: impl AsyncFnOnce(Client) -> Result<tonic::Response<T>, Status>,
    ) -> anyhow::Result<Exit> {
        let called = self.call(async |client| {
            let answer = ask(client.max_encoding_message_size(usize::MAX)).await?;
            Ok(answer.into_inner())
        })?;
        match called {
            Called::Answered(answer) => report(answer.into(), directory, self.output),
            Called::Failed(exit) => Ok(exit),
        }
    }
}

/// What came of a call.
pub(super) enum Called<T> {
    Answered(T),
    Failed(Exit),
}

impl Server {
    /// Calls the server. What goes wrong is told on standard error.
    pub(super) fn call<T>(
        &self,
        ask: impl AsyncFnOnce(Client) -> Result<T, Status>,
    ) -> anyhow::Result<Called<T>> {
        self.place.over(async |channel| {
            let client = ManagementServiceClient::new(channel);
            ask(client.max_decoding_message_size(usize::MAX)).await
        })
    }
}

impl Place {
    /// Calls the directory of the server. What goes wrong is told on standard error.
    pub(super) fn directory<T>(
        &self,
        ask: impl AsyncFnOnce(DirectoryClient) -> Result<T, Status>,
    ) -> anyhow::Result<Called<T>> {
        self.over(async |channel| {
            let client = DirectoryServiceClient::new(channel);
            ask(client.max_decoding_message_size(usize::MAX)).await
        })
    }

    fn over<T>(
        &self,
        ask: impl AsyncFnOnce(Connection) -> Result<T, Status>,
    ) -> anyhow::Result<Called<T>> {
        let runtime = runtime()?;
        let Some(channel) = self.connect(&runtime) else {
            return Ok(Called::Failed(Exit::NotServing));
        };
        Ok(match runtime.block_on(ask(channel)) {
            Ok(answer) => Called::Answered(answer),
            Err(status) => Called::Failed(failed(&status)),
        })
    }

    /// Connects to the server. What goes wrong is told on standard error.
    fn connect(&self, runtime: &Runtime) -> Option<Connection> {
        let connected = runtime.block_on(self.connecting.connect(&self.manage));
        connected
            .inspect_err(|error| eprintln!("error: {error:#}"))
            .ok()
    }
}

/// Tells why a call has no answer.
pub(super) fn failed(status: &Status) -> Exit {
    let reason = reason_of(status).unwrap_or_else(|| status.code().to_string());
    eprintln!("error: {reason}: {}", status.message());
    if status.code() == Code::Unavailable {
        Exit::NotServing
    } else {
        Exit::Unexpected
    }
}

/// What came of a change.
pub(super) struct Told {
    outcome: v1::ApplyOutcome,
    revision: Option<v1::Revision>,
    findings: Vec<v1::Finding>,
    changed: u64,
}

macro_rules! told_by {
    ($($response:ident)+) => {$(
        impl From<v1::$response> for Told {
            fn from(answer: v1::$response) -> Self {
                Self {
                    outcome: answer.outcome(),
                    revision: answer.revision,
                    findings: answer.findings,
                    changed: answer.changed,
                }
            }
        }
    )+};
}

told_by!(ApplyChangesResponse ApplyBundleResponse RollbackResponse);

fn report(told: Told, directory: &Path, format: Format) -> anyhow::Result<Exit> {
    let Told {
        outcome,
        revision,
        findings,
        changed,
    } = told;
    let findings: Vec<Finding> = findings.into_iter().map(Finding::from).collect();
    for finding in &findings {
        print_line(&tell(finding, directory, format))?;
    }
    let (word, exit) = match outcome {
        v1::ApplyOutcome::Published => ("published", Exit::Ok),
        v1::ApplyOutcome::Unchanged => ("unchanged", Exit::Ok),
        v1::ApplyOutcome::Valid => ("valid", Exit::Ok),
        v1::ApplyOutcome::Refused => ("refused", Exit::Refused),
        v1::ApplyOutcome::Unspecified => ("unknown", Exit::Unexpected),
    };
    let revision = revision.as_ref();
    print_line(&match format {
        Format::Text => summary(word, revision, &findings, changed),
        Format::Json => json!({
            "outcome": word,
            "changed": changed,
            "revision": revision.map(as_json),
        })
        .to_string(),
    })?;
    Ok(exit)
}

fn summary(
    outcome: &str,
    revision: Option<&v1::Revision>,
    findings: &[Finding],
    changed: u64,
) -> String {
    let count = |severity| {
        let found = findings.iter();
        found.filter(|finding| finding.severity == severity).count()
    };
    let errors = counted(count(Severity::Error), "error");
    let warnings = counted(count(Severity::Warning), "warning");
    let objects = match changed {
        0 => String::new(),
        some => format!(", {}", counted(some, "object")),
    };
    let revision = revision.map_or(String::new(), |revision| {
        let v1::Revision {
            source,
            number,
            digest,
        } = revision;
        format!(", revision {number} ({digest}) of {source} is in force")
    });
    format!("{outcome}: {errors}, {warnings}{objects}{revision}")
}

/// A revision as JSON.
pub(super) fn as_json(revision: &v1::Revision) -> Value {
    let v1::Revision {
        source,
        number,
        digest,
    } = revision;
    json!({"source": source, "number": number, "digest": digest})
}

/// A document as JSON: itself where it is JSON, else its text.
pub(super) fn document(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into())
}
