//! The one writer of live resources: it works out each call on the newest state, commits what
//! waits together, puts it into the directory, and only then answers.
//!
//! A call is worked out in one [`Turn`]: in one snapshot and on one state of the directory, its
//! permission and the tag policies too. Calls that wait are one group: each sees what those before
//! it write, all are one transaction with one sync, and nobody sees any of it before it is on the
//! disk. What cannot be committed leaves no trace.
//!
//! Not here: what a call may do and writes (`service::directory`, `tagging`), and the file
//! (`source::directory`).

mod alone;
mod base;
mod counting;
mod job;
mod rules;
mod worked;
mod writer;

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use jiff::Timestamp;
use tokio::sync::{Notify, mpsc, oneshot};

use self::alone::Alone;
pub use self::base::{Base, WorkId};
pub use self::counting::keep_counted;
use self::job::{Asked, Job};
use self::writer::Writer;
use super::Gone;
use crate::directory::Directory;
use crate::model::resource::{Resource, Version};
use crate::model::tagging::{Cause, Plan, Work};
use crate::publish::Reader;
use crate::snapshot::Snapshot;
use crate::source::directory::DirectoryStore;
use crate::source::embedded::StoreError;
use crate::tagging::Overlay;
use crate::telemetry::DirectoryWrites;

/// How many calls may wait to be worked out.
const WAITING: usize = 1_024;

/// What the writer needs.
pub struct Config {
    /// Where resources are read.
    pub directory: Arc<Directory>,
    /// Where snapshots are read.
    pub reader: Reader,
    /// The file; `None`: the directory ends with the process.
    pub store: Option<Arc<DirectoryStore>>,
    /// Where writes are counted.
    pub writes: DirectoryWrites,
    /// What works off a piece of work that was left.
    pub step: Step,
}

impl std::fmt::Debug for Config {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Config");
        shown.field("store", &self.store).finish_non_exhaustive()
    }
}

/// What one step of work comes to.
pub type Step = Box<dyn FnMut(&Turn<'_>, &Work) -> Plan + Send>;

/// What a call is worked out on: one state of everything.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'t> {
    /// The policies in force; `None`: there are none yet.
    pub snapshot: Option<&'t Snapshot>,
    /// The resources as everybody sees them.
    pub directory: &'t Directory,
    /// The resources, with what the calls before this one write.
    pub view: &'t Overlay<'t, Base>,
    /// The number that the change would have.
    pub version: Version,
    /// Now.
    pub now: Timestamp,
}

/// Why a call that was worked out was not committed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WriteFault {
    /// The policies or the resources changed meanwhile, again and again.
    #[error("the state changed while the call was worked out, again and again")]
    Conflict,
    /// The file cannot be written. The log tells why.
    #[error("the directory cannot be written")]
    Failed,
}

/// What the directory is to hold in place of what is there.
#[derive(Debug)]
pub struct Begin {
    /// The resources. Of two with one ARN the later stays.
    pub resources: Vec<Resource>,
    /// The digest of the text that they were read from; `None`: they are put whatever was put
    /// before.
    pub digest: Option<[u8; 32]>,
}

/// What the writer is told.
enum Command {
    Work(Box<dyn Job>),
    Begin(Begin, oneshot::Sender<Result<(), WriteFault>>),
    /// Count a step further; how long it took, if there was one.
    Count(oneshot::Sender<Option<Duration>>),
    Govern(oneshot::Sender<Result<(), WriteFault>>),
    /// Look what is left to do.
    Resume,
}

/// Who makes the change of rules that is published next.
type Announced = Arc<ArcSwap<Cause>>;

/// The way to the writer.
#[derive(Debug, Clone)]
pub struct DirectoryWriter {
    // INVARIANT: let go before `commands`, so that the thread is the last that holds the writer.
    alone: Alone,
    commands: mpsc::Sender<Command>,
    /// Told when all resources must be counted anew.
    outdated: Arc<Notify>,
    announced: Announced,
}

impl DirectoryWriter {
    /// Loads what is on disk, and starts the writer on a thread of its own. It ends when nobody can
    /// reach it any more.
    ///
    /// # Errors
    ///
    /// The store is damaged or cannot be read, or the thread cannot be started.
    pub fn start(config: Config) -> Result<(Self, JoinHandle<()>), StartError> {
        let (commands, inbox) = mpsc::channel(WAITING);
        let announced = Announced::default();
        let outdated = Arc::new(Notify::new());
        let writer = Writer::load(config, Arc::clone(&announced), Arc::clone(&outdated))?;
        let busy = writer.is_busy();
        let writer = Arc::new(Mutex::new(writer));
        let alone = Alone::new(Arc::clone(&writer));
        let thread = std::thread::Builder::new()
            .name("directory".to_owned())
            .spawn(move || writer::run(&writer, busy, inbox))?;
        let this = Self {
            alone,
            commands,
            outdated,
            announced,
        };
        Ok((this, thread))
    }

    /// Has a call worked out, and its plan committed. `evaluate` may be asked again where the state
    /// changed; what it returned last counts. Who calls while nobody else does works it out and
    /// commits it itself, and its thread waits for the disk: it must be one that may.
    ///
    /// # Errors
    ///
    /// The writer has ended; or, within, the plan was not committed.
    pub async fn write<T: Send + 'static>(
        &self,
        evaluate: impl FnMut(&Turn<'_>) -> (T, Plan) + Send + 'static,
    ) -> Result<Result<Done<T>, WriteFault>, Gone> {
        let (job, done) = Asked::new(evaluate);
        let place = self.alone.enter().await;
        if let Some(job) = place.commit(Box::new(job), || self.resume()) {
            let command = Command::Work(job);
            self.commands.send(command).await.map_err(|_| Gone)?;
        }
        done.await.map_err(|_| Gone)
    }

    /// Has the thread look what is left to do.
    fn resume(&self) {
        // Where there is no place, it has something to look at.
        let _ = self.commands.try_send(Command::Resume);
    }

    /// The same as [`Self::write`] for a thread that may wait.
    ///
    /// # Errors
    ///
    /// As [`Self::write`].
    pub fn blocking_write<T: Send + 'static>(
        &self,
        evaluate: impl FnMut(&Turn<'_>) -> (T, Plan) + Send + 'static,
    ) -> Result<Result<Done<T>, WriteFault>, Gone> {
        let (job, done) = Asked::new(evaluate);
        let command = Command::Work(Box::new(job));
        self.commands.blocking_send(command).map_err(|_| Gone)?;
        done.blocking_recv().map_err(|_| Gone)
    }

    /// Counts a step further how tags comply; how long it took. `None`: the counters follow every
    /// write, and nothing is to be done.
    async fn count(&self) -> Result<Option<Duration>, Gone> {
        let (reply, counted) = oneshot::channel();
        let sent = self.commands.send(Command::Count(reply)).await;
        sent.map_err(|_| Gone)?;
        counted.await.map_err(|_| Gone)
    }

    /// Puts resources in place of all that are there, unless they were put before; waits until
    /// they are on the disk.
    ///
    /// # Errors
    ///
    /// The writer has ended; or, within, the file cannot be written.
    pub fn begin(&self, begin: Begin) -> Result<Result<(), WriteFault>, Gone> {
        let (reply, done) = oneshot::channel();
        let command = Command::Begin(begin, reply);
        self.commands.blocking_send(command).map_err(|_| Gone)?;
        done.blocking_recv().map_err(|_| Gone)
    }
}

impl DirectoryWriter {
    /// Tells who makes the change of rules that is published next. It is to be told before: a call
    /// may meet the rules as soon as they are there.
    pub fn announce(&self, cause: Cause) {
        self.announced.store(Arc::new(cause));
    }

    /// Has the rules of inheritance that are in force acted on; waits until what they leave to do is
    /// on the disk. Whoever publishes waits for it before the next publication, so that no change of
    /// rules is passed over.
    ///
    /// # Errors
    ///
    /// The writer has ended; or, within, the file cannot be written.
    pub fn govern(&self) -> Result<Result<(), WriteFault>, Gone> {
        let (reply, done) = oneshot::channel();
        let command = Command::Govern(reply);
        self.commands.blocking_send(command).map_err(|_| Gone)?;
        done.blocking_recv().map_err(|_| Gone)
    }
}

/// A plan that was committed, and what was told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<T> {
    /// What `evaluate` told.
    pub told: T,
    /// The number of the change; `None`: there was nothing to write.
    pub version: Option<Version>,
}

/// Why the writer is not started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no thread.
    #[error("the directory's thread: {0}")]
    Thread(#[from] std::io::Error),
}

#[cfg(test)]
mod tests;
