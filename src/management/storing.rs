//! What the task does with a store: it loads what is there, makes changes, and publishes them.

use std::time::Instant;

use jiff::Timestamp;

use super::authoring::{Done, Made, Next, count};
use super::change::{Change, ChangeError};
use super::status::{Live, Status};
use super::task::{Task, tell};
use super::{Applied, ApplyMode, ApplyOutcome};
use crate::document::finding::Finding;
use crate::model::tagging::Cause;
use crate::snapshot::Revision;
use crate::telemetry::ReloadOutcome;

impl Task {
    /// Puts the state of the store into force, if there is one. One that is refused is told, and
    /// nothing is served until a change makes it good.
    pub(super) fn load(&mut self) {
        let Some(authoring) = &self.authoring else {
            return;
        };
        match authoring.load() {
            Ok(None) => {}
            Ok(Some((next, revision, cause))) => {
                self.put(next, revision, cause);
                tracing::info!(revision = revision.number, "in force");
            }
            Err(error) => {
                let whole = |error: ChangeError| vec![Finding::whole(error.to_string())];
                self.refused_for(error.into_findings().unwrap_or_else(whole));
            }
        }
    }

    /// Makes a change of the store, or says what would come of it.
    pub(super) fn change(&mut self, change: &Change) -> Result<Applied, ChangeError> {
        let authoring = self.authoring.as_ref().ok_or(ChangeError::ReadOnly)?;
        let start = Instant::now();
        let counts = self.status.live.as_ref().map(|live| live.counts);
        let done = authoring.change(change, counts);
        self.reloads.took(start.elapsed());
        match done {
            Ok(Done::Told(applied)) => {
                self.unchanged();
                Ok(applied)
            }
            Ok(Done::Made(made)) => {
                let Made {
                    next,
                    committed,
                    differences,
                    cause,
                } = *made;
                let objects = count(&differences);
                let warnings = Finding::warnings(&next.lints);
                let revision = committed.revision;
                self.put(next, revision, cause);
                let (number, sync) = (revision.number, committed.sync);
                let took = start.elapsed();
                tracing::info!(revision = number, objects, ?took, ?sync, "in force");
                Ok(Applied {
                    outcome: ApplyOutcome::Published,
                    revision: Some(revision),
                    warnings,
                    objects,
                })
            }
            Err(error) => {
                if change.mode == ApplyMode::Commit {
                    self.reloads.count(ReloadOutcome::Refused);
                }
                tracing::warn!(%error, "a change is refused");
                Err(error)
            }
        }
    }

    /// Puts a state into force: resources first, so that whoever sees the revision sees them too.
    fn put(&mut self, next: Next, revision: Revision, cause: Cause) {
        let Next {
            mut snapshot,
            lints,
            counts,
            resources,
        } = next;
        tell(&lints, &[]);
        let max_staleness = snapshot.settings.on_stale.limit();
        snapshot.revision = revision;
        if let Some(resources) = resources {
            self.begin(resources);
        }
        self.put_into_force(snapshot, cause);
        self.reloads.count(ReloadOutcome::Published);
        self.status = Status {
            live: Some(Live {
                revision,
                activated: Timestamp::now(),
                counts,
                max_staleness,
                refused_accounts: Vec::new(),
            }),
            refusal: None,
            stale_since: None,
        };
        self.tell_status();
        // Nobody may be watching.
        let _ = self.revisions.send(revision);
    }
}
