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

/// Tells that the server is ready, once something is in force. What is refused at start never is.
pub(super) async fn ready_with_policies(mut status: watch::Receiver<Arc<Status>>) {
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
