//! The acceptor: takes connections and hands them to the workers in turn.
//!
//! It takes no more connections than may be open at once; the others wait in the system's queue.
//! When the server drains, what the queue holds is still taken, so that no peer that was told
//! "connected" is lost.

use std::io;
use std::os::unix::net::UnixListener as StdUnixListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::listen::{Bound, SocketFile};
use super::peer::{Credentials, PeerAddress};
use super::phase::{Phase, reached};
use super::socket::Detached;
use super::worker::{Accepted, Workers};

/// How long the acceptor rests when the system has no more descriptors.
const REST: Duration = Duration::from_millis(50);

/// A listening socket on the acceptor's runtime.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

impl Listener {
    pub(super) fn new(bound: Bound) -> io::Result<Self> {
        Ok(match bound {
            Bound::Tcp(listener) => Self::Tcp(TcpListener::from_std(listener)?),
            Bound::Unix(listener, file) => Self::Unix(UnixListener::from_std(listener)?, file),
        })
    }

    async fn accept(&self) -> io::Result<(Detached, PeerAddress)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept().await?;
                Ok((Detached::Tcp(stream.into_std()?), PeerAddress::Tcp(address)))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                let address = credentials(&stream)?;
                Ok((Detached::Unix(stream.into_std()?), address))
            }
        }
    }

    /// What the system's queue still holds; the socket is closed after it.
    fn rest(self) -> io::Result<Vec<(Detached, PeerAddress)>> {
        let mut rest = Vec::new();
        match self {
            Self::Tcp(listener) => {
                let listener = listener.into_std()?;
                while let Ok((stream, address)) = listener.accept() {
                    stream.set_nonblocking(true)?;
                    rest.push((Detached::Tcp(stream), PeerAddress::Tcp(address)));
                }
            }
            Self::Unix(listener, file) => {
                let listener = listener.into_std()?;
                drop(file);
                rest_of_unix(&listener, &mut rest)?;
            }
        }
        Ok(rest)
    }
}

fn rest_of_unix(
    listener: &StdUnixListener,
    rest: &mut Vec<(Detached, PeerAddress)>,
) -> io::Result<()> {
    while let Ok((stream, _)) = listener.accept() {
        stream.set_nonblocking(true)?;
        let stream = tokio::net::UnixStream::from_std(stream)?;
        let address = credentials(&stream)?;
        rest.push((Detached::Unix(stream.into_std()?), address));
    }
    Ok(())
}

fn credentials(stream: &tokio::net::UnixStream) -> io::Result<PeerAddress> {
    let peer = stream.peer_cred()?;
    Ok(PeerAddress::Unix(Credentials {
        uid: peer.uid(),
        gid: peer.gid(),
        pid: peer.pid(),
    }))
}

/// Takes connections until the server drains.
pub(super) async fn accept(
    listener: Listener,
    mut workers: Workers,
    places: Arc<Semaphore>,
    mut phases: watch::Receiver<Phase>,
) {
    loop {
        let taken = tokio::select! {
            biased;
            () = reached(&mut phases, Phase::Draining) => break,
            taken = take(&listener, &places) => taken,
        };
        match taken {
            Ok(accepted) => workers.hand(accepted).await,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(REST).await;
            }
        }
    }
    match listener.rest() {
        Ok(rest) => hand_rest(rest, &mut workers, &places).await,
        Err(error) => tracing::warn!(%error, "waiting connections could not be accepted"),
    }
}

async fn take(listener: &Listener, places: &Arc<Semaphore>) -> io::Result<Accepted> {
    let place = free_place(places).await?;
    let (socket, address) = listener.accept().await?;
    Ok(Accepted {
        socket,
        address,
        place,
    })
}

async fn free_place(places: &Arc<Semaphore>) -> io::Result<OwnedSemaphorePermit> {
    Arc::clone(places)
        .acquire_owned()
        .await
        .map_err(io::Error::other)
}

async fn hand_rest(
    rest: Vec<(Detached, PeerAddress)>,
    workers: &mut Workers,
    places: &Arc<Semaphore>,
) {
    for (socket, address) in rest {
        // As many as may be open are open: the peer tries another server.
        let Ok(place) = Arc::clone(places).try_acquire_owned() else {
            return;
        };
        let accepted = Accepted {
            socket,
            address,
            place,
        };
        workers.hand(accepted).await;
    }
}
