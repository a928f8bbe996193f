//! Waiting for a revision (security 9): only with a deadline, briefly, and by a bounded number.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::Call;
use crate::model::verdict::limits;
use crate::publish::Reader;
use crate::snapshot::{Revision, Snapshot};
use crate::wire::message::RevisionToken;
use crate::wire::reply::source_text;
use crate::wire::status::CallError;
use crate::wire::v1;

/// The longest that a call waits.
const LONGEST: Duration = Duration::from_secs(limits::WAIT_SECONDS);

/// Whether a snapshot is at least as new as a token asks.
pub(super) fn check<'m>(
    revision: &Revision,
    token: Option<impl Into<RevisionToken<'m>>>,
) -> Result<(), CallError> {
    let Some(token) = token else {
        return Ok(());
    };
    let RevisionToken { source, number } = token.into();
    if source != source_text(revision)
        || number.saturating_sub(revision.number) > limits::REVISIONS_AHEAD
    {
        return Err(CallError::RevisionUnreachable);
    }
    if number > revision.number {
        return Err(CallError::RevisionNotReached {
            asked: number,
            served: revision.number,
        });
    }
    Ok(())
}

/// How long a call may wait: what it says of a revision that did not come must be there before its
/// deadline, or the sender would never read it.
fn longest(deadline: Instant) -> Duration {
    let left = deadline.saturating_duration_since(Instant::now());
    LONGEST.min(left / 10 * 9)
}

/// Waits until the newest snapshot is at least as new as a token asks.
pub(super) async fn reach(
    reader: &Reader,
    waiters: &Semaphore,
    call: &Call,
    token: Option<&v1::RevisionToken>,
) -> Result<(), CallError> {
    let checked = match reader.load().as_deref() {
        Some(snapshot) => check(&snapshot.revision, token),
        None => return Err(CallError::SnapshotNotReady),
    };
    let (Err(late @ CallError::RevisionNotReached { .. }), Some(deadline)) =
        (&checked, call.deadline)
    else {
        return checked;
    };
    let of_all = waiters
        .try_acquire()
        .map_err(|_| CallError::TooManyWaiters)?;
    let peer = call.peer.as_ref();
    let of_peer = peer
        .map(|peer| peer.waiters.try_acquire())
        .transpose()
        .map_err(|_| CallError::TooManyWaiters)?;
    let reached = |snapshot: &Snapshot| check(&snapshot.revision, token).is_ok();
    let waited = timeout(longest(deadline), reader.wait_for(reached)).await;
    drop((of_all, of_peer));
    match waited {
        Ok(true) => Ok(()),
        Ok(false) | Err(_) => Err(late.clone()),
    }
}
