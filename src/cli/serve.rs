//! `tagwarden serve`: answers over gRPC until it is told to stop.

mod tls;

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use self::tls::TlsArgs;
use super::Exit;
use super::finding::tell;
use super::output::{Format, start_log};
use crate::admin;
use crate::app::{self, Bundles, Manage, RefusedAtStart};
use crate::management::permission::Administrators;
use crate::model::caller::PeerPattern;
use crate::service::{self, Ended, Listen};
use crate::source::embedded::Keep;
use crate::source::files::WatchConfig;

/// Serve decisions over gRPC.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory of the bundle: watched, and read again when it changes or on SIGHUP. With
    /// --data it is read once, into an empty store.
    #[arg(long, env = "TAGWARDEN_BUNDLE")]
    bundle: Option<PathBuf>,
    /// The directory of the store, which the management channel changes; it is made, for this user
    /// alone. Without --data and --bundle the store is in memory and ends with the process.
    #[arg(long, env = "TAGWARDEN_DATA")]
    data: Option<PathBuf>,
    /// Who manages without permission until `callers.json` maps it to a principal: `uid:<number>`,
    /// `gid:<number>`, `spiffe://<domain>/<path>`, `dns:<name>`, `uri:<uri>` or `token:<name>`.
    /// Repeatable. Default: this process' own user at the socket, and root.
    #[arg(long, env = "TAGWARDEN_ADMINISTRATOR", value_delimiter = ' ')]
    administrator: Vec<PeerPattern>,
    /// The most changes that the history of the store keeps.
    #[arg(long, env = "TAGWARDEN_HISTORY_CHANGES", default_value_t = Keep::default().changes)]
    history_changes: u64,
    /// How many days the history of the store keeps changes.
    #[arg(long, env = "TAGWARDEN_HISTORY_DAYS", default_value_t = Keep::default().days)]
    history_days: u32,
    /// Where to listen: `<ip>:<port>[,tls]` or `unix:/path[,mode=0660][,owner=UID:GID]`.
    /// Repeatable.
    #[arg(
        long,
        default_value = "127.0.0.1:4770",
        env = "TAGWARDEN_LISTEN",
        value_delimiter = ' '
    )]
    listen: Vec<Listen>,
    /// Where the management channel listens: `unix:/path`, `<ip>:<port>,tls` or `none`. Default:
    /// `unix:${XDG_RUNTIME_DIR:-/run}/tagwarden/manage.sock`, and with --bundle none where that
    /// cannot be made.
    #[arg(long, env = "TAGWARDEN_MANAGE")]
    manage: Option<Address<Listen>>,
    /// Where metrics and probes are served over HTTP: `<ip>:<port>` or `none`.
    #[arg(long, env = "TAGWARDEN_ADMIN", default_value = "127.0.0.1:4771")]
    admin: Address<SocketAddr>,
    /// A host name that requests for metrics and probes may name, beside those of the loopback and
    /// the address itself. Repeatable.
    #[arg(long, env = "TAGWARDEN_ADMIN_HOST", value_delimiter = ' ')]
    admin_host: Vec<String>,
    /// Worker threads. Default: the processors that this process may use.
    #[arg(long, env = "TAGWARDEN_WORKERS")]
    workers: Option<NonZeroUsize>,
    /// Seconds that open calls may take after the signal to stop.
    #[arg(long, default_value_t = 10, env = "TAGWARDEN_DRAIN")]
    drain: u64,
    /// Seconds between two comparisons of the bundle's digest, and of the files of TLS, where no
    /// event tells of a change.
    #[arg(long, default_value_t = 5, env = "TAGWARDEN_POLL")]
    poll: u64,
    #[command(flatten)]
    tls: TlsArgs,
}

/// An address, or `none`.
#[derive(Debug, Clone)]
struct Address<T>(Option<T>);

impl<T: FromStr> FromStr for Address<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        match text {
            "none" => Ok(Self(None)),
            address => address.parse().map(|address| Self(Some(address))),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Address<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => formatter.write_str("none"),
            Some(address) => address.fmt(formatter),
        }
    }
}

/// Where the management channel listens if nothing is said.
pub(super) fn default_manage() -> String {
    let runtime = std::env::var("XDG_RUNTIME_DIR").ok();
    let runtime = runtime.filter(|directory| directory.starts_with('/'));
    let directory = runtime.unwrap_or_else(|| "/run".to_owned());
    format!("unix:{directory}/tagwarden/manage.sock")
}

pub(super) fn run(args: Args) -> anyhow::Result<Exit> {
    start_log();
    let shown = args.bundle.clone().unwrap_or_default();
    let config = match config(args)? {
        Ok(config) => config,
        Err(error) => {
            eprintln!("error: {error}");
            return Ok(Exit::Usage);
        }
    };
    match app::serve(config) {
        Ok(Ended::Drained) => Ok(Exit::Ok),
        Ok(Ended::Cut { connections }) => {
            tracing::warn!(connections, "connections were cut");
            Ok(Exit::Ok)
        }
        Err(error) => match error.downcast::<RefusedAtStart>() {
            Ok(refused) => {
                report(&refused, &shown);
                Ok(Exit::Refused)
            }
            Err(error) => Err(error),
        },
    }
}

/// Arguments that do not go together.
#[derive(Debug, thiserror::Error)]
enum WrongArguments {
    #[error("without --bundle and --data the management channel is needed")]
    NoBundle,
    #[error(transparent)]
    Tls(#[from] tls::HalfConfigured),
}

/// What is asked for.
fn config(args: Args) -> anyhow::Result<Result<app::Config, WrongArguments>> {
    let Args {
        bundle,
        data,
        administrator,
        history_changes,
        history_days,
        listen,
        manage,
        admin: Address(admin),
        admin_host,
        workers,
        drain,
        poll,
        tls,
    } = args;
    let poll = Duration::from_secs(poll.max(1));
    let is_watched = bundle.is_some() && data.is_none();
    let manage = match manage {
        Some(Address(listen)) => listen.map(Manage::needed),
        None if is_watched => Some(Manage::wanted(default_manage().parse()?)),
        None => Some(Manage::needed(default_manage().parse()?)),
    };
    let keep = Keep {
        changes: history_changes,
        days: history_days,
    };
    let bundles = match (bundle, data) {
        (Some(directory), None) => Bundles::Directory(WatchConfig {
            poll,
            ..WatchConfig::new(directory)
        }),
        (None, None) if manage.is_none() => return Ok(Err(WrongArguments::NoBundle)),
        (begin, data) => Bundles::Store { data, begin, keep },
    };
    let administrators = if administrator.is_empty() {
        Administrators::Own
    } else {
        Administrators::Named(administrator)
    };
    let tls = match tls.config(&listen, manage.as_ref().map(Manage::address)) {
        Ok(tls) => tls,
        Err(error) => return Ok(Err(error.into())),
    };
    Ok(Ok(app::Config {
        bundles,
        administrators,
        service: service::Config {
            listen,
            workers,
            drain: Duration::from_secs(drain),
            ..service::Config::default()
        },
        manage,
        tls,
        tls_poll: poll,
        admin: admin.map(|listen| admin::Config {
            listen,
            hosts: admin_host,
        }),
    }))
}

fn report(refused: &RefusedAtStart, directory: &Path) {
    eprintln!("error: the bundle is refused");
    for finding in &refused.0 {
        eprintln!("{}", tell(finding, directory, Format::Text));
    }
}
