//! The policy administration point: `ManagementService` and `DirectoryService` on a listener of
//! its own.
//!
//! All of it runs on the runtime for slow work. On the Unix socket who connects is asked of the
//! kernel, and its directory is closed to others; on a TCP address there is TLS, and a peer proves
//! who it is by its certificate or by a token with each call. Handlers find the [`Peer`] among the
//! extensions of a call. A message that comes too slowly is cut off.
//!
//! Not here: what a peer may do (`management::permission`), and what proves a peer (`tls`).

mod body;
mod handlers;

use std::convert::Infallible;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::AUTHORIZATION;
use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service as _;

use self::body::Timed;
pub(in crate::service) use self::handlers::From;
use self::handlers::Handlers;
pub use self::handlers::{Config, MAX_PAGE, PAGE_BYTES};
use super::accept::Listener;
use super::connection::to_its_end;
use super::directory;
use super::handshake::{Gate, Opening};
use super::listen::{BindError, Bound, Listen, Owner};
use super::peer::{Peer, PeerAddress};
use super::phase::{Phase, reached};
use super::socket::Detached;
use crate::model::caller::Origin;
use crate::tls::Endpoint;
use crate::wire::status::{CallError, explained};
use crate::wire::v1::directory_service_server::DirectoryServiceServer;
use crate::wire::v1::management_service_server::ManagementServiceServer;

/// The most bytes of a message: a bundle is one.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// The most connections at once; further ones wait.
pub const CONNECTIONS: usize = 64;
/// The longest that open calls may take after the server stopped serving data.
const DRAIN: Duration = Duration::from_secs(2);
/// The time for the TLS handshake and the HTTP/2 preface.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// The time from there to the first call that is let in.
const FIRST_CALL: Duration = Duration::from_secs(30);
/// What stands before a token.
const BEARER: &[u8] = b"Bearer ";
/// The longest that a message may take to come to its end.
pub const LONGEST_MESSAGE: Duration = Duration::from_mins(1);
/// How long to rest when the system has no more descriptors.
const REST: Duration = Duration::from_millis(50);

/// Why there is no management channel.
#[derive(Debug, thiserror::Error)]
pub enum BindManageError {
    /// It is a TCP address without TLS.
    #[error(
        "the management channel is served on a Unix socket or with TLS (`{0},tls`), not on `{0}`"
    )]
    Tcp(Listen),
    /// Everybody could connect, and nobody could prove anything.
    #[error("the management channel on `{0}` needs client certificates or tokens")]
    Unproven(Listen),
    /// It is taken, or its directory cannot be made.
    #[error(transparent)]
    Bind(#[from] BindError),
}

/// The management channel, bound.
#[derive(Debug)]
pub struct Pap {
    bound: Bound,
}

impl Pap {
    /// Takes the address. A Unix socket has mode 0600 whatever it says; its directory is made, for
    /// its owner alone. A TCP address needs TLS, and a way for peers to prove who they are.
    ///
    /// # Errors
    ///
    /// When the address is taken or cannot be a management channel.
    pub fn bind(
        address: &Listen,
        endpoint: Option<&Arc<Endpoint>>,
    ) -> Result<Self, BindManageError> {
        let address = match address {
            Listen::Tcp(_) => return Err(BindManageError::Tcp(address.clone())),
            Listen::Tls(_) if endpoint.is_some_and(|endpoint| !endpoint.asks_for_proof()) => {
                return Err(BindManageError::Unproven(address.clone()));
            }
            Listen::Tls(_) => address.clone(),
            Listen::Unix { path, owner, .. } => closed(path, *owner)?,
        };
        let bound = Bound::bind(&address, endpoint)?;
        Ok(Self { bound })
    }

    /// Where it listens, with the port that was taken.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn address(&self) -> io::Result<Listen> {
        self.bound.address()
    }

    /// Serves until `stop` says [`Phase::Draining`], and a little longer for what is open.
    ///
    /// # Errors
    ///
    /// When the listener cannot be used.
    pub async fn run(self, config: Config, mut stop: watch::Receiver<Phase>) -> io::Result<()> {
        let listener = Listener::new(self.bound)?;
        let directory = directory::Handlers::new(config.reader.clone(), config.writer.clone());
        let handlers = Handlers::new(config, stop.clone());
        let server =
            ManagementServiceServer::new(handlers).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let routes = Routes::new(server).add_service(DirectoryServiceServer::new(directory));
        let serving = Serving {
            shared: Shared {
                routes: routes.prepare(),
                endpoint: listener.endpoint(),
                gate: Gate::new(CONNECTIONS),
                phases: stop.clone(),
            },
            places: Arc::new(Semaphore::new(CONNECTIONS)),
            open: TaskTracker::new(),
        };
        tokio::select! {
            () = reached(&mut stop, Phase::Draining) => {}
            () = serving.accept(&listener) => {}
        }
        drop(listener);
        serving.open.close();
        // What is still open then ends with the runtime.
        let _ = timeout(DRAIN, serving.open.wait()).await;
        Ok(())
    }
}

/// A socket that nobody else reaches, whatever mode was asked for, in a directory of its own.
fn closed(path: &Path, owner: Owner) -> Result<Listen, BindError> {
    let address = Listen::Unix {
        path: path.to_owned(),
        mode: 0o600,
        owner,
    };
    let made = path.parent().map_or(Ok(()), make_directory);
    made.map_err(|cause| BindError {
        address: address.clone(),
        cause,
    })?;
    Ok(address)
}

/// Makes a directory for its owner alone. One that is there already is left as it is, because
/// others may use it; the socket itself is closed to them.
fn make_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
}

struct Serving {
    shared: Shared,
    places: Arc<Semaphore>,
    open: TaskTracker,
}

impl Serving {
    async fn accept(&self, listener: &Listener) {
        loop {
            // INVARIANT: the semaphore is never closed.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((socket, address)) => {
                    let serving = self.shared.clone().serve(socket, address);
                    self.open.spawn(async move {
                        serving.await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a management connection could not be accepted");
                    sleep(REST).await;
                }
            }
        }
    }
}

/// What all connections share.
#[derive(Clone)]
struct Shared {
    routes: Routes,
    endpoint: Option<Arc<Endpoint>>,
    gate: Gate,
    phases: watch::Receiver<Phase>,
}

impl Shared {
    async fn serve(mut self, socket: Detached, address: PeerAddress) {
        let Ok(socket) = socket.attach() else {
            return;
        };
        let opening = Opening {
            gate: &self.gate,
            limit: HANDSHAKE,
            phases: &mut self.phases,
        };
        let opened = opening
            .open(socket, address, self.endpoint.as_deref())
            .await;
        let Some((socket, peer)) = opened else {
            return;
        };
        let mut builder = http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(64)
            .max_header_list_size(16 * 1_024)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        let (phases, called) = (self.phases.clone(), Arc::new(AtomicBool::new(false)));
        let calls = Calls {
            shared: Arc::new(self),
            peer,
            called: Arc::clone(&called),
        };
        let service = service_fn(move |request| calls.clone().call(request));
        let serving = builder.serve_connection(TokioIo::new(socket), service);
        // What a peer does to its own connection concerns nobody else.
        let _ = to_its_end(serving, Instant::now() + FIRST_CALL, &called, phases).await;
    }
}

/// The calls of one connection.
#[derive(Clone)]
struct Calls {
    shared: Arc<Shared>,
    peer: Arc<Peer>,
    /// Set by the first call that is let in.
    called: Arc<AtomicBool>,
}

impl Calls {
    async fn call(self, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let mut request = request.map(|body| Body::new(Timed::new(body, LONGEST_MESSAGE)));
        let endpoint = self.shared.endpoint.as_deref();
        let caller = proven(&self.peer, endpoint, request.headers_mut());
        let Some(caller) = caller.filter(|caller| may_call(&caller.origin)) else {
            self.tell_refused();
            return Ok(CallError::ManagementDenied.to_status().into_http());
        };
        self.called.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(caller);
        let answer = self.shared.routes.clone().call(request).await;
        answer.map(explained)
    }

    fn tell_refused(&self) {
        let endpoint = self.shared.endpoint.as_deref();
        let seldom = endpoint.map_or(&*self.shared.gate.seldom, Endpoint::seldom);
        if let Some(skipped) = seldom.pass() {
            let address = self.peer.address;
            let user = match self.peer.origin {
                Origin::Unix { uid, .. } => Some(uid),
                Origin::Loopback | Origin::Remote | Origin::Proven(_) => None,
            };
            tracing::warn!(?address, user, skipped, "a management call is refused");
        }
    }
}

/// Who calls: the peer of the connection, or the holder of the token that the call carries. `None`
/// where it carries one that is not good.
fn proven(
    peer: &Arc<Peer>,
    endpoint: Option<&Endpoint>,
    headers: &mut HeaderMap,
) -> Option<Arc<Peer>> {
    let Some(endpoint) = endpoint else {
        return Some(Arc::clone(peer));
    };
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let caller = match (given.next(), given.next()) {
        (None, _) => Some(Arc::clone(peer)),
        (Some(one), None) => {
            let token = bearer(one.as_bytes())?;
            endpoint.holder(token).map(|holder| peer.with_token(holder))
        }
        (Some(_), Some(_)) => None,
    };
    headers.remove(AUTHORIZATION);
    caller
}

/// The token of `Bearer TOKEN`; the scheme is in any case.
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(BEARER.len())?;
    scheme.eq_ignore_ascii_case(BEARER).then_some(token)
}

/// Whether a peer proves to be somebody: at the socket by what the kernel says of it. What it may
/// do is for the handlers.
fn may_call(origin: &Origin) -> bool {
    match origin {
        Origin::Unix { .. } | Origin::Proven(_) => true,
        Origin::Loopback | Origin::Remote => false,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn tokens_follow_their_scheme() {
        assert_eq!(bearer(b"Bearer abc"), Some(b"abc".as_slice()));
        assert_eq!(bearer(b"bearer abc"), Some(b"abc".as_slice()));
        for value in [
            b"abc".as_slice(),
            b"Basic abc",
            b"Bearer",
            b"Bearerabc",
            b"",
        ] {
            assert_eq!(bearer(value), None);
        }
    }

    #[test]
    fn the_directory_of_the_socket_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tagwarden/manage.sock");
        let address = Listen::Unix {
            path: path.clone(),
            mode: 0o660,
            owner: Owner::default(),
        };
        let bound = Pap::bind(&address, None).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
        assert!(matches!(
            Pap::bind(&address, None),
            Err(BindManageError::Bind(_))
        ));
        drop(bound);
        let tcp = "127.0.0.1:0".parse().unwrap();
        assert!(matches!(
            Pap::bind(&tcp, None),
            Err(BindManageError::Tcp(_))
        ));
        let tls = "127.0.0.1:0,tls".parse().unwrap();
        assert!(matches!(
            Pap::bind(&tls, None),
            Err(BindManageError::Bind(_))
        ));
    }
}
