//! One task owns what is in force: it takes bundles, compiles them off the data threads, and
//! publishes those that are good.
//!
//! A bundle that is refused changes nothing: the last good one stays, and what is wrong stands in
//! [`Status`], in the log and in the metrics until a good one comes. The same digest twice does
//! nothing.
//!
//! Not here: where bundles come from (`source`, `service::pap`), and what a document means.

mod authoring;
mod cause;
pub mod change;
pub mod directory;
pub mod load;
pub mod permission;
pub mod reading;
mod roles;
mod rollout;
mod status;
mod storing;
mod task;

use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{broadcast, mpsc, oneshot, watch};

pub use self::authoring::import;
use self::change::{Change, ChangeError};
use self::directory::DirectoryWriter;
use self::load::LoadError;
use self::permission::Administrators;
use self::reading::{FileObjects, Reading, ReadingError};
pub use self::rollout::{AccountState, Counts, RefusedAccount};
pub use self::status::{Live, Refusal, Status};
use self::task::Task;
use crate::directory::Directory;
use crate::document::bundle::BundleFiles;
use crate::document::finding::Finding;
use crate::publish::{Publisher, Reader};
use crate::snapshot::Revision;
use crate::source::embedded::Store;
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
    /// A bundle that is only to be checked.
    Check {
        /// Its files.
        files: BundleFiles,
        /// Where the outcome is told.
        reply: oneshot::Sender<Result<Applied, LoadError>>,
    },
    /// A change of the store.
    Change {
        /// What is asked.
        change: Box<Change>,
        /// Where the outcome is told.
        reply: oneshot::Sender<Result<Applied, ChangeError>>,
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
    /// How many objects of a store it changes.
    pub objects: u64,
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
    /// Where they are read again.
    pub reader: Reader,
    /// Where resources are read.
    pub directory: Arc<Directory>,
    /// Where resources go.
    pub writer: DirectoryWriter,
    /// Where outcomes are counted.
    pub reloads: Reloads,
    /// Where authored state is.
    pub authored: AuthoredIn,
}

/// Where authored state is.
#[derive(Debug)]
pub enum AuthoredIn {
    /// In files, which come as [`Command::Found`].
    Files {
        /// The id of the revisions' source.
        source: u64,
    },
    /// In a store, which [`Command::Change`] changes.
    Store {
        /// The store.
        store: Arc<Store>,
        /// Who needs no permission.
        administrators: Administrators,
    },
}

/// The way to the management task.
#[derive(Debug, Clone)]
pub struct Management {
    commands: mpsc::Sender<Command>,
    status: watch::Receiver<Arc<Status>>,
    revisions: broadcast::WeakSender<Revision>,
    store: Option<Arc<Store>>,
    files: watch::Receiver<Option<Arc<FileObjects>>>,
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
        let (in_files, files) = watch::channel(None);
        let store = match &config.authored {
            AuthoredIn::Files { .. } => None,
            AuthoredIn::Store { store, .. } => Some(Arc::clone(store)),
        };
        let handle = Self {
            commands,
            status,
            revisions: revisions.downgrade(),
            store,
            files,
        };
        let task = Task::new(config, in_files, told, revisions);
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

    /// Whether changes are kept, in a store; else the bundle comes from files.
    pub fn keeps_changes(&self) -> bool {
        self.store.is_some()
    }

    /// The authored state as it is now, for reading.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or nothing was read from files yet.
    pub fn reading(&self) -> Result<Reading, ReadingError> {
        if let Some(store) = &self.store {
            return Ok(Reading::Store(store.view()?));
        }
        let files = self.files.borrow().clone();
        files.map(Reading::Files).ok_or(ReadingError::Nothing)
    }

    /// Asks for a change of the store.
    ///
    /// # Errors
    ///
    /// The task has ended; or, within, why the change is not made.
    pub async fn change(&self, change: Change) -> Result<Result<Applied, ChangeError>, Gone> {
        let (reply, outcome) = oneshot::channel();
        let change = Box::new(change);
        let command = Command::Change { change, reply };
        self.commands.send(command).await.map_err(|_| Gone)?;
        outcome.await.map_err(|_| Gone)
    }

    /// Checks a bundle. A bad document of any account refuses it.
    ///
    /// # Errors
    ///
    /// The task has ended; or, within, all that is wrong with the bundle.
    pub async fn check(&self, files: BundleFiles) -> Result<Result<Applied, LoadError>, Gone> {
        let (reply, outcome) = oneshot::channel();
        let command = Command::Check { files, reply };
        self.commands.send(command).await.map_err(|_| Gone)?;
        outcome.await.map_err(|_| Gone)
    }
}
