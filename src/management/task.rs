//! The task itself: one command after the other, on a thread of its own.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{broadcast, mpsc, watch};

use super::load::{Compiled, LoadError, compile};
use super::rollout::{AccountState, Candidate, Counts, GoodFiles, Numbers, RefusedAccount};
use super::status::{Live, Refusal, Status, expiry};
use super::{Applied, ApplyMode, ApplyOutcome, Command, Config};
use crate::directory::Directory;
use crate::document::bundle::{BundleDigest, BundleFiles, FileLint, Strictness};
use crate::document::finding::Finding;
use crate::publish::Publisher;
use crate::snapshot::Revision;
use crate::source::files::{Found, Seen};
use crate::telemetry::{ReloadOutcome, Reloads};

/// The task.
pub(super) struct Task {
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
    pub(super) fn new(
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

    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
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
        let candidate = self.good.compile(&files, Timestamp::now());
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
        self.directory.replace(loaded.bundle.resources);
        self.publisher.publish(snapshot);
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
        self.publisher.stand(self.status.standing());
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
