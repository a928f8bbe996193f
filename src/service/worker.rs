//! Workers: threads with a runtime of their own, each serving the connections handed to it.
//!
//! One runtime per thread lets a connection write the answers of many calls at once; a runtime over
//! many threads flushes after each.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tokio::runtime::Builder;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};
use tokio_util::task::TaskTracker;

use super::connection::Connections;
use super::peer::PeerAddress;
use super::phase::{Phase, reached};
use super::socket::Detached;
use crate::tls::Endpoint;

/// How many accepted sockets may wait for one worker.
const WAITING: usize = 64;

/// An accepted socket on its way to a worker.
#[derive(Debug)]
pub(super) struct Accepted {
    pub(super) socket: Detached,
    pub(super) address: PeerAddress,
    /// What it begins TLS by, if its listener is one of TLS.
    pub(super) endpoint: Option<Arc<Endpoint>>,
    /// Its place among all connections.
    pub(super) place: Place,
}

/// A place among all connections, counted while it is taken.
#[derive(Debug)]
pub(super) struct Place {
    open: Arc<AtomicUsize>,
    _permit: OwnedSemaphorePermit,
}

impl Place {
    pub(super) fn new(permit: OwnedSemaphorePermit, open: &Arc<AtomicUsize>) -> Self {
        open.fetch_add(1, Ordering::Relaxed);
        Self {
            open: Arc::clone(open),
            _permit: permit,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Starts a worker. It ends when its channel is closed and its connections are, or at
/// [`Phase::Ended`]; `alive` is dropped with it.
pub(super) fn start(
    number: usize,
    connections: Connections,
    phases: watch::Receiver<Phase>,
    alive: mpsc::Sender<Infallible>,
) -> io::Result<mpsc::Sender<Accepted>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let (sender, inbox) = mpsc::channel(WAITING);
    thread::Builder::new()
        .name(format!("worker-{number}"))
        .spawn(move || {
            runtime.block_on(work(inbox, connections, phases));
            // Ends the tasks of connections that were cut.
            drop(runtime);
            drop(alive);
        })?;
    Ok(sender)
}

async fn work(
    mut inbox: mpsc::Receiver<Accepted>,
    connections: Connections,
    mut phases: watch::Receiver<Phase>,
) {
    let open = TaskTracker::new();
    let serving = async {
        while let Some(accepted) = inbox.recv().await {
            open.spawn(connect(accepted, connections.clone()));
        }
        open.close();
        open.wait().await;
    };
    tokio::select! {
        () = serving => {}
        () = reached(&mut phases, Phase::Ended) => {}
    }
}

async fn connect(accepted: Accepted, connections: Connections) {
    let Accepted {
        socket,
        address,
        endpoint,
        place,
    } = accepted;
    match socket.attach() {
        Ok(socket) => connections.serve(socket, address, endpoint).await,
        Err(error) => tracing::debug!(?address, %error, "connection lost before it was served"),
    }
    drop(place);
}

/// The channels to all workers.
#[derive(Debug, Clone)]
pub(super) struct Workers {
    senders: Arc<[mpsc::Sender<Accepted>]>,
    next: usize,
}

impl Workers {
    pub(super) fn new(senders: Vec<mpsc::Sender<Accepted>>, first: usize) -> Self {
        Self {
            senders: senders.into(),
            next: first,
        }
    }

    /// Hands a socket to the next worker.
    pub(super) async fn hand(&mut self, accepted: Accepted) {
        let place = self
            .next
            .checked_rem(self.senders.len())
            .unwrap_or_default();
        self.next = self.next.wrapping_add(1);
        if let Some(sender) = self.senders.get(place) {
            // A worker ends only when the server does.
            let _ = sender.send(accepted).await;
        }
    }
}
