//! `tagwarden serve`: answers over gRPC until it is told to stop.

mod tls;

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use self::tls::TlsArgs;
use super::Exit;
use super::finding::tell;
use super::output::{Format, print_line, start_log};
use crate::admin;
use crate::app::{self, Bundles, Manage, RefusedAtStart};
use crate::config::setting::{self, Setting};
use crate::config::{self, ConfigError, Configured, Flags, Read};
use crate::management::permission::Administrators;
use crate::service::{self, Ended, InvalidListen, Listen, rest};
use crate::source::embedded::Keep;
use crate::source::files::WatchConfig;

/// Serve decisions over gRPC.
///
/// What flags say stands over the environment, that over the file of --config, and that over
/// defaults.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file of the configuration: JSON, in sections.
    #[arg(long, env = "TAGWARDEN_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Check what is told, and the files of TLS, without serving: exit 0, or 2 where something of
    /// it cannot be.
    #[arg(long)]
    check_config: bool,
    /// Write what is told by all of them as a file that tells the same, without serving.
    #[arg(long, conflicts_with = "check_config")]
    print_config: bool,
    #[command(flatten)]
    flags: Flags,
}

/// An address, or `none`.
#[derive(Debug, Clone)]
struct Address<T>(Option<T>);

/// Why a text is no [`Address`].
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is neither `none` nor an address: {cause}")]
struct NoAddress<E: std::error::Error> {
    text: String,
    cause: E,
}

impl<T: FromStr<Err: std::error::Error>> FromStr for Address<T> {
    type Err = NoAddress<T::Err>;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "none" {
            return Ok(Self(None));
        }
        let read = text.parse().map_err(|cause| NoAddress {
            text: text.to_owned(),
            cause,
        });
        read.map(|address| Self(Some(address)))
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
    let Args {
        config: file,
        check_config,
        print_config,
        flags,
    } = args;
    let read = configured(file.as_deref(), flags).and_then(|told| Ok((config(&told)?, told)));
    let (config, told) = match read {
        Ok(read) => read,
        Err(WrongConfig(errors)) => {
            for error in errors {
                eprintln!("error: {error}");
            }
            return Ok(Exit::Usage);
        }
    };
    if print_config {
        print_line(&format!("{:#}", config::shown(&told)))?;
        return Ok(Exit::Ok);
    }
    if check_config {
        app::check(config.tls)?;
        print_line("the configuration is good")?;
        return Ok(Exit::Ok);
    }
    serve(config)
}

fn serve(config: app::Config) -> anyhow::Result<Exit> {
    start_log();
    let shown = config
        .bundles
        .directory()
        .map(Path::to_owned)
        .unwrap_or_default();
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

/// All that is wrong with what was told.
#[derive(Debug)]
struct WrongConfig(Vec<WrongValue>);

/// One thing that is wrong with it.
#[derive(Debug, thiserror::Error)]
enum WrongValue {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("without --bundle and --data the management channel is needed")]
    NoBundle,
    #[error("at least one address of --listen is needed")]
    NoListen,
    #[error(transparent)]
    Listen(#[from] InvalidListen),
    #[error(transparent)]
    Tls(#[from] tls::HalfConfigured),
}

impl<E: Into<WrongValue>> From<E> for WrongConfig {
    fn from(error: E) -> Self {
        Self(vec![error.into()])
    }
}

impl From<Vec<ConfigError>> for WrongConfig {
    fn from(errors: Vec<ConfigError>) -> Self {
        Self(errors.into_iter().map(WrongValue::from).collect())
    }
}

/// What flags, the environment and the file tell.
fn configured(path: Option<&Path>, flags: Flags) -> Result<Configured, WrongConfig> {
    let Flags(flags) = flags;
    let mut layers = vec![flags, config::environment(std::env::vars_os())?];
    if let Some(path) = path {
        layers.push(config::file(path)?);
    }
    Ok(Configured::new(layers))
}

/// What is asked for.
fn config(told: &Configured) -> Result<app::Config, WrongConfig> {
    let mut read = Read::new(told);
    let poll = seconds(&mut read, &setting::POLL);
    let (bundle, data) = (read.one(&setting::BUNDLE), read.one(&setting::DATA));
    let keep = Keep {
        changes: read
            .whole(&setting::HISTORY_CHANGES)
            .unwrap_or(Keep::default().changes),
        days: read
            .whole(&setting::HISTORY_DAYS)
            .unwrap_or(Keep::default().days),
    };
    let listen: Vec<Listen> = read.all(&setting::LISTEN);
    let manage = read.one::<Address<Listen>>(&setting::MANAGE);
    let administrators = read.all(&setting::ADMINISTRATOR);
    let workers = read.whole(&setting::WORKERS);
    let connections = read.whole(&setting::CONNECTIONS);
    let lame_duck = seconds(&mut read, &setting::LAME_DUCK);
    let drain = seconds(&mut read, &setting::DRAIN);
    let tls = TlsArgs::read(&mut read);
    let admin = read.one::<Address<SocketAddr>>(&setting::ADMIN);
    let hosts = read.all(&setting::ADMIN_HOST);
    let http = read.one::<Address<SocketAddr>>(&setting::HTTP);
    let http_hosts = read.all(&setting::HTTP_HOST);
    read.finish(())?;
    if listen.is_empty() {
        return Err(WrongValue::NoListen.into());
    }
    let manage = managed(manage, bundle.is_some() && data.is_none())?;
    let bundles = bundles(bundle, data, keep, poll);
    if manage.is_none() && bundles.is_nowhere() {
        return Err(WrongValue::NoBundle.into());
    }
    let administrators = if administrators.is_empty() {
        Administrators::Own
    } else {
        Administrators::Named(administrators)
    };
    let tls = tls.config(&listen, manage.as_ref().map(Manage::address))?;
    let admin = admin.and_then(|Address(listen)| listen);
    let http = http.and_then(|Address(listen)| listen);
    let default = service::Config::default();
    Ok(app::Config {
        bundles,
        administrators,
        service: service::Config {
            listen,
            workers: workers.and_then(NonZeroUsize::new),
            connections: connections.unwrap_or(default.connections),
            lame_duck,
            drain,
            ..default
        },
        manage,
        tls,
        tls_poll: poll,
        admin: admin.map(|listen| admin::Config { listen, hosts }),
        rest: http.map(|listen| rest::Config::new(listen, http_hosts)),
    })
}

fn seconds(read: &mut Read<'_>, setting: &'static Setting) -> Duration {
    Duration::from_secs(read.whole(setting).unwrap_or_default())
}

/// The management channel: nobody misses one that was not asked for beside watched files.
fn managed(
    asked: Option<Address<Listen>>,
    is_watched: bool,
) -> Result<Option<Manage>, InvalidListen> {
    Ok(match asked {
        Some(Address(listen)) => listen.map(Manage::needed),
        None if is_watched => Some(Manage::wanted(default_manage().parse()?)),
        None => Some(Manage::needed(default_manage().parse()?)),
    })
}

fn bundles(bundle: Option<PathBuf>, data: Option<PathBuf>, keep: Keep, poll: Duration) -> Bundles {
    match (bundle, data) {
        (Some(directory), None) => Bundles::Directory(WatchConfig {
            poll,
            ..WatchConfig::new(directory)
        }),
        (begin, data) => Bundles::Store { data, begin, keep },
    }
}

fn report(refused: &RefusedAtStart, directory: &Path) {
    eprintln!("error: the bundle is refused");
    for finding in &refused.0 {
        eprintln!("{}", tell(finding, directory, Format::Text));
    }
}
