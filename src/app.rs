//! The composition root: reads a bundle, puts it into force, serves, drains.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::compiler::{self, error::CompileErrors};
use crate::directory::Directory;
use crate::document::bundle::{BundleFiles, FileErrors, Loaded, Strictness, read_bundle};
use crate::publish::publication;
use crate::service::pdp::{self, Clock, Pdp};
use crate::service::{self, Ended, Phase, Server};
use crate::snapshot::{Revision, Snapshot};
use crate::source::files::{ReadFilesError, read_directory};

/// What `serve` is told.
#[derive(Debug, Clone)]
pub struct Config {
    /// The directory of the bundle.
    pub bundle: PathBuf,
    /// The data server.
    pub service: service::Config,
}

/// Why a bundle is not put into force.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its files cannot be read.
    #[error(transparent)]
    Read(#[from] ReadFilesError),
    /// Its documents are refused.
    #[error("{0}")]
    Refused(FileErrors),
    /// Its documents do not fit together.
    #[error("{0}")]
    Compile(#[from] CompileErrors),
}

/// A bundle that was read and compiled.
#[derive(Debug)]
pub struct Compiled {
    /// What it says.
    pub loaded: Loaded,
    /// What it was compiled to; its revision is not set.
    pub snapshot: Snapshot,
}

/// Reads and compiles the bundle of a directory.
///
/// # Errors
///
/// All that is wrong with it.
pub fn load(directory: &Path, strictness: Strictness) -> Result<Compiled, LoadError> {
    compile(&read_directory(directory)?, strictness)
}

/// Compiles the files of a bundle.
///
/// # Errors
///
/// All that is wrong with them.
pub fn compile(files: &BundleFiles, strictness: Strictness) -> Result<Compiled, LoadError> {
    let loaded = read_bundle(files, strictness).map_err(LoadError::Refused)?;
    let snapshot = compiler::compile(&loaded.bundle)?;
    Ok(Compiled { loaded, snapshot })
}

/// Serves until a signal ends it.
///
/// # Errors
///
/// When the bundle is refused, an address is taken, or the server cannot be started.
pub fn serve(config: Config) -> anyhow::Result<Ended> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("slow")
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let server = Server::bind(config.service)?;
    let (mut publisher, reader) = publication().context("the reclaiming thread")?;
    let directory = Arc::new(Directory::default());
    let Compiled {
        loaded,
        mut snapshot,
    } = load(&config.bundle, Strictness::Quarantine)?;
    report(&loaded);
    snapshot.revision = Revision {
        source: random(),
        number: 1,
        digest: 0,
    };
    directory.replace(loaded.bundle.resources);
    publisher.publish(snapshot);
    let pdp = Pdp::new(pdp::Config {
        reader,
        directory,
        clock: Clock::default(),
    });
    for address in server.addresses()? {
        tracing::info!(%address, "listening");
    }
    runtime.block_on(async {
        let (phase, phases) = watch::channel(Phase::Serving);
        tokio::spawn(stop_on_signal(phase));
        Ok(server.run(pdp, phases).await?)
    })
}

/// The first signal drains, the second ends at once.
async fn stop_on_signal(phase: watch::Sender<Phase>) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    for next in [Phase::Draining, Phase::Ended] {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!(?next, "stopping");
        phase.send_replace(next);
    }
    Ok(())
}

fn report(loaded: &Loaded) {
    for lint in &loaded.lints {
        tracing::warn!(%lint, "probably wrong");
    }
    for quarantined in &loaded.quarantined {
        let (account, errors) = (&quarantined.account, &quarantined.errors);
        tracing::error!(%account, %errors, "the account is left out");
    }
}

fn random() -> u64 {
    use std::hash::BuildHasher as _;
    foldhash::quality::RandomState::default().hash_one(std::process::id())
}
