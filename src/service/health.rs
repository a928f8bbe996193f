//! Health: serving once a snapshot is live, not serving from the moment the server drains.

use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::phase::{Phase, reached};
use crate::publish::Reader;

/// The services that health is told of; the empty name is the server as a whole.
const SERVICES: [&str; 3] = [
    "",
    "tagwarden.v1.AuthorizationService",
    "tagwarden.v1.TaggingService",
];

/// Sets the health of every service.
pub(super) async fn set(reporter: &HealthReporter, status: ServingStatus) {
    for service in SERVICES {
        reporter.set_service_status(service, status).await;
    }
}

/// Tells health by the first snapshot and the phase, until the server drains.
pub(super) async fn report(
    reporter: HealthReporter,
    reader: Reader,
    mut phases: watch::Receiver<Phase>,
) {
    let live = async {
        if reader.wait_for(|_| true).await {
            set(&reporter, ServingStatus::Serving).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        biased;
        () = reached(&mut phases, Phase::Draining) => {}
        () = live => {}
    }
    set(&reporter, ServingStatus::NotServing).await;
}
