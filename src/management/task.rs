//! The task itself: one command after the other, on a thread of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};

use super::authoring::Authoring;
use super::directory::{Begin, DirectoryWriter};
use super::load::{Compiled, LoadError, compile};
use super::reading::FileObjects;
use super::rollout::{AccountState, Candidate, Counts, GoodFiles, Numbers, RefusedAccount};
use super::status::{Live, Refusal, Status, expiry};
use super::{Applied, ApplyOutcome, AuthoredIn, Command, Config};
use crate::document::bundle::{BundleDigest, BundleFiles, FileLint, Strictness};
use crate::document::finding::Finding;
use crate::memory::{apart, settle};
use crate::model::inheritance::Inheritance;
use crate::model::tagging::Cause;
use crate::publish::Publisher;
use crate::snapshot::{Revision, Snapshot};
use crate::source::files::{Found, Seen};
use crate::telemetry::{ReloadOutcome, Reloads};

/// The task.
pub(super) struct Task {
    pub(super) publisher: Publisher,
    pub(super) writer: DirectoryWriter,
    pub(super) reloads: Reloads,
    numbers: Numbers,
    good: GoodFiles,
    /// The digest of what is in force.
    digest: Option<BundleDigest>,
    /// The store, where there is one.
    pub(super) authoring: Option<Authoring>,
    /// The rules of inheritance that the directory has acted on.
    governed: Option<Arc<Inheritance>>,
    /// The files in force, where there is none.
    files: watch::Sender<Option<Arc<FileObjects>>>,
    pub(super) status: Status,
    told: watch::Sender<Arc<Status>>,
    pub(super) revisions: broadcast::Sender<Revision>,
}

impl Task {
    pub(super) fn new(
        config: Config,
        files: watch::Sender<Option<Arc<FileObjects>>>,
        told: watch::Sender<Arc<Status>>,
        revisions: broadcast::Sender<Revision>,
    ) -> Self {
        let Config {
            publisher,
            reader,
            directory,
            writer,
            reloads,
            authored,
        } = config;
        let (source, authoring) = match authored {
            AuthoredIn::Files { source } => (source, None),
            AuthoredIn::Store {
                store,
                administrators,
            } => {
                let authoring = Authoring {
                    store,
                    administrators,
                    reader,
                    directory,
                };
                (authoring.store.source(), Some(authoring))
            }
        };
        Self {
            publisher,
            writer,
            reloads,
            numbers: Numbers::new(source),
            good: GoodFiles::default(),
            digest: None,
            authoring,
            governed: None,
            files,
            status: Status::default(),
            told,
            revisions,
        }
    }

    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        apart("load", || self.load());
        settle();
        while let Some(command) = inbox.blocking_recv() {
            match command {
                Command::Found(Found::New(seen)) => {
                    apart("load", || self.found(seen));
                    settle();
                }
                Command::Found(Found::Same) => self.same(),
                Command::Found(Found::Unreadable(error)) => self.stale(&error.into()),
                Command::Check { files, reply } => {
                    let checked = self.check(&files);
                    // Whoever asked may have gone.
                    let _ = reply.send(checked);
                }
                Command::Change { change, reply } => {
                    let changed = self.change(&change);
                    let _ = reply.send(changed);
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
        let candidate = self.good.compile(&files, Timestamp::now());
        self.reloads.took(start.elapsed());
        match candidate {
            Ok(Candidate { compiled, refused }) => {
                self.publish(compiled, &refused, digest, start.elapsed());
                self.keep(files, &refused);
            }
            Err(error) => self.stale(&error),
        }
    }

    /// Keeps the files that are in force, for those who read them and for accounts that go bad.
    fn keep(&mut self, files: BundleFiles, refused: &[RefusedAccount]) {
        let revision = self.status.live.as_ref().map(|live| live.revision);
        let objects = match self.good.keep(files, refused) {
            Ok(kept) => revision.map(|revision| FileObjects::new(revision, kept)),
            Err(error) => {
                tracing::error!(%error, "the files in force cannot be kept");
                None
            }
        };
        self.files.send_replace(objects.map(Arc::new));
    }

    fn check(&self, files: &BundleFiles) -> Result<Applied, LoadError> {
        let start = Instant::now();
        let compiled = compile(files, Strictness::Strict);
        self.reloads.took(start.elapsed());
        Ok(Applied {
            outcome: ApplyOutcome::Valid,
            revision: self.status.live.as_ref().map(|live| live.revision),
            warnings: Finding::warnings(&compiled?.loaded.lints),
            objects: 0,
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
        let max_staleness = loaded.bundle.settings.on_stale.limit();
        for one in refused {
            // An account at its last good state is as stale as a bundle would be.
            if let Some(from) = expiry(one.since, max_staleness) {
                let account = one.account.as_str().into();
                snapshot.accounts.quarantine(account, from);
            }
        }
        let revision = self.numbers.next(digest.short());
        snapshot.revision = revision;
        self.begin(Begin {
            resources: loaded.bundle.resources,
            // The files are the truth, whatever was written since.
            digest: None,
        });
        self.put_into_force(snapshot, Cause::default());
        self.digest = Some(digest);
        self.reloads.count(ReloadOutcome::Published);
        self.status = Status {
            live: Some(Live {
                revision,
                activated: Timestamp::now(),
                counts,
                max_staleness,
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

    /// Publishes a snapshot. Where its rules of inheritance are others, what they leave to do is
    /// on the disk before the next publication: a rule that is disabled and enabled again was out
    /// of force meanwhile (tag-policy 7, rule 44).
    pub(super) fn put_into_force(&mut self, snapshot: Snapshot, cause: Cause) {
        let rules = Arc::clone(&snapshot.inheritance);
        let governed = self.governed.as_ref();
        let is_same = governed.is_some_and(|governed| Arc::ptr_eq(governed, &rules));
        if !is_same {
            self.writer.announce(cause);
        }
        self.publisher.publish(snapshot);
        if is_same {
            return;
        }
        match self.writer.govern() {
            Ok(Ok(())) => self.governed = Some(rules),
            Ok(Err(_)) | Err(_) => {
                tracing::error!("the directory has not acted on the rules of inheritance");
            }
        }
    }

    /// Puts resources into the directory.
    pub(super) fn begin(&self, begin: Begin) {
        let done = self.writer.begin(begin);
        if !matches!(done, Ok(Ok(()))) {
            tracing::error!("the directory still holds the resources of before");
        }
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

    pub(super) fn unchanged(&self) {
        self.reloads.count(ReloadOutcome::Unchanged);
        tracing::info!("nothing changed");
    }

    /// security 7.4: "A refused bundle is stale from the moment it was seen."
    fn stale(&mut self, error: &LoadError) {
        self.status.stale_since.get_or_insert_with(Timestamp::now);
        self.refused(error);
    }

    fn refused(&mut self, error: &LoadError) {
        self.refused_for(error.findings());
    }

    pub(super) fn refused_for(&mut self, errors: Vec<Finding>) {
        let (count, first) = (errors.len(), errors.first().cloned());
        self.reloads.count(ReloadOutcome::Refused);
        self.status.refusal = Some(Refusal {
            seen: Timestamp::now(),
            errors,
        });
        self.tell_status();
        let error = first.as_ref().map_or("", |first| &*first.message);
        tracing::error!(errors = count, error, "the bundle is refused");
    }

    pub(super) fn tell_status(&self) {
        self.publisher.stand(self.status.standing());
        self.told.send_replace(Arc::new(self.status.clone()));
    }
}

pub(super) fn tell(lints: &[FileLint], refused: &[RefusedAccount]) {
    for lint in lints {
        tracing::warn!(%lint, "probably wrong");
    }
    for RefusedAccount {
        account,
        state,
        since: _,
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
