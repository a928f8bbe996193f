//! Who is at the other end of a connection: a request extension of every call.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::model::verdict::limits;

/// One connection, as its calls see it.
#[derive(Debug)]
pub struct Peer {
    /// Where it comes from.
    pub address: PeerAddress,
    /// Places for calls that wait for a revision.
    pub(crate) waiters: Semaphore,
}

impl Peer {
    /// A peer at an address.
    pub fn new(address: PeerAddress) -> Arc<Self> {
        Arc::new(Self {
            address,
            waiters: Semaphore::new(limits::CONNECTION_WAITERS),
        })
    }
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerAddress {
    /// A TCP socket.
    Tcp(SocketAddr),
    /// A Unix socket, with what the kernel says of the process that connected.
    Unix(Credentials),
}

/// The process behind a Unix socket when it connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Credentials {
    /// The user.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The process, where the kernel tells it.
    pub pid: Option<i32>,
}

/// Until when a call must be answered: a request extension where the call has a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Instant);
