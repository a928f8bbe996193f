//! The policy administration point: `ManagementService` on a Unix socket of its own.
//!
//! All of it runs on the runtime for slow work. The socket's directory is closed to others, and
//! who connects is asked of the kernel: only the server's own user and root may call.
//!
//! Not here: what is done with a bundle (`management`).

mod handlers;

use std::convert::Infallible;
use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{sleep, timeout};
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::service::Routes;
use tower::Service as _;

use self::handlers::Handlers;
use super::listen::{BindError, Bound, Listen, SocketFile};
use super::phase::{Phase, reached};
use crate::management::Management;
use crate::wire::status::{CallError, explained};
use crate::wire::v1::management_service_server::ManagementServiceServer;

/// The most bytes of a message: a bundle is one.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// The most connections at once; further ones wait.
const CONNECTIONS: usize = 64;
/// The longest that open calls may take after the server stopped serving data.
const DRAIN: Duration = Duration::from_secs(2);
/// How long to rest when the system has no more descriptors.
const REST: Duration = Duration::from_millis(50);

/// Who may change what is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Authority {
    /// The directory of the bundle; what is handed in is only checked.
    Directory,
    /// Whoever may call.
    Callers,
}

/// The address of the management channel is no Unix socket.
#[derive(Debug, thiserror::Error)]
pub enum BindManageError {
    /// It is a TCP address.
    #[error("the management channel is served on a Unix socket only, not on `{0}`")]
    Tcp(Listen),
    /// It is taken, or its directory cannot be made.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// The system does not tell who this process is.
    #[error("the server's own user cannot be told: {0}")]
    User(#[source] io::Error),
}

/// The management channel, bound.
#[derive(Debug)]
pub struct Pap {
    listener: std::os::unix::net::UnixListener,
    file: SocketFile,
    own: u32,
}

impl Pap {
    /// Takes the address, with mode 0600 whatever it says; the directory of the socket is made, for its owner alone.
    ///
    /// # Errors
    ///
    /// When the address is taken or is no Unix socket.
    pub fn bind(address: &Listen) -> Result<Self, BindManageError> {
        let Listen::Unix { path, mode: _ } = address else {
            return Err(BindManageError::Tcp(address.clone()));
        };
        // Nobody else may call, whatever the mode.
        let address = &Listen::Unix {
            path: path.clone(),
            mode: 0o600,
        };
        if let Some(parent) = path.parent() {
            make_directory(parent).map_err(|cause| BindError {
                address: address.clone(),
                cause,
            })?;
        }
        match Bound::bind(address)? {
            Bound::Unix(listener, file) => {
                // The file that was just made is this process' own.
                let own = std::fs::symlink_metadata(path).map_err(BindManageError::User)?;
                let own = own.uid();
                Ok(Self {
                    listener,
                    file,
                    own,
                })
            }
            Bound::Tcp(_) => Err(BindManageError::Tcp(address.clone())),
        }
    }

    /// Serves until `stop` says [`Phase::Draining`], and a little longer for what is open.
    ///
    /// # Errors
    ///
    /// When the listener cannot be used.
    pub async fn run(
        self,
        management: Management,
        authority: Authority,
        mut stop: watch::Receiver<Phase>,
    ) -> io::Result<()> {
        let Self {
            listener,
            file,
            own,
        } = self;
        let listener = UnixListener::from_std(listener)?;
        let handlers = Handlers::new(management, authority, stop.clone());
        let server =
            ManagementServiceServer::new(handlers).max_decoding_message_size(MAX_MESSAGE_BYTES);
        let serving = Serving {
            routes: Routes::new(server).prepare(),
            own,
            phases: stop.clone(),
            places: Arc::new(Semaphore::new(CONNECTIONS)),
            open: TaskTracker::new(),
        };
        tokio::select! {
            () = reached(&mut stop, Phase::Draining) => {}
            () = serving.accept(&listener) => {}
        }
        drop((listener, file));
        serving.open.close();
        // What is still open then ends with the runtime.
        let _ = timeout(DRAIN, serving.open.wait()).await;
        Ok(())
    }
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
    routes: Routes,
    own: u32,
    phases: watch::Receiver<Phase>,
    places: Arc<Semaphore>,
    open: TaskTracker,
}

impl Serving {
    async fn accept(&self, listener: &UnixListener) {
        loop {
            // INVARIANT: the semaphore is never closed.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((socket, _)) => {
                    let serving = serve(socket, self.routes.clone(), self.own, self.phases.clone());
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

/// Whether a user may call.
fn may_call(user: Option<u32>, own: u32) -> bool {
    user.is_some_and(|user| user == own || user == 0)
}

async fn serve(socket: UnixStream, routes: Routes, own: u32, mut phases: watch::Receiver<Phase>) {
    let user = socket.peer_cred().ok().map(|peer| peer.uid());
    let allowed = may_call(user, own);
    if !allowed {
        tracing::warn!(user, "a management call is refused");
    }
    let service =
        service_fn(move |request: Request<Incoming>| call(routes.clone(), request, allowed));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(64)
        .max_header_list_size(16 * 1_024)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(Duration::from_secs(10));
    let mut serving = pin!(builder.serve_connection(TokioIo::new(socket), service));
    tokio::select! {
        // What a peer does to its own connection concerns nobody else.
        _ = &mut serving => return,
        () = reached(&mut phases, Phase::Draining) => {}
    }
    serving.as_mut().graceful_shutdown();
    tokio::select! {
        _ = &mut serving => {}
        () = reached(&mut phases, Phase::Ended) => {}
    }
}

async fn call(
    mut routes: Routes,
    request: Request<Incoming>,
    allowed: bool,
) -> Result<Response<Body>, Infallible> {
    if allowed {
        routes.call(request.map(Body::new)).await.map(explained)
    } else {
        Ok(CallError::ManagementDenied.to_status().into_http())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn only_the_own_user_and_root_may_call() {
        assert!(may_call(Some(7), 7));
        assert!(may_call(Some(0), 7));
        assert!(!may_call(Some(8), 7));
        assert!(!may_call(None, 0));
    }

    #[test]
    fn the_directory_of_the_socket_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tagwarden/manage.sock");
        let address = Listen::Unix {
            path: path.clone(),
            mode: 0o660,
        };
        let bound = Pap::bind(&address).unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(path.parent().unwrap()), mode(&path)), (0o700, 0o600));
        assert!(matches!(Pap::bind(&address), Err(BindManageError::Bind(_))));
        drop(bound);
        let tcp = "127.0.0.1:0".parse().unwrap();
        assert!(matches!(Pap::bind(&tcp), Err(BindManageError::Tcp(_))));
    }
}
