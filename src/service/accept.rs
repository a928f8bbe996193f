//! The acceptor: takes connections and hands them to the workers in turn.
//!
//! It takes no more connections than may be open at once; the others wait in the system's queue.
//! When the server drains, what the queue holds is still taken, so that no peer that was told
//! "connected" is lost.

use std::io;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::{Semaphore, watch};

use super::listen::{Bound, SocketFile};
use super::peer::{Credentials, PeerAddress};
use super::phase::{Phase, reached};
use super::socket::Detached;
use super::worker::{Accepted, Place, Workers};
use crate::model::caller::SocketUser;
use crate::tls::Endpoint;

/// How long the acceptor rests when the system has no more descriptors.
const REST: Duration = Duration::from_millis(50);

/// A listening socket on the acceptor's runtime.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Tls(TcpListener, Arc<Endpoint>),
    Unix(UnixListener, SocketFile, OwnUser),
}

impl Listener {
    pub(super) fn new(bound: Bound) -> io::Result<Self> {
        Ok(match bound {
            Bound::Tcp(listener) => Self::Tcp(TcpListener::from_std(listener)?),
            Bound::Tls(listener, endpoint) => Self::Tls(TcpListener::from_std(listener)?, endpoint),
            Bound::Unix(listener, file) => {
                Self::Unix(UnixListener::from_std(listener)?, file, OwnUser::ask()?)
            }
        })
    }

    pub(super) async fn accept(&self) -> io::Result<(Detached, PeerAddress)> {
        match self {
            Self::Tcp(listener) | Self::Tls(listener, _) => {
                let (stream, address) = listener.accept().await?;
                Ok((Detached::Tcp(stream.into_std()?), PeerAddress::Tcp(address)))
            }
            Self::Unix(listener, _, own) => {
                let (stream, _) = listener.accept().await?;
                let address = own.credentials(&stream)?;
                Ok((Detached::Unix(stream.into_std()?), address))
            }
        }
    }

    /// What its connections begin with TLS by.
    pub(super) fn endpoint(&self) -> Option<Arc<Endpoint>> {
        match self {
            Self::Tls(_, endpoint) => Some(Arc::clone(endpoint)),
            Self::Tcp(_) | Self::Unix(..) => None,
        }
    }

    /// What the system's queue still holds; the socket is closed after it.
    fn rest(self) -> io::Result<Vec<(Detached, PeerAddress)>> {
        let mut rest = Vec::new();
        match self {
            Self::Tcp(listener) | Self::Tls(listener, _) => {
                let listener = listener.into_std()?;
                while let Ok((stream, address)) = listener.accept() {
                    stream.set_nonblocking(true)?;
                    rest.push((Detached::Tcp(stream), PeerAddress::Tcp(address)));
                }
            }
            Self::Unix(listener, file, own) => {
                let listener = listener.into_std()?;
                drop(file);
                rest_of_unix(&listener, own, &mut rest)?;
            }
        }
        Ok(rest)
    }
}

fn rest_of_unix(
    listener: &StdUnixListener,
    own: OwnUser,
    rest: &mut Vec<(Detached, PeerAddress)>,
) -> io::Result<()> {
    while let Ok((stream, _)) = listener.accept() {
        stream.set_nonblocking(true)?;
        let stream = UnixStream::from_std(stream)?;
        let address = own.credentials(&stream)?;
        rest.push((Detached::Unix(stream.into_std()?), address));
    }
    Ok(())
}

/// The user that the server runs as.
#[derive(Debug, Clone, Copy)]
pub(super) struct OwnUser(u32);

impl OwnUser {
    /// Asks the kernel as a peer would: each end of a pair of sockets is this process.
    fn ask() -> io::Result<Self> {
        let (one, _other) = UnixStream::pair()?;
        Ok(Self(one.peer_cred()?.uid()))
    }

    fn credentials(self, stream: &UnixStream) -> io::Result<PeerAddress> {
        let peer = stream.peer_cred()?;
        let user = if peer.uid() == self.0 {
            SocketUser::Own
        } else {
            SocketUser::Other
        };
        Ok(PeerAddress::Unix(Credentials {
            uid: peer.uid(),
            gid: peer.gid(),
            pid: peer.pid(),
            user,
        }))
    }
}

/// The places for connections.
#[derive(Debug, Clone)]
pub(super) struct Places {
    free: Arc<Semaphore>,
    open: Arc<AtomicUsize>,
}

impl Places {
    pub(super) fn new(most: usize, open: Arc<AtomicUsize>) -> Self {
        Self {
            free: Arc::new(Semaphore::new(most)),
            open,
        }
    }

    /// How many connections are open.
    pub(super) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// The next connection, as soon as there is a place for it.
    async fn accept(&self, listener: &Listener) -> io::Result<Accepted> {
        let free = Arc::clone(&self.free)
            .acquire_owned()
            .await
            .map_err(io::Error::other)?;
        let (socket, address) = listener.accept().await?;
        Ok(Accepted {
            socket,
            address,
            endpoint: listener.endpoint(),
            place: Place::new(free, &self.open),
        })
    }

    fn try_place(&self) -> Option<Place> {
        let free = Arc::clone(&self.free).try_acquire_owned().ok()?;
        Some(Place::new(free, &self.open))
    }
}

/// Takes connections until the server drains.
pub(super) async fn accept(
    listener: Listener,
    mut workers: Workers,
    places: Places,
    mut phases: watch::Receiver<Phase>,
) {
    loop {
        let taken = tokio::select! {
            biased;
            () = reached(&mut phases, Phase::Draining) => break,
            taken = places.accept(&listener) => taken,
        };
        match taken {
            Ok(accepted) => workers.hand(accepted).await,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(REST).await;
            }
        }
    }
    let endpoint = listener.endpoint();
    match listener.rest() {
        Ok(rest) => hand_rest(rest, endpoint, &mut workers, &places).await,
        Err(error) => tracing::warn!(%error, "waiting connections could not be accepted"),
    }
}

async fn hand_rest(
    rest: Vec<(Detached, PeerAddress)>,
    endpoint: Option<Arc<Endpoint>>,
    workers: &mut Workers,
    places: &Places,
) {
    for (socket, address) in rest {
        // As many as may be open are open: the peer tries another server.
        let Some(place) = places.try_place() else {
            return;
        };
        workers
            .hand(Accepted {
                socket,
                address,
                endpoint: endpoint.clone(),
                place,
            })
            .await;
    }
}
