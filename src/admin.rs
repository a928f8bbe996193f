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

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub use self::metrics::Sources;
use self::metrics::registry;
use self::probe::readiness;

/// The most connections at once; further ones wait.
const CONNECTIONS: usize = 64;
/// The time for the head of a request.
const HEAD: Duration = Duration::from_secs(5);
/// The longest that a connection lives.
const LIFE: Duration = Duration::from_mins(5);
/// How long to rest when the system has no more descriptors.
const REST: Duration = Duration::from_millis(50);
const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

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

/// What is served.
struct Site {
    state: State,
    hosts: Vec<String>,
}

type Answer = Response<Full<Bytes>>;

impl Site {
    /// Answers a request that came to an address of this machine.
    fn answer(&self, request: &Request<Incoming>, own: Option<IpAddr>) -> Answer {
        let Some(host) = host(request) else {
            return text(StatusCode::BAD_REQUEST, "one Host is needed\n");
        };
        // security 1.3: "HTTP listeners refuse an unlisted `Host`".
        if !self.is_listed(host, own) {
            return text(StatusCode::MISDIRECTED_REQUEST, "this host is not listed\n");
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let mut answer = text(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD\n");
            let allowed = header::HeaderValue::from_static("GET, HEAD");
            answer.headers_mut().insert(header::ALLOW, allowed);
            return answer;
        }
        match request.uri().path() {
            "/livez" => text(StatusCode::OK, "live\n"),
            "/readyz" => self.ready(),
            "/metrics" => self.metrics(),
            _ => text(StatusCode::NOT_FOUND, "/livez, /readyz or /metrics\n"),
        }
    }

    fn is_listed(&self, host: &str, own: Option<IpAddr>) -> bool {
        let name = without_port(host);
        let address: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
        name.eq_ignore_ascii_case("localhost")
            || address.is_some_and(|address| address.is_loopback() || Some(address) == own)
            || self
                .hosts
                .iter()
                .any(|listed| listed.eq_ignore_ascii_case(name))
    }

    fn ready(&self) -> Answer {
        let status = self.state.sources.status.borrow().clone();
        let draining = self.state.draining.is_cancelled();
        match readiness(&status, draining, Timestamp::now()) {
            Ok(said) => text(StatusCode::OK, said),
            Err(said) => text(StatusCode::SERVICE_UNAVAILABLE, said),
        }
    }

    fn metrics(&self) -> Answer {
        let mut written = String::new();
        let registry = registry(&self.state.sources);
        match prometheus_client::encoding::text::encode(&mut written, &registry) {
            Ok(()) => answer(StatusCode::OK, OPEN_METRICS, written),
            Err(_) => text(
                StatusCode::INTERNAL_SERVER_ERROR,
                "metrics cannot be written\n",
            ),
        }
    }
}

/// The host that a request names: once, in its target or its header.
fn host(request: &Request<Incoming>) -> Option<&str> {
    let mut named = request.headers().get_all(header::HOST).iter();
    let (first, second) = (named.next(), named.next());
    let header = first.and_then(|host| host.to_str().ok());
    match (request.uri().authority(), second) {
        (_, Some(_)) => None,
        (Some(authority), None) => Some(authority.as_str()),
        (None, None) => header,
    }
}

/// `[::1]:4771` is `[::1]`.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            let bare_v6 = name.contains(':') && !name.ends_with(']');
            if bare_v6 { host } else { name }
        }
        _ => host,
    }
}

fn text(status: StatusCode, said: impl Into<String>) -> Answer {
    answer(status, TEXT, said.into())
}

fn answer(status: StatusCode, kind: &'static str, said: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(said)));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_no_part_of_a_name() {
        for (host, name) in [
            ("localhost:4771", "localhost"),
            ("localhost", "localhost"),
            ("127.0.0.1:80", "127.0.0.1"),
            ("[::1]:4771", "[::1]"),
            ("[::1]", "[::1]"),
            ("::1", "::1"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }
}
