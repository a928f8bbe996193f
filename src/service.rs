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
mod directory;
mod handshake;
mod health;
mod listen;
pub(crate) mod listing;
mod mesh;
pub mod pap;
pub mod pdp;
mod peer;
mod phase;
mod reflection;
pub mod rest;
mod serving;
mod socket;
pub(crate) mod web;
mod worker;

use std::io;
use std::net::Ipv4Addr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use tokio::sync::watch;

pub use self::connection::Config as ConnectionConfig;
pub use self::directory::step as directory_step;
pub use self::health::BUNDLE as BUNDLE_HEALTH;
pub use self::listen::{BindError, InvalidListen, Listen, Owner};
use self::pdp::Pdp;
pub use self::peer::{Credentials, Deadline, Peer, PeerAddress};
pub use self::phase::Phase;
use self::serving::Serving;
pub use self::web::BindWebError;
use crate::tls::Endpoint;

/// How the data server runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where it listens. Default: `127.0.0.1:4770`.
    pub listen: Vec<Listen>,
    /// What addresses for TLS begin it by. Default: nothing, and there can be no such address.
    pub endpoint: Option<Arc<Endpoint>>,
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
            endpoint: None,
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
            .map(|address| listen::Bound::bind(address, config.endpoint.as_ref()))
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
