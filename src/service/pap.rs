//! The policy administration point: `ManagementService` and `DirectoryService` on a listener of
//! its own.
//!
//! All of it runs on a [`runtime`] of its own, whose threads may wait for the disk. On the Unix
//! socket who connects is asked of the kernel, and its directory is closed to others; on a TCP
//! address there is TLS, and a peer proves who it is by its certificate or by a token with each
//! call. Handlers find the peer among the extensions of a call. A message that comes too slowly is
//! cut off.
//!
//! Not here: what a peer may do (`management::permission`), and what proves a peer (`tls`).

mod body;
mod calls;
mod from;
mod handlers;
mod serving;

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;

pub(in crate::service) use self::from::From;
use self::handlers::Handlers;
pub use self::handlers::{Config, MAX_PAGE, PAGE_BYTES};
use self::serving::{Serving, Shared};
use super::accept::Listener;
use super::directory;
use super::handshake::Gate;
use super::listen::{BindError, Bound, Listen, Owner};
use super::phase::{Phase, reached};
use crate::tls::Endpoint;
use crate::wire::v1::directory_service_server::DirectoryServiceServer;
use crate::wire::v1::management_service_server::ManagementServiceServer;

/// The most bytes of a message: a bundle is one.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// The most connections at once; further ones wait.
pub const CONNECTIONS: usize = 64;
/// The longest that open calls may take after the server stopped serving data.
const DRAIN: Duration = Duration::from_secs(2);
/// The longest that a message may take to come to its end.
pub const LONGEST_MESSAGE: Duration = Duration::from_mins(1);
/// How many threads serve the channel.
const THREADS: usize = 2;

/// What the management channel runs on. A write that comes alone is committed by the thread that
/// read it, so that nothing may run there that must not wait for a disk.
///
/// # Errors
///
/// When the threads cannot be started.
pub fn runtime() -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .thread_name("manage")
        .enable_all()
        .build()
}

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
        let directory = directory::Handlers::new(&config);
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

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
