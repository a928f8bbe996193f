//! Plain HTTP/1.1 on an address of its own: an accept loop under limits.
//!
//! Not here: what is answered. Nothing sends CORS headers (security 1.3).

pub(crate) mod host;

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::peer::{Peer, PeerAddress};

/// The time for the head of a request.
const HEAD: Duration = Duration::from_secs(5);
/// The longest that a connection lives.
const LIFE: Duration = Duration::from_mins(5);
/// How long to rest when the system has no more descriptors.
const REST: Duration = Duration::from_millis(50);

/// Why an address of HTTP cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on `{address}`: {cause}")]
pub struct BindWebError {
    /// The address.
    pub address: SocketAddr,
    /// What the system says.
    #[source]
    pub cause: io::Error,
}

/// An answer, whole.
pub(crate) type Answer = Response<Full<Bytes>>;

/// What answers requests.
pub(crate) trait Site: Send + Sync + 'static {
    /// Answers one.
    fn answer(&self, request: Request<Incoming>, ends: Ends)
    -> impl Future<Output = Answer> + Send;
}

/// Between whom a connection is.
#[derive(Debug, Clone)]
pub(crate) struct Ends {
    /// The address of this machine that was asked.
    pub(crate) own: Option<IpAddr>,
    /// Who asks.
    pub(crate) peer: Arc<Peer>,
}

/// A bound address.
#[derive(Debug)]
pub(crate) struct Web {
    listener: std::net::TcpListener,
    /// The most connections at once; further ones wait.
    connections: usize,
}

impl Web {
    /// Takes an address.
    pub(crate) fn bind(address: SocketAddr, connections: usize) -> Result<Self, BindWebError> {
        let bound = std::net::TcpListener::bind(address).and_then(|listener| {
            listener.set_nonblocking(true)?;
            Ok(listener)
        });
        let listener = bound.map_err(|cause| BindWebError { address, cause })?;
        Ok(Self {
            listener,
            connections,
        })
    }

    /// Where it listens, with the port that was taken.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop` is cancelled, and lets the requests under way end.
    pub(crate) async fn run<S: Site>(self, site: S, stop: CancellationToken) -> io::Result<()> {
        let Self {
            listener,
            connections,
        } = self;
        let listener = TcpListener::from_std(listener)?;
        let site = Arc::new(site);
        let places = Arc::new(Semaphore::new(connections));
        let open = TaskTracker::new();
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = accept(&listener, &places) => accepted,
            };
            match accepted {
                Ok((socket, peer, place)) => {
                    let serving = serve(socket, peer, Arc::clone(&site), stop.clone());
                    open.spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection over HTTP could not be accepted");
                    tokio::time::sleep(REST).await;
                }
            }
        }
        open.close();
        open.wait().await;
        Ok(())
    }
}

async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await;
    let place = place.map_err(io::Error::other)?;
    let (socket, peer) = listener.accept().await?;
    socket.set_nodelay(true)?;
    Ok((socket, peer, place))
}

/// Serves one connection to its end, and not for ever.
async fn serve<S: Site>(
    socket: TcpStream,
    peer: SocketAddr,
    site: Arc<S>,
    stop: CancellationToken,
) {
    let ends = Ends {
        own: socket.local_addr().ok().map(|address| address.ip()),
        peer: Peer::new(PeerAddress::Tcp(peer)),
    };
    let service = service_fn(move |request: Request<Incoming>| {
        let (site, ends) = (Arc::clone(&site), ends.clone());
        async move { Ok::<_, Infallible>(site.answer(request, ends).await) }
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

/// An answer that nobody stores and no browser takes for another type than it has.
pub(crate) fn answer(status: StatusCode, kind: &'static str, said: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(said.into()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, header::HeaderValue::from_static(value));
    }
    answer
}
