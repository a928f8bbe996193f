//! Health: serving once a snapshot is live, and not serving while nothing is decided and from the
//! moment the server drains.
//!
//! A service of its own tells whether the newest bundle is in force: a refusal concerns whoever
//! deploys policies, and not those who balance calls.

use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::sleep;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::phase::{Phase, reached};
use crate::publish::{Newest, Reader, Standing};

/// The services that answer from a snapshot; the empty name is the server as a whole.
const SERVICES: [&str; 4] = [
    "",
    "tagwarden.v1.AuthorizationService",
    "tagwarden.v1.TaggingService",
    "envoy.service.auth.v3.Authorization",
];

/// Not serving while the newest bundle, or an account of it, is refused or cannot be read.
pub const BUNDLE: &str = "tagwarden.bundle";

/// The health of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Health {
    services: ServingStatus,
    bundle: ServingStatus,
}

const NOT_SERVING: Health = Health {
    services: ServingStatus::NotServing,
    bundle: ServingStatus::NotServing,
};

impl Health {
    fn of(standing: Standing, now: Timestamp) -> Self {
        Self {
            services: if standing.is_expired(now) {
                ServingStatus::NotServing
            } else {
                ServingStatus::Serving
            },
            bundle: match standing.newest {
                Newest::InForce => ServingStatus::Serving,
                Newest::Refused => ServingStatus::NotServing,
            },
        }
    }
}

/// Tells that nothing serves yet.
pub(super) async fn begin(reporter: &HealthReporter) {
    for service in SERVICES.into_iter().chain([BUNDLE]) {
        reporter
            .set_service_status(service, NOT_SERVING.services)
            .await;
    }
}

/// Tells health by the first snapshot, by how it stands, and by the phase, until the server drains.
pub(super) async fn report(
    reporter: HealthReporter,
    reader: Reader,
    mut phases: watch::Receiver<Phase>,
) {
    let mut telling = Telling {
        reporter,
        told: NOT_SERVING,
    };
    tokio::select! {
        biased;
        () = reached(&mut phases, Phase::Draining) => {}
        () = telling.follow(&reader) => {}
    }
    telling.tell(NOT_SERVING).await;
}

/// What was told last: watchers are told of changes alone.
struct Telling {
    reporter: HealthReporter,
    told: Health,
}

impl Telling {
    /// Never ends.
    async fn follow(&mut self, reader: &Reader) {
        let mut standings = reader.standing();
        let mut goes_on = reader.wait_for(|_| true).await;
        while goes_on {
            let standing = *standings.borrow_and_update();
            let now = Timestamp::now();
            self.tell(Health::of(standing, now)).await;
            goes_on = tokio::select! {
                changed = standings.changed() => changed.is_ok(),
                () = expiry(standing, now) => true,
            };
        }
        std::future::pending::<()>().await;
    }

    async fn tell(&mut self, health: Health) {
        if self.told.services != health.services {
            for service in SERVICES {
                self.reporter
                    .set_service_status(service, health.services)
                    .await;
            }
        }
        if self.told.bundle != health.bundle {
            self.reporter
                .set_service_status(BUNDLE, health.bundle)
                .await;
        }
        self.told = health;
    }
}

/// Ends when what is in force decides no more; never, if that is past or not in sight.
async fn expiry(standing: Standing, now: Timestamp) {
    match standing.expires {
        Some(expires) if expires > now => {
            sleep(Duration::try_from(expires.duration_since(now)).unwrap_or_default()).await;
        }
        Some(_) | None => std::future::pending().await,
    }
}
