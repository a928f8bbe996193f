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

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use self::load::{Compiled, LoadError, compile};
pub use self::rollout::{AccountState, Counts, RefusedAccount};
use self::rollout::{Candidate, GoodFiles, Numbers};
use crate::directory::Directory;
use crate::document::bundle::{BundleDigest, BundleFiles, FileLint, Strictness};
use crate::document::finding::Finding;
use crate::publish::Publisher;
use crate::snapshot::Revision;
use crate::source::files::{Found, Seen};
use crate::telemetry::{ReloadOutcome, Reloads};

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

/// What is in force, and what was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// What is in force; `None` before the first bundle.
    pub live: Option<Live>,
    /// The newest bundle, if it was refused.
    pub refusal: Option<Refusal>,
    /// Since when the source has held another bundle than what is in force.
    pub stale_since: Option<Timestamp>,
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The revision.
    pub revision: Revision,
    /// When it was put into force.
    pub activated: Timestamp,
    /// How much it holds.
    pub counts: Counts,
    /// The accounts whose newest files are refused.
    pub refused_accounts: Vec<RefusedAccount>,
}

/// A bundle that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When it was seen.
    pub seen: Timestamp,
    /// All that is wrong with it.
    pub errors: Vec<Finding>,
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

/// The task.
struct Task {
    publisher: Publisher,
    directory: Arc<Directory>,
    reloads: Reloads,
    numbers: Numbers,
    good: GoodFiles,
    /// The digest of what is in force.
    digest: Option<BundleDigest>,
    status: Status,
    told: watch::Sender<Arc<Status>>,
    revisions: broadcast::Sender<Revision>,
}

impl Task {
    fn new(
        config: Config,
        told: watch::Sender<Arc<Status>>,
        revisions: broadcast::Sender<Revision>,
    ) -> Self {
        let Config {
            publisher,
            directory,
            reloads,
            source,
        } = config;
        Self {
            publisher,
            directory,
            reloads,
            numbers: Numbers::new(source),
            good: GoodFiles::default(),
            digest: None,
            status: Status::default(),
            told,
            revisions,
        }
    }

    fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        while let Some(command) = inbox.blocking_recv() {
            match command {
                Command::Found(Found::New(seen)) => self.found(seen),
                Command::Found(Found::Same) => self.same(),
                Command::Found(Found::Unreadable(error)) => self.stale(&error.into()),
                Command::Apply { files, mode, reply } => {
                    let applied = self.apply(&files, mode);
                    // Whoever asked may have gone; the outcome stands in the status.
                    let _ = reply.send(applied);
                }
            }
        }
    }

    /// The files of the source changed.
    fn found(&mut self, seen: Seen) {
        let Seen { files, digest } = seen;
        if self.digest == Some(digest) {
            self.fresh();
            return self.unchanged();
        }
        let start = Instant::now();
        let candidate = self.good.compile(&files);
        self.reloads.took(start.elapsed());
        match candidate {
            Ok(Candidate { compiled, refused }) => {
                self.publish(compiled, &refused, digest, start.elapsed());
                self.good.keep(files, &refused);
            }
            Err(error) => self.stale(&error),
        }
    }

    fn apply(&mut self, files: &BundleFiles, mode: ApplyMode) -> Result<Applied, LoadError> {
        let digest = BundleDigest::of(files);
        let start = Instant::now();
        let compiled = compile(files, Strictness::Strict);
        self.reloads.took(start.elapsed());
        let compiled = match (compiled, mode) {
            (Ok(compiled), _) => compiled,
            (Err(error), ApplyMode::DryRun) => return Err(error),
            (Err(error), ApplyMode::Commit) => {
                self.refused(&error);
                return Err(error);
            }
        };
        let outcome = match mode {
            ApplyMode::DryRun => ApplyOutcome::Valid,
            ApplyMode::Commit if self.digest == Some(digest) => ApplyOutcome::Unchanged,
            ApplyMode::Commit => ApplyOutcome::Published,
        };
        let warnings = Finding::warnings(&compiled.loaded.lints);
        match outcome {
            ApplyOutcome::Valid => {}
            ApplyOutcome::Unchanged => {
                self.fresh();
                self.unchanged();
            }
            ApplyOutcome::Published => self.publish(compiled, &[], digest, start.elapsed()),
        }
        Ok(Applied {
            outcome,
            revision: self.status.live.as_ref().map(|live| live.revision),
            warnings,
        })
    }

    /// Puts a bundle into force: resources first, so that whoever sees the revision sees them too.
    fn publish(
        &mut self,
        compiled: Compiled,
        refused: &[RefusedAccount],
        digest: BundleDigest,
        took: Duration,
    ) {
        let Compiled {
            loaded,
            mut snapshot,
        } = compiled;
        tell(&loaded.lints, refused);
        let counts = Counts::of(&loaded.bundle);
        let revision = self.numbers.next(digest.short());
        snapshot.revision = revision;
        self.directory.replace(loaded.bundle.resources);
        self.publisher.publish(snapshot);
        self.digest = Some(digest);
        self.reloads.count(ReloadOutcome::Published);
        self.status = Status {
            live: Some(Live {
                revision,
                activated: Timestamp::now(),
                counts,
                refused_accounts: refused.to_vec(),
            }),
            refusal: None,
            stale_since: None,
        };
        self.tell_status();
        // Nobody may be watching.
        let _ = self.revisions.send(revision);
        let (number, accounts) = (revision.number, counts.accounts);
        let digest = format!("{:016x}", revision.digest);
        tracing::info!(revision = number, digest, accounts, ?took, "in force");
    }

    /// The source holds what is in force.
    fn fresh(&mut self) {
        if self.status.refusal.take().is_some() {
            self.status.stale_since = None;
            self.tell_status();
        }
    }

    /// The files are those that were seen last, whether they are in force or refused.
    fn same(&self) {
        if let Some(refusal) = &self.status.refusal {
            self.reloads.count(ReloadOutcome::Refused);
            tracing::error!(errors = refusal.errors.len(), "the bundle is still refused");
        } else {
            self.unchanged();
        }
    }

    fn unchanged(&self) {
        self.reloads.count(ReloadOutcome::Unchanged);
        tracing::info!("nothing changed");
    }

    /// security 7.4: "A refused bundle is stale from the moment it was seen."
    fn stale(&mut self, error: &LoadError) {
        self.status.stale_since.get_or_insert_with(Timestamp::now);
        self.refused(error);
    }

    fn refused(&mut self, error: &LoadError) {
        let errors = error.findings();
        let count = errors.len();
        self.reloads.count(ReloadOutcome::Refused);
        self.status.refusal = Some(Refusal {
            seen: Timestamp::now(),
            errors,
        });
        self.tell_status();
        tracing::error!(errors = count, %error, "the bundle is refused");
    }

    fn tell_status(&self) {
        self.told.send_replace(Arc::new(self.status.clone()));
    }
}

fn tell(lints: &[FileLint], refused: &[RefusedAccount]) {
    for lint in lints {
        tracing::warn!(%lint, "probably wrong");
    }
    for RefusedAccount {
        account,
        state,
        errors,
    } in refused
    {
        match state {
            AccountState::LastGood => {
                tracing::error!(%account, %errors, "the account stays at its last good state");
            }
            AccountState::Quarantined => tracing::error!(%account, %errors, "quarantined"),
        }
    }
}
