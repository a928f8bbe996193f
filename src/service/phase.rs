//! What the server is about to do: serve, drain or end at once.

use tokio::sync::watch;

/// How a server goes down. It only ever moves forward.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// It takes connections and calls.
    #[default]
    Serving,
    /// It takes no new connections and lets calls end.
    Draining,
    /// It ends whatever is open.
    Ended,
}

/// Waits until a phase is reached. A sender that is gone counts as [`Phase::Ended`].
pub(super) async fn reached(phases: &mut watch::Receiver<Phase>, phase: Phase) {
    // Without a sender nobody is left who could tell, and the server ends.
    let _ = phases.wait_for(|now| *now >= phase).await;
}
