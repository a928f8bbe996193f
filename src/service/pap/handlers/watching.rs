//! A watcher of revisions, between two of them.

use tokio::sync::{broadcast, watch};

use crate::management::Management;
use crate::service::phase::{Phase, reached};
use crate::snapshot::Revision;
use crate::wire::status::CallError;

/// A watcher between two revisions.
pub(super) struct Watching {
    revisions: broadcast::Receiver<Revision>,
    first: Option<Revision>,
    /// The number that was told last.
    last: u64,
    phases: watch::Receiver<Phase>,
}

impl Watching {
    pub(super) fn new(
        management: &Management,
        phases: watch::Receiver<Phase>,
    ) -> Result<Self, CallError> {
        // Subscribed first and read then: no revision falls in between.
        let revisions = management.revisions();
        let revisions = revisions.map_err(|_| CallError::Stopping)?;
        let status = management.status();
        let first = status.borrow().live.as_ref().map(|live| live.revision);
        Ok(Self {
            revisions,
            first,
            last: 0,
            phases,
        })
    }

    pub(super) async fn next(&mut self) -> Option<Revision> {
        let next = match self.first.take() {
            Some(first) => first,
            None => self.published().await?,
        };
        self.last = next.number;
        Some(next)
    }

    /// The next revision that was not told yet; none, once the server stops.
    async fn published(&mut self) -> Option<Revision> {
        loop {
            let received = tokio::select! {
                () = reached(&mut self.phases, Phase::Draining) => return None,
                received = self.revisions.recv() => received,
            };
            match received {
                Ok(revision) if revision.number > self.last => return Some(revision),
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}
