//! A server on its way: workers and acceptors are started, and taken down in order.

use std::convert::Infallible;
use std::sync::Arc;
use std::thread::available_parallelism;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

use super::authorization::Authorization;
use super::handshake::Gate;
use super::pdp::{Pdp, Served};
use super::phase::{self, Phase};
use super::reflection::{self, Lazy};
use super::{Config, Ended, RunError, Server, accept, call, connection, health, worker};
use crate::wire::envoy::service::auth::v3::authorization_server::AuthorizationServer;
use crate::wire::v1::tagging_service_server::TaggingServiceServer;

/// A server that serves.
pub(super) struct Serving {
    config: Config,
    phase: watch::Sender<Phase>,
    /// The phase that health tells: it is ahead of the server's own by the lame duck's time.
    told: watch::Sender<Phase>,
    health: JoinHandle<()>,
    acceptors: TaskTracker,
    places: accept::Places,
    /// Carries nothing, and closes when the last worker has ended.
    workers: mpsc::Receiver<Infallible>,
}

impl Serving {
    pub(super) async fn start(server: Server, pdp: &Pdp) -> Result<Self, RunError> {
        let Server {
            config,
            bound,
            open,
        } = server;
        let (phase, phases) = watch::channel(Phase::Serving);
        let (told, tellings) = watch::channel(Phase::Serving);
        let reporter = HealthReporter::new();
        health::begin(&reporter).await;
        let (alive, workers) = mpsc::channel(1);
        let starting = Starting {
            config: &config,
            pdp,
            phases: &phases,
            alive,
        };
        let senders = starting.workers(&reporter)?;
        let places = accept::Places::new(config.connections, open);
        let acceptors = TaskTracker::new();
        for (number, bound) in bound.into_iter().enumerate() {
            let workers = worker::Workers::new(senders.clone(), number);
            let listener = accept::Listener::new(bound)?;
            acceptors.spawn(accept::accept(
                listener,
                workers,
                places.clone(),
                phases.clone(),
            ));
        }
        acceptors.close();
        let health = tokio::spawn(health::report(reporter, pdp.reader().clone(), tellings));
        Ok(Self {
            config,
            phase,
            told,
            health,
            acceptors,
            places,
            workers,
        })
    }

    /// Health first, then the listeners, then the calls under way.
    pub(super) async fn end(self, mut stop: watch::Receiver<Phase>) -> Ended {
        let Self {
            config,
            phase,
            told,
            health,
            acceptors,
            places,
            mut workers,
        } = self;
        told.send_replace(Phase::Draining);
        // A panic in there keeps nothing from ending.
        let _ = health.await;
        let draining = async {
            sleep(config.lame_duck).await;
            phase.send_replace(Phase::Draining);
            acceptors.wait().await;
            workers.recv().await;
        };
        tokio::select! {
            _ = timeout(config.lame_duck + config.drain, draining) => {}
            () = phase::reached(&mut stop, Phase::Ended) => {}
        }
        let connections = places.open();
        phase.send_replace(Phase::Ended);
        workers.recv().await;
        if connections == 0 {
            Ended::Drained
        } else {
            Ended::Cut { connections }
        }
    }
}

/// What is needed to start the workers.
struct Starting<'a> {
    config: &'a Config,
    pdp: &'a Pdp,
    phases: &'a watch::Receiver<Phase>,
    alive: mpsc::Sender<Infallible>,
}

impl Starting<'_> {
    fn workers(
        self,
        reporter: &HealthReporter,
    ) -> Result<Vec<mpsc::Sender<worker::Accepted>>, RunError> {
        let others = others(reporter);
        let limits = Arc::new(self.config.connection.clone());
        let gate = Gate::new(limits.handshakes);
        let count = match self.config.workers {
            Some(count) => count,
            None => available_parallelism()?,
        };
        let mut senders = Vec::with_capacity(count.get());
        for number in 0..count.get() {
            let served = Served(Arc::new(self.pdp.for_worker()));
            let services = call::Services {
                authorization: Authorization {
                    pdp: served.clone(),
                    message_bytes: limits.message_bytes,
                },
                mesh: AuthorizationServer::new(served.clone())
                    .max_decoding_message_size(limits.message_bytes),
                tagging: TaggingServiceServer::new(served)
                    .max_decoding_message_size(limits.message_bytes),
                others: others.clone(),
                slow: Handle::current(),
                longest: limits.longest_call,
                phases: self.phases.clone(),
            };
            let connections = connection::Connections {
                config: Arc::clone(&limits),
                gate: gate.clone(),
                services: Arc::new(services),
                phases: self.phases.clone(),
            };
            let (phases, alive) = (self.phases.clone(), self.alive.clone());
            senders.push(worker::start(number, connections, phases, alive)?);
        }
        Ok(senders)
    }
}

/// Health and reflection.
fn others(reporter: &HealthReporter) -> Routes {
    let health = HealthServer::new(HealthService::from_health_reporter(reporter.clone()));
    Routes::new(health)
        .add_service(Lazy::new(|| reflection::builder().build_v1()))
        .add_service(Lazy::new(|| reflection::builder().build_v1alpha()))
        .prepare()
}
