//! `tagwarden completions`: completion scripts of shells.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{Cli, Exit};

/// Print the completion script of a shell.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    shell: Shell,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "tagwarden", &mut script);
    super::output::print_bytes(&script)?;
    Ok(Exit::Ok)
}
