//! The data server: listeners, workers and the services behind them.
//!
//! [`Server::bind`] takes the addresses, so that a taken one is told before anything starts;
//! [`Server::run`] serves until it is told to stop, drains, and ends what has not ended by itself
//! when the time for it is over.
//!
//! Not here: what is answered (`pdp`), and who stops the server and why (`app`).

mod accept;
mod authorization;
mod call;
mod connection;
mod health;
mod listen;
pub mod pap;
pub mod pdp;
mod peer;
mod phase;
mod socket;
mod worker;

use std::convert::Infallible;
use std::io;
use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::{HealthReporter, HealthService};

pub use self::connection::Config as ConnectionConfig;
pub use self::listen::{BindError, InvalidListen, Listen};
use self::pdp::{Pdp, Served};
pub use self::peer::{Credentials, Deadline, Peer, PeerAddress};
pub use self::phase::Phase;
use crate::wire::DESCRIPTORS;
use crate::wire::v1::tagging_service_server::TaggingServiceServer;

/// How the data server runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where it listens. Default: `127.0.0.1:4770`.
    pub listen: Vec<Listen>,
    /// How many worker threads there are. Default: the processors that this process may use.
    pub workers: Option<NonZeroUsize>,
    /// The most connections at once; further ones wait. Default: 4,096.
    pub connections: usize,
    /// The limits of each connection.
    pub connection: ConnectionConfig,
    /// How long it still takes connections after it was told to stop, while health says that it
    /// does not serve. Default: none.
    pub lame_duck: Duration,
    /// The longest that open calls may take after that. Default: 10 s.
    pub drain: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![Listen::Tcp((Ipv4Addr::LOCALHOST, 4_770).into())],
            workers: None,
            connections: 4_096,
            connection: ConnectionConfig::default(),
            lame_duck: Duration::ZERO,
            drain: Duration::from_secs(10),
        }
    }
}

/// A server whose addresses are taken.
#[derive(Debug)]
pub struct Server {
    config: Config,
    bound: Vec<listen::Bound>,
    open: Arc<AtomicUsize>,
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All calls had ended.
    Drained,
    /// So many connections were cut.
    Cut {
        /// How many.
        connections: usize,
    },
}

/// Why a server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A worker or a listener cannot be started.
    #[error("a worker or a listener cannot be started: {0}")]
    Start(#[from] io::Error),
    /// The descriptors of the API cannot be read.
    #[error("the API's descriptors cannot be served: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
}

impl Server {
    /// Takes the addresses.
    ///
    /// # Errors
    ///
    /// The first address that cannot be taken.
    pub fn bind(config: Config) -> Result<Self, BindError> {
        let bound = config
            .listen
            .iter()
            .map(listen::Bound::bind)
            .collect::<Result<_, _>>()?;
        Ok(Self {
            config,
            bound,
            open: Arc::default(),
        })
    }

    /// Where it listens, with the ports that were taken.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn addresses(&self) -> io::Result<Vec<Listen>> {
        self.bound.iter().map(listen::Bound::address).collect()
    }

    /// How many connections are open, while it runs.
    pub fn open_connections(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.open)
    }

    /// Serves until `stop` says [`Phase::Draining`], and then until the calls under way have ended
    /// or the time for it is over; [`Phase::Ended`] ends it at once. A sender that is gone counts
    /// as that.
    ///
    /// The acceptor and all slow calls run on the runtime that this is called on, decisions on
    /// threads of their own.
    ///
    /// # Errors
    ///
    /// When a worker or a listener cannot be started.
    pub async fn run(self, pdp: Pdp, mut stop: watch::Receiver<Phase>) -> Result<Ended, RunError> {
        let serving = Serving::start(self, &pdp).await?;
        phase::reached(&mut stop, Phase::Draining).await;
        Ok(serving.end(stop).await)
    }
}

/// A server that serves.
struct Serving {
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
    async fn start(server: Server, pdp: &Pdp) -> Result<Self, RunError> {
        let Server {
            config,
            bound,
            open,
        } = server;
        let (phase, phases) = watch::channel(Phase::Serving);
        let (told, tellings) = watch::channel(Phase::Serving);
        let reporter = HealthReporter::new();
        health::set(&reporter, ServingStatus::NotServing).await;
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
    async fn end(self, mut stop: watch::Receiver<Phase>) -> Ended {
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
        let others = others(reporter)?;
        let limits = Arc::new(self.config.connection.clone());
        let count = match self.config.workers {
            Some(count) => count,
            None => available_parallelism()?,
        };
        let mut senders = Vec::with_capacity(count.get());
        for number in 0..count.get() {
            let served = Served(Arc::new(self.pdp.for_worker()));
            let services = call::Services {
                authorization: authorization::Authorization {
                    pdp: served.clone(),
                    message_bytes: limits.message_bytes,
                },
                tagging: TaggingServiceServer::new(served)
                    .max_decoding_message_size(limits.message_bytes),
                others: others.clone(),
                slow: Handle::current(),
                longest: limits.longest_call,
                phases: self.phases.clone(),
            };
            let connections = connection::Connections {
                config: Arc::clone(&limits),
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
fn others(reporter: &HealthReporter) -> Result<Routes, RunError> {
    let reflection = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(DESCRIPTORS)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    let health = HealthServer::new(HealthService::from_health_reporter(reporter.clone()));
    Ok(Routes::new(health)
        .add_service(reflection().build_v1()?)
        .add_service(reflection().build_v1alpha()?)
        .prepare())
}
