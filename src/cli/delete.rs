//! `tagwarden delete`: takes objects away from a running server.

use super::Exit;
use super::apply::send;
use super::change::{How, Server};
use crate::wire::v1;

/// Delete objects of a running server, all of them or none.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The ids: `accounts/1/users/alice`.
    #[arg(required = true)]
    ids: Vec<String>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let operations = args.ids.iter().map(|id| v1::Operation {
        id: id.clone(),
        action: Some(v1::operation::Action::Delete(v1::Delete {})),
    });
    send(&args.server, &args.how, operations.collect())
}
