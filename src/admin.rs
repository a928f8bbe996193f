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

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use self::metrics::Sources;
use self::site::Site;

/// The most connections at once; further ones wait.
const CONNECTIONS: usize = 64;
/// The time for the head of a request.
const HEAD: Duration = Duration::from_secs(5);
/// The longest that a connection lives.
const LIFE: Duration = Duration::from_mins(5);
/// How long to rest when the system has no more descriptors.
const REST: Duration = Duration::from_millis(50);

/// Where metrics and probes are served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The address.
    pub listen: SocketAddr,
    /// Host names that requests may name, beside those of the loopback and the address itself.
    pub hosts: Vec<String>,
}

/// Why the address cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on `{address}`: {cause}")]
pub struct BindAdminError {
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    #[source]
    pub cause: io::Error,
}

/// The listener, bound.
#[derive(Debug)]
pub struct Admin {
    listener: std::net::TcpListener,
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
    pub fn bind(config: Config) -> Result<Self, BindAdminError> {
        let Config {
            listen: address,
            hosts,
        } = config;
        let bound = std::net::TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let listener = bound.map_err(|cause| BindAdminError { address, cause })?;
        Ok(Self { listener, hosts })
    }

    /// Where it listens, with the port that was taken.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is cancelled.
    ///
    /// # Errors
    ///
    /// When the listener cannot be used.
    pub async fn run(self, state: State, stop: CancellationToken) -> io::Result<()> {
        let Self { listener, hosts } = self;
        let listener = TcpListener::from_std(listener)?;
        let site = Arc::new(Site { state, hosts });
        let places = Arc::new(Semaphore::new(CONNECTIONS));
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                accepted = accept(&listener, &places) => accepted,
            };
            match accepted {
                Ok((socket, place)) => {
                    let serving = serve(socket, Arc::clone(&site), stop.clone());
                    tokio::spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "an admin connection could not be accepted");
                    tokio::time::sleep(REST).await;
                }
            }
        }
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.map_err(io::Error::other)?;
    let (socket, _) = listener.accept().await?;
    Ok((socket, place))
}

/// Serves one connection to its end, and not for ever.
async fn serve(socket: TcpStream, site: Arc<Site>, stop: CancellationToken) {
    let own = socket.local_addr().ok().map(|address| address.ip());
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = site.answer(&request, own);
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(16 * 1_024);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(socket), service));
    tokio::select! {
        // What a peer does to its own connection concerns nobody else.
        _ = &mut serving => return,
        () = stop.cancelled() => {}
        () = tokio::time::sleep(LIFE) => {}
    }
    serving.as_mut().graceful_shutdown();
    let _ = tokio::time::timeout(HEAD, serving).await;
}
