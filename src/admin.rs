//! Metrics and probes over HTTP/1.1, on a listener of their own.
//!
//! `/metrics` in the text format of OpenMetrics; `/livez` is 200 as long as the process answers;
//! `/readyz` is 200 while a snapshot is in force and the server does not drain, and says what is
//! stale. A request for a host that is not listed is refused, so that no web page reads it under a
//! name of its own (security 1.3).
//!
//! Not here: what is counted (`telemetry`).

mod metrics;
mod probe;
mod site;

use std::io;
use std::net::SocketAddr;

use tokio_util::sync::CancellationToken;

pub use self::metrics::Sources;
use self::site::Probes;
use crate::service::BindWebError;
use crate::service::web::Web;

/// The most connections at once; further ones wait.
const CONNECTIONS: usize = 64;

/// Where metrics and probes are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The address.
    pub listen: SocketAddr,
    /// Host names that requests may name, beside those of the loopback and the address itself.
    pub hosts: Vec<String>,
}

/// The listener, bound.
#[derive(Debug)]
pub struct Admin {
    web: Web,
    hosts: Vec<String>,
}

/// The state of the server, from which probes are answered.
#[derive(Debug, Clone)]
pub struct State {
    /// What is in force, and what is counted.
    pub sources: Sources,
    /// Cancelled when the server drains.
    pub draining: CancellationToken,
}

impl Admin {
    /// Takes the address.
    ///
    /// # Errors
    ///
    /// When it is taken.
    pub fn bind(config: Config) -> Result<Self, BindWebError> {
        let Config { listen, hosts } = config;
        let web = Web::bind(listen, CONNECTIONS)?;
        Ok(Self { web, hosts })
    }

    /// Where it listens, with the port that was taken.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.web.address()
    }

    /// Serves until `stop` is cancelled.
    ///
    /// # Errors
    ///
    /// When the listener cannot be used.
    pub async fn run(self, state: State, stop: CancellationToken) -> io::Result<()> {
        let Self { web, hosts } = self;
        web.run(Probes { state, hosts }, stop).await
    }
}
