//! What becomes of a file that could not be written: it is opened again after a while, and what it
//! holds counts. Calls that come before are told so; decisions go on.

use std::time::{Duration, Instant};

use super::Writer;
use crate::source::directory::DirectoryStore;
use crate::source::embedded::StoreError;

/// How long nothing is tried after the file could not be written.
const PAUSE: Duration = Duration::from_secs(1);

impl Writer {
    /// The file cannot be written. What fails while that is known says nothing new.
    pub(super) fn fail(&mut self, error: &StoreError) {
        if self.failed.is_none() {
            self.failed = Some(Instant::now());
            self.writes.set_failing(true);
            tracing::error!(%error, "the directory cannot be written");
        }
    }

    /// Opens the file again, a while after it could not be written.
    pub(super) fn mend(&mut self) {
        let due = self.failed.is_some_and(|tried| tried.elapsed() >= PAUSE);
        let Some(store) = self.store.clone().filter(|_| due) else {
            return;
        };
        match self.take_over(&store) {
            Ok(()) => {
                self.failed = None;
                self.writes.set_failing(false);
                let version = self.version.0;
                tracing::warn!(version, "the directory can be written again");
            }
            Err(error) => {
                self.failed = Some(Instant::now());
                tracing::error!(%error, "the directory still cannot be written");
            }
        }
    }

    /// Opens the file again. The group that failed is there entirely or not at all: where it is,
    /// it counts.
    fn take_over(&mut self, store: &DirectoryStore) -> Result<(), StoreError> {
        let version = store.reopen()?;
        if version < self.version {
            let what = "changes that were acknowledged are missing";
            return Err(StoreError::Damaged(what.to_owned()));
        }
        if version > self.version {
            let mut resources = Vec::new();
            let loaded = store.load(|resource| resources.push(resource))?;
            self.base.replace(resources);
            self.know(loaded)?;
        }
        Ok(())
    }
}
