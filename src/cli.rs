//! The command line: one file for each subcommand. Exit codes are the design's.

mod apply;
mod authorize;
mod backup;
mod change;
mod check;
mod client;
mod completions;
mod compliance;
mod delete;
mod effective;
mod export;
mod finding;
mod get;
mod healthcheck;
mod history;
mod list;
mod output;
mod remediate;
mod report;
mod resources;
mod rollback;
mod serve;
mod tag;
mod test;
mod within;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

pub use self::output::Format;

/// A gRPC authorization sidecar that decides by tags.
#[derive(Debug, Parser)]
#[command(version, about, arg_required_else_help = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Serve(serve::Args),
    Check(check::Args),
    Apply(apply::Args),
    Delete(delete::Args),
    Rollback(rollback::Args),
    Get(get::Args),
    List(list::Args),
    History(history::Args),
    Export(export::Args),
    Backup(backup::BackupArgs),
    Restore(backup::RestoreArgs),
    Resources(resources::Args),
    Tag(tag::TagArgs),
    Untag(tag::UntagArgs),
    Compliance(compliance::Args),
    Remediate(remediate::Args),
    Report(report::Args),
    Test(test::Args),
    Authorize(authorize::Args),
    Explain(authorize::ExplainArgs),
    Effective(effective::Args),
    Healthcheck(healthcheck::Args),
    Completions(completions::Args),
}

/// What a command came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// All is well.
    Ok,
    /// Something unexpected.
    Unexpected,
    /// The arguments are wrong.
    Usage,
    /// Documents are refused.
    Refused,
    /// Cases failed.
    Failed,
    /// Something is not as it should be.
    Differing,
    /// The server does not serve.
    NotServing,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Ok => 0,
            Exit::Unexpected => 1,
            Exit::Usage => 2,
            Exit::Refused => 3,
            Exit::Failed => 4,
            Exit::Differing => 5,
            Exit::NotServing => 6,
        })
    }
}

impl Cli {
    /// Runs the command. What went wrong is told on standard error.
    pub fn run(self) -> Exit {
        let run = match self.command {
            Command::Serve(args) => serve::run(args),
            Command::Check(args) => check::run(&args),
            Command::Apply(args) => apply::run(&args),
            Command::Delete(args) => delete::run(&args),
            Command::Rollback(args) => rollback::run(&args),
            Command::Get(args) => get::run(&args),
            Command::List(args) => list::run(&args),
            Command::History(args) => history::run(&args),
            Command::Export(args) => export::run(&args),
            Command::Backup(args) => backup::backup(&args),
            Command::Restore(args) => backup::restore(&args),
            Command::Resources(args) => resources::run(&args),
            Command::Tag(args) => tag::tag_resources(&args),
            Command::Untag(args) => tag::untag_resources(&args),
            Command::Compliance(args) => compliance::run(&args),
            Command::Remediate(args) => remediate::run(&args),
            Command::Report(args) => report::run(&args),
            Command::Test(args) => test::run(&args),
            Command::Authorize(args) => authorize::run(args),
            Command::Explain(args) => authorize::explain(args),
            Command::Effective(args) => effective::run(&args),
            Command::Healthcheck(args) => healthcheck::run(&args),
            Command::Completions(args) => completions::run(&args),
        };
        run.unwrap_or_else(|error| {
            eprintln!("error: {error:#}");
            Exit::Unexpected
        })
    }
}
