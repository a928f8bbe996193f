//! `tagwarden apply`: hands a bundle to a running server.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;

use super::client::{Connecting, runtime};
use super::finding::tell;
use super::output::{Format, print_line};
use super::{Exit, serve};
use crate::document::finding::{Finding, Severity};
use crate::source::files::read_directory;
use crate::wire::status::reason_of;
use crate::wire::v1;
use crate::wire::v1::management_service_client::ManagementServiceClient;

/// Put a bundle into force on a running server, entirely or not at all.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory of the bundle.
    directory: PathBuf,
    /// The management address: `unix:/path` or `https://<host>:<port>`.
    #[arg(long, env = "TAGWARDEN_MANAGE", default_value_t = serve::default_manage())]
    manage: String,
    #[command(flatten)]
    connecting: Connecting,
    /// Only check it there.
    #[arg(long)]
    dry_run: bool,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let bundle = match read_directory(&args.directory) {
        Ok(bundle) => bundle,
        Err(error) => {
            let finding = Finding::whole(error.to_string());
            print_line(&tell(&finding, &args.directory, args.output))?;
            return Ok(Exit::Refused);
        }
    };
    let files = bundle.iter().map(|(path, content)| v1::BundleFile {
        path: path.to_owned(),
        content: content.to_vec(),
    });
    let request = v1::ApplyBundleRequest {
        files: files.collect(),
        dry_run: args.dry_run,
    };
    let answer = runtime()?.block_on(async {
        let channel = args.connecting.connect(&args.manage).await?;
        let mut client = ManagementServiceClient::new(channel);
        let answer = client.apply_bundle(request).await;
        anyhow::Ok(answer.map_err(|status| match reason_of(&status) {
            Some(reason) => anyhow::anyhow!("{reason}: {}", status.message()),
            None => anyhow::anyhow!("{}: {}", status.code(), status.message()),
        })?)
    });
    let answer = answer.context("the bundle was not applied")?.into_inner();
    report(args, answer)
}

fn report(args: &Args, answer: v1::ApplyBundleResponse) -> anyhow::Result<Exit> {
    let outcome = answer.outcome();
    let v1::ApplyBundleResponse {
        outcome: _,
        revision,
        findings,
    } = answer;
    let findings: Vec<Finding> = findings.into_iter().map(Finding::from).collect();
    for finding in &findings {
        print_line(&tell(finding, &args.directory, args.output))?;
    }
    let (word, exit) = match outcome {
        v1::ApplyOutcome::Published => ("published", Exit::Ok),
        v1::ApplyOutcome::Unchanged => ("unchanged", Exit::Ok),
        v1::ApplyOutcome::Valid => ("valid", Exit::Ok),
        v1::ApplyOutcome::Refused => ("refused", Exit::Refused),
        v1::ApplyOutcome::Unspecified => ("unknown", Exit::Unexpected),
    };
    print_line(&summary(args.output, word, revision.as_ref(), &findings))?;
    Ok(exit)
}

fn summary(
    format: Format,
    outcome: &str,
    revision: Option<&v1::Revision>,
    findings: &[Finding],
) -> String {
    let count = |severity| {
        let found = findings.iter();
        found.filter(|finding| finding.severity == severity).count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    match format {
        Format::Text => {
            let revision = revision.map_or(String::new(), |revision| {
                let v1::Revision {
                    source,
                    number,
                    digest,
                } = revision;
                format!(", revision {number} ({digest}) of {source} is in force")
            });
            format!("{outcome}: {errors} errors, {warnings} warnings{revision}")
        }
        Format::Json => json!({
            "outcome": outcome,
            "revision": revision.map(|revision| json!({
                "source": revision.source,
                "number": revision.number,
                "digest": revision.digest,
            })),
        })
        .to_string(),
    }
}
