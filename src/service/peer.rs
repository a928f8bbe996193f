//! Who is at the other end of a connection: a request extension of every call.

use std::net::SocketAddr;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::model::account::Name;
use crate::model::caller::identity::Identity;
use crate::model::caller::{Origin, SocketUser};
use crate::model::verdict::limits;
use crate::tls::ClientCertificate;

/// One connection, as its calls see it.
#[derive(Debug)]
pub struct Peer {
    /// Where it comes from.
    pub address: PeerAddress,
    /// The certificate that it showed, verified.
    pub certificate: Option<CertificateDer<'static>>,
    /// What callers are told apart by.
    pub(crate) origin: Origin,
    /// Places for calls that wait for a revision.
    pub(crate) waiters: Semaphore,
}

impl Peer {
    /// A peer at an address.
    pub fn new(address: PeerAddress) -> Arc<Self> {
        Self::with(address, address.origin(), None)
    }

    /// A peer over TLS. The address proves nothing there, not even that it is loopback: TLS is for
    /// what comes from elsewhere, by whatever forwards it.
    pub(crate) fn over_tls(address: PeerAddress, shown: Option<ClientCertificate>) -> Arc<Self> {
        match shown {
            None => Self::with(address, Origin::Remote, None),
            Some(ClientCertificate { der, identity }) => {
                let origin = identity.map_or(Origin::Remote, Origin::Proven);
                Self::with(address, origin, Some(der))
            }
        }
    }

    /// The same peer for a call with a token. A certificate stands over it.
    pub(crate) fn with_token(&self, holder: Name) -> Arc<Self> {
        let origin = match &self.origin {
            proven @ Origin::Proven(_) => proven.clone(),
            Origin::Loopback | Origin::Remote | Origin::Unix { .. } => {
                Origin::Proven(Identity::Token(holder))
            }
        };
        Self::with(self.address, origin, self.certificate.clone())
    }

    fn with(
        address: PeerAddress,
        origin: Origin,
        certificate: Option<CertificateDer<'static>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            address,
            certificate,
            origin,
            waiters: Semaphore::new(limits::CONNECTION_WAITERS),
        })
    }
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PeerAddress {
    /// A TCP socket, with TLS or without.
    Tcp(SocketAddr),
    /// A Unix socket, with what the kernel says of the process that connected.
    Unix(Credentials),
}

impl PeerAddress {
    fn origin(self) -> Origin {
        match self {
            Self::Tcp(address) if address.ip().to_canonical().is_loopback() => Origin::Loopback,
            Self::Tcp(_) => Origin::Remote,
            Self::Unix(Credentials {
                uid,
                gid,
                pid: _,
                user,
            }) => Origin::Unix { uid, gid, user },
        }
    }
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
    /// Whether the user is the server's own.
    pub user: SocketUser,
}

/// Until when a call must be answered: a request extension where the call has a deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(pub Instant);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_told_however_it_is_written() {
        let check = |address: &str, expected| {
            let address = PeerAddress::Tcp(address.parse().unwrap());
            assert_eq!(address.origin(), expected, "{address:?}");
        };
        check("127.0.0.1:1", Origin::Loopback);
        check("127.8.0.1:1", Origin::Loopback);
        check("[::1]:1", Origin::Loopback);
        check("[::ffff:127.0.0.1]:1", Origin::Loopback);
        check("10.0.0.1:1", Origin::Remote);
        check("[::ffff:10.0.0.1]:1", Origin::Remote);
        check("0.0.0.0:1", Origin::Remote);
    }
}
