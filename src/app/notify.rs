//! What a service manager is told, where one listens (`NOTIFY_SOCKET`): that the server is ready,
//! that it reads again, that it stops.

use std::sync::Arc;

use sd_notify::NotifyState;
use tokio::sync::watch;

use crate::management::Status;

/// Tells that the server is ready.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// With what a server is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum First {
    /// With policies in force.
    Policies,
    /// With nothing: whoever brings the first policies waits for the server.
    Nothing,
}

/// Tells that the server is ready, once it is. What is refused at start never is.
pub(super) async fn ready_with(first: First, mut status: watch::Receiver<Arc<Status>>) {
    if first == First::Nothing {
        return ready();
    }
    // Without a sender the server ends.
    if status
        .wait_for(|status| status.live.is_some())
        .await
        .is_ok()
    {
        tell(&[NotifyState::Ready]);
    }
}

/// Tells that files are read again, until the server is ready. Whether they are taken is told by
/// health and the log.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => tell(&[NotifyState::Reloading, now]),
        Err(error) => tracing::warn!(%error, "the service manager is not told of the reload"),
    }
}

/// Tells that the server drains.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "the service manager cannot be told");
    }
}
