//! What signals do.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::service::Phase;
use crate::source::files::Watch;

/// The first signal to stop drains, the second ends at once; SIGHUP reads the bundle again.
pub(super) async fn on_signals(
    phase: watch::Sender<Phase>,
    draining: CancellationToken,
    watch: Option<Watch>,
) -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    let mut next = Phase::Draining;
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {
                reload(watch.as_ref());
                continue;
            }
        }
        draining.cancel();
        phase.send_replace(next);
        // Told when it is done: whoever reads it sees a server that drains.
        tracing::info!(?next, "stopping");
        next = Phase::Ended;
    }
}

fn reload(watch: Option<&Watch>) {
    if let Some(watch) = watch {
        watch.reload();
    } else {
        tracing::info!("nothing to reload: bundles come by the management channel");
    }
}
