//! `tagwarden rollback`: returns to the state of an earlier revision.

use std::path::Path;

use super::Exit;
use super::change::{Called, How, Server, Told, report};
use crate::wire::v1;

/// Return to the state of an earlier revision, by a change that makes a new one.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The number of the revision, as `history` tells it.
    number: u64,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let request = v1::RollbackRequest {
        number: args.number,
        options: Some(args.how.options()),
    };
    let called = args
        .server
        .call(async |mut client| Ok(client.rollback(request).await?.into_inner()))?;
    let answer = match called {
        Called::Answered(answer) => answer,
        Called::Failed(exit) => return Ok(exit),
    };
    let told = Told {
        outcome: answer.outcome(),
        revision: answer.revision,
        findings: answer.findings,
        changed: answer.changed,
    };
    report(told, Path::new(""), args.server.output)
}
