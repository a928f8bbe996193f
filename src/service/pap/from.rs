//! Who makes a call: what its connection says.

use std::sync::Arc;

use tonic::Request;

use crate::model::caller::Origin;
use crate::service::peer::{Peer, PeerAddress};

/// Who calls.
pub(in crate::service) struct From {
    pub(in crate::service) origin: Origin,
    /// The peer, as its listener knows it.
    pub(in crate::service) peer: String,
}

impl From {
    /// The connection says who calls; one that says nothing is anybody's.
    pub(in crate::service) fn of<T>(request: &Request<T>) -> Self {
        let peer = request.extensions().get::<Arc<Peer>>();
        let Some(peer) = peer else {
            let (origin, peer) = (Origin::Remote, String::new());
            return Self { origin, peer };
        };
        let address = match peer.address {
            PeerAddress::Tcp(address) => address.to_string(),
            PeerAddress::Unix(who) => {
                let process = who.pid.map_or(String::new(), |pid| format!(" pid {pid}"));
                format!("uid {} gid {}{process}", who.uid, who.gid)
            }
        };
        let origin = peer.origin.clone();
        let peer = match &origin {
            Origin::Proven(identity) => format!("{identity} at {address}"),
            Origin::Loopback | Origin::Remote | Origin::Unix { .. } => address,
        };
        Self { origin, peer }
    }
}
