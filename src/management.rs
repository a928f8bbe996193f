//! One task owns what is in force: it takes bundles, compiles them off the data threads, and
//! publishes those that are good.
//!
//! A bundle that is refused changes nothing: the last good one stays, and what is wrong stands in
//! [`Status`], in the log and in the metrics until a good one comes. The same digest twice does
//! nothing.
//!
//! Not here: where bundles come from (`source`, `service::pap`), and what a document means.

pub mod load;
mod rollout;
mod status;
mod task;

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

use self::load::LoadError;
pub use self::rollout::{AccountState, Counts, RefusedAccount};
pub use self::status::{Live, Refusal, Status};
use self::task::Task;
use crate::directory::Directory;
use crate::document::bundle::BundleFiles;
use crate::document::finding::Finding;
use crate::publish::Publisher;
use crate::snapshot::Revision;
use crate::source::files::Found;
use crate::telemetry::Reloads;

/// How many commands may wait.
const WAITING: usize = 16;
/// How many revisions a watcher may be behind before it misses some.
const REVISIONS: usize = 1_024;

/// What the management task is told.
#[derive(Debug)]
pub enum Command {
    /// What was found in the directory of the bundle.
    Found(Found),
    /// A bundle that somebody hands in.
    Apply {
        /// Its files.
        files: BundleFiles,
        /// Whether it is put into force.
        mode: ApplyMode,
        /// Where the outcome is told.
        reply: oneshot::Sender<Result<Applied, LoadError>>,
    },
}

/// Whether a bundle that is handed in is put into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApplyMode {
    /// It is.
    Commit,
    /// It is only checked.
    DryRun,
}

/// A bundle that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// What came of it.
    pub outcome: ApplyOutcome,
    /// The revision in force now, if any.
    pub revision: Option<Revision>,
    /// What is probably wrong with it.
    pub warnings: Vec<Finding>,
}

/// What came of a bundle that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApplyOutcome {
    /// It is in force.
    Published,
    /// It was in force before.
    Unchanged,
    /// It would be put into force.
    Valid,
}

/// What the task needs.
#[derive(Debug)]
pub struct Config {
    /// Where snapshots go.
    pub publisher: Publisher,
    /// Where resources go.
    pub directory: Arc<Directory>,
    /// Where outcomes are counted.
    pub reloads: Reloads,
    /// The id of the revisions' source.
    pub source: u64,
}

/// The way to the management task.
#[derive(Debug, Clone)]
pub struct Management {
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<Arc<Status>>,
    revisions: broadcast::WeakSender<Revision>,
}

/// The management task cannot be reached, because the server stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the management task has ended")]
pub struct Gone;

impl Management {
    /// Starts the task on a thread of its own. It ends when nobody can reach it any more.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn start(config: Config) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (commands, inbox) = mpsc::channel(WAITING);
        let (told, status) = watch::channel(Arc::default());
        let (revisions, _) = broadcast::channel(REVISIONS);
        let handle = Self {
            commands,
            status,
            revisions: revisions.downgrade(),
        };
        let task = Task::new(config, told, revisions);
        let thread = std::thread::Builder::new()
            .name("management".to_owned())
            .spawn(move || task.run(inbox))?;
        Ok((handle, thread))
    }

    /// Where commands go.
    pub fn commands(&self) -> mpsc::Sender<Command> {
        self.commands.clone()
    }

    /// What is in force, as it changes.
    pub fn status(&self) -> watch::Receiver<Arc<Status>> {
        self.status.clone()
    }

    /// The revisions that are published from now on.
    ///
    /// # Errors
    ///
    /// When the task has ended.
    pub fn revisions(&self) -> Result<broadcast::Receiver<Revision>, Gone> {
        let revisions = self.revisions.upgrade().ok_or(Gone)?;
        Ok(revisions.subscribe())
    }

    /// Hands a bundle in. A bad document of any account refuses it.
    ///
    /// # Errors
    ///
    /// The task has ended; or, within, all that is wrong with the bundle.
    pub async fn apply(
        &self,
        files: BundleFiles,
        mode: ApplyMode,
    ) -> Result<Result<Applied, LoadError>, Gone> {
        let (reply, outcome) = oneshot::channel();
        let command = Command::Apply { files, mode, reply };
        self.commands.send(command).await.map_err(|_| Gone)?;
        outcome.await.map_err(|_| Gone)
    }
}
