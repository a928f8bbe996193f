//! `callers.json`: who may ask what (security 1.1).
//!
//! What a member does not give is not had, so that `{"anonymous": {}}` closes the server to peers
//! that no caller names; what the file does not speak of at all has the server's defaults.

mod peer;
mod rights;

use std::collections::BTreeSet;

use self::peer::peer;
use self::rights::{RIGHTS, explains, nobody_writes, rights};
use super::bundle::entry::{self, Placed, list, placed};
use super::bundle::error::EntryErrorKind;
use super::cursor::{self, Cursor, Sink, Told};
use super::error::Limit;
use crate::model::account::Name;
use crate::model::caller::{Anonymous, Caller, Callers, OwnPrincipal, PeerPattern, Place, Rights};

/// The most bytes of the file.
pub const MAX_CALLERS_BYTES: usize = 1024 * 1024;

const CALLERS: Limit = Limit {
    what: "callers",
    most: 1_000,
    code: "TOO_MANY_CALLERS",
};
const PEERS: Limit = Limit {
    what: "peers",
    most: 256,
    code: "TOO_MANY_PEERS",
};
/// The names that peers have without an entry of their own.
const RESERVED: [&str; 2] = ["anonymous", "owner"];

/// Reads the file.
///
/// # Errors
///
/// When an error was told.
pub fn callers(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Callers, Told> {
    let members = at.members(&["anonymous", "callers"], sink)?;
    let anonymous = members.optional("anonymous").map(|at| anonymous(&at, sink));
    let named = some(members.optional("callers"), CALLERS, sink, named);
    let (anonymous, named) = (anonymous.transpose()?, named?);
    check_different(&named, sink)?;
    let named = named.into_iter().map(|caller| Caller {
        name: caller.name.value,
        peers: caller.peers.into_iter().map(|peer| peer.value).collect(),
        principal: caller.principal,
        rights: caller.rights,
    });
    Ok(Callers {
        anonymous,
        named: named.collect(),
    })
}

/// A caller with the places of what no two have in common.
struct Named {
    name: Placed<Name>,
    peers: Vec<Placed<PeerPattern>>,
    principal: Option<OwnPrincipal>,
    rights: Rights,
}

fn anonymous(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Anonymous, Told> {
    let [rpcs, act_for, supply, disclosure] = RIGHTS;
    let members = at.members(&["from", rpcs, act_for, supply, disclosure], sink)?;
    let places = [
        ("loopback", Place::Loopback),
        ("remote", Place::Remote),
        ("unix", Place::Unix),
    ];
    let from = list(members.optional("from"), sink, |at, sink| {
        at.word("`loopback`, `remote` or `unix`", &places, sink)
    });
    let rights = rights(&members, sink).and_then(|rights| explains(rights, None, &members, sink));
    let rights = rights.and_then(|rights| nobody_writes(rights, &members, sink));
    Ok(Anonymous {
        from: from?,
        rights: rights?,
    })
}

fn named(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Named, Told> {
    let [rpcs, act_for, supply, disclosure] = RIGHTS;
    let known = [
        "name",
        "peers",
        "principal",
        rpcs,
        act_for,
        supply,
        disclosure,
    ];
    let members = at.members(&known, sink)?;
    let name = members
        .required("name", sink)
        .and_then(|at| placed(&at, sink, name));
    let peers = members
        .required("peers", sink)
        .and_then(|at| some(Some(at), PEERS, sink, |at, sink| placed(at, sink, peer)));
    let principal = members
        .optional("principal")
        .map(|at| {
            at.parse(sink, |text| {
                OwnPrincipal::try_from(text).map_err(EntryErrorKind::from)
            })
        })
        .transpose();
    let (rights, principal) = (rights(&members, sink), principal?);
    let rights = rights.and_then(|rights| explains(rights, principal.as_ref(), &members, sink));
    Ok(Named {
        name: name?,
        peers: peers?,
        principal,
        rights: rights?,
    })
}

fn name(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Name, Told> {
    let name = entry::name(at, sink)?;
    if RESERVED.contains(&name.as_str()) {
        return Err(at.refuse(EntryErrorKind::CallerReserved, sink));
    }
    Ok(name)
}

/// The elements of an array that may be missing, but neither empty nor over a limit.
fn some<T>(
    at: Option<Cursor<'_, '_>>,
    limit: Limit,
    sink: &mut Sink<'_>,
    mut read: impl FnMut(&Cursor<'_, '_>, &mut Sink<'_>) -> Result<T, Told>,
) -> Result<Vec<T>, Told> {
    let Some(at) = at else {
        return Ok(Vec::new());
    };
    cursor::all(at.some_items(limit, sink)?, |at| read(&at, sink))
}

/// A name or a peer of two callers would leave it open which of them somebody is.
fn check_different(callers: &[Named], sink: &mut Sink<'_>) -> Result<(), Told> {
    let (mut names, mut peers) = (BTreeSet::new(), BTreeSet::new());
    let mut told = None;
    for caller in callers {
        if !names.insert(&caller.name.value) {
            let kind = duplicate("caller", caller.name.value.as_str());
            told = Some(sink.refuse(&caller.name.spot, kind));
        }
        for peer in &caller.peers {
            if !peers.insert(&peer.value) {
                let kind = duplicate("peer", &peer.value.to_string());
                told = Some(sink.refuse(&peer.spot, kind));
            }
        }
    }
    told.map_or(Ok(()), Err)
}

fn duplicate(sort: &'static str, name: &str) -> EntryErrorKind {
    let name = name.into();
    EntryErrorKind::Duplicate { sort, name }
}

#[cfg(test)]
mod tests;
