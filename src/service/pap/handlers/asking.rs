//! Who asks, and what it may read: the question before each answer.

use jiff::Timestamp;

use super::{From, Handlers};
use crate::management::permission::{Actor, Court, Read};
use crate::management::reading::{Reading, ReadingError};
use crate::wire::change;
use crate::wire::status::{CallError, ManageFault};

impl Handlers {
    /// As whom a peer acts, where it does.
    pub(super) fn known(&self, from: &From) -> Result<Actor, CallError> {
        let snapshot = self.config.reader.load_full();
        let actor = Actor::find(
            snapshot.as_deref(),
            &from.origin,
            &self.config.administrators,
        );
        match actor {
            Actor::Nobody { caller } => {
                tracing::warn!(peer = from.peer, caller, "a management call is refused");
                Err(ManageFault::Nobody { caller }.into())
            }
            Actor::Administrator { .. } | Actor::Principal { .. } => Ok(actor),
        }
    }

    /// Reads one state on a thread of its own, if whoever asks may.
    pub(super) async fn reading<T: Send + 'static>(
        &self,
        from: &From,
        read: impl FnOnce(&Handlers, &Actor, &Reading) -> Result<T, CallError> + Send + 'static,
    ) -> Result<T, CallError> {
        let actor = self.known(from)?;
        let handlers = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let reading = handlers.config.management.reading().map_err(unread)?;
            read(&handlers, &actor, &reading)
        });
        done.await.map_err(|_| CallError::Stopping)?
    }

    /// Whether an actor may read this in a state.
    pub(super) fn may_read(
        &self,
        actor: &Actor,
        reading: &Reading,
        read: Read<'_>,
    ) -> Result<(), CallError> {
        let snapshot = self.config.reader.load_full();
        let court = Court {
            snapshot: snapshot.as_deref(),
            state: reading.as_authored(),
            directory: &self.config.directory,
            now: Timestamp::now(),
        };
        let may = court.may_read(actor, read);
        may.map_err(|error| unread(error.into()))?
            .map_err(change::denied)
    }
}

/// What is told of a state that cannot be read; the log has the rest.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
pub(super) fn unread(error: ReadingError) -> CallError {
    match error {
        ReadingError::Nothing => CallError::SnapshotNotReady,
        ReadingError::Failed(_) | ReadingError::Unreadable(_) => {
            tracing::error!(%error, "the authored state cannot be read");
            ManageFault::StoreFailed.into()
        }
    }
}
