//! `tagwarden serve`: answers over gRPC until it is told to stop.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::Exit;
use super::output::start_log;
use crate::app::{self, LoadError};
use crate::service::{self, Ended, Listen};

/// Serve decisions over gRPC.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory of the bundle.
    #[arg(long, env = "TAGWARDEN_BUNDLE")]
    bundle: PathBuf,
    /// Where to listen: `<ip>:<port>` or `unix:/path[,mode=0660]`. Repeatable.
    #[arg(
        long,
        default_value = "127.0.0.1:4770",
        env = "TAGWARDEN_LISTEN",
        value_delimiter = ' '
    )]
    listen: Vec<Listen>,
    /// Worker threads. Default: the processors that this process may use.
    #[arg(long, env = "TAGWARDEN_WORKERS")]
    workers: Option<NonZeroUsize>,
    /// Seconds that open calls may take after the signal to stop.
    #[arg(long, default_value_t = 10, env = "TAGWARDEN_DRAIN")]
    drain: u64,
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    start_log();
    let Args {
        bundle,
        listen,
        workers,
        drain,
    } = args;
    let config = app::Config {
        bundle,
        service: service::Config {
            listen,
            workers,
            drain: Duration::from_secs(drain),
            ..service::Config::default()
        },
    };
    match app::serve(config) {
        Ok(Ended::Drained) => Ok(Exit::Ok),
        Ok(Ended::Cut { connections }) => {
            tracing::warn!(connections, "connections were cut");
            Ok(Exit::Ok)
        }
        Err(error) if error.is::<LoadError>() => {
            eprintln!("error: the bundle is refused\n{error}");
            Ok(Exit::Refused)
        }
        Err(error) => Err(error),
    }
}
