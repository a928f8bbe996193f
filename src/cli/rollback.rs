//! `tagwarden rollback`: returns to the state of an earlier revision.

use std::path::Path;

use super::Exit;
use super::change::{How, Server};
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
    args.server.change(Path::new(""), async |mut client| {
        client.rollback(request).await
    })
}
