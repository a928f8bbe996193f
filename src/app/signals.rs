//! What signals do.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::notify;
use crate::service::Phase;
use crate::source::files::Watch;
use crate::source::watch::Watcher;

/// What is watched, and read again when somebody asks.
pub(super) struct Watched {
    pub(super) bundle: Option<Watch>,
    pub(super) credentials: Vec<Watcher>,
}

/// The signals that are listened to: from here on they do what is said below.
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    pub(super) fn listen() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }
}

/// The first signal to stop drains, the second ends at once; SIGHUP reads the bundle
/// and the files of TLS again.
pub(super) async fn on_signals(
    signals: Signals,
    phase: watch::Sender<Phase>,
    draining: CancellationToken,
    watched: Watched,
) {
    let Signals {
        mut terminate,
        mut interrupt,
        mut hangup,
    } = signals;
    let mut next = Phase::Draining;
    loop {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
            _ = hangup.recv() => {
                notify::reloading();
                watched.reload();
                notify::ready();
                continue;
            }
        }
        draining.cancel();
        phase.send_replace(next);
        notify::stopping();
        // Told when it is done: whoever reads it sees a server that drains.
        tracing::info!(?next, "stopping");
        next = Phase::Ended;
    }
}

impl Watched {
    fn reload(&self) {
        let Self {
            bundle,
            credentials,
        } = self;
        if let Some(bundle) = bundle {
            bundle.reload();
        }
        for watcher in credentials {
            watcher.look();
        }
        if bundle.is_none() && credentials.is_empty() {
            tracing::info!("nothing to reload: bundles come by the management channel");
        }
    }
}
