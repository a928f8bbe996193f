//! Peers: whom a caller is told by.

use crate::document::bundle::entry;
use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{Cursor, Sink, Told};
use crate::model::caller::PeerPattern;
use crate::model::caller::identity::{Identity, InvalidIdentity, SpiffePattern};

type ReadPeer = fn(&Cursor<'_, '_>, &mut Sink<'_>) -> Result<PeerPattern, Told>;

/// The members of a peer, of which it has one: `{"uid": 1000}`.
const PEER_FORMS: [(&str, ReadPeer); 6] = [
    ("uid", |at, sink| id(at, sink).map(PeerPattern::Uid)),
    ("gid", |at, sink| id(at, sink).map(PeerPattern::Gid)),
    ("spiffe", |at, sink| {
        let pattern = at.parse(sink, |text| {
            SpiffePattern::try_from(text).map_err(EntryErrorKind::from)
        });
        pattern.map(PeerPattern::from)
    }),
    ("dns", |at, sink| proven(at, sink, Identity::Dns)),
    ("uri", |at, sink| proven(at, sink, Identity::Uri)),
    ("token", |at, sink| {
        let name = entry::name(at, sink)?;
        Ok(PeerPattern::Proven(Identity::Token(name)))
    }),
];

/// Reads one: exactly one of its members.
pub(super) fn peer(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<PeerPattern, Told> {
    let members = at.members(&PEER_FORMS.map(|(name, _)| name), sink)?;
    let given = PEER_FORMS.map(|(name, read)| members.optional(name).map(|at| (at, read)));
    let mut given = given.into_iter().flatten();
    match (given.next(), given.next()) {
        (Some((at, read)), None) => read(&at, sink),
        (None | Some(_), _) => Err(at.refuse(EntryErrorKind::Peer, sink)),
    }
}

fn proven<T>(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
    identity: fn(T) -> Identity,
) -> Result<PeerPattern, Told>
where
    T: for<'a> TryFrom<&'a str, Error = InvalidIdentity>,
{
    let name = at.parse(sink, |text| T::try_from(text).map_err(EntryErrorKind::from));
    name.map(|name| PeerPattern::Proven(identity(name)))
}

fn id(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<u32, Told> {
    let number = at.whole_number(sink)?;
    u32::try_from(number).map_err(|_| at.refuse(EntryErrorKind::SystemId, sink))
}
