//! `callers.json`: who may ask what (security 1.1).
//!
//! What a member does not give is not had, so that `{"anonymous": {}}` closes the server to peers
//! that no caller names; what the file does not speak of at all has the server's defaults.

use std::collections::BTreeSet;

use super::bundle::entry::{self, Placed, list, placed};
use super::bundle::error::EntryErrorKind;
use super::catalog::context_key;
use super::cursor::{self, Cursor, Members, Sink, Told};
use super::error::Limit;
use crate::model::account::Name;
use crate::model::caller::identity::{Identity, InvalidIdentity, SpiffePattern};
use crate::model::caller::principal::PrincipalPattern;
use crate::model::caller::supply::{ContextKeys, Supply, SupplyRight};
use crate::model::caller::{
    ActFor, Anonymous, Caller, Callers, Disclosure, OwnPrincipal, PeerPattern, Place, Rights, Rpc,
};

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
const PATTERNS: Limit = Limit {
    what: "principal patterns",
    most: 256,
    code: "TOO_MANY_PATTERNS",
};
const SUPPLIES: Limit = Limit {
    what: "rights",
    most: 256,
    code: "TOO_MANY_RIGHTS",
};

/// The names that peers have without an entry of their own.
const RESERVED: [&str; 2] = ["anonymous", "owner"];

const RIGHTS: [&str; 4] = ["rpcs", "act_for", "supply", "disclosure"];

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

/// security 8: level 3 is the right `explain`, and the permission of somebody.
fn explains(
    rights: Rights,
    principal: Option<&OwnPrincipal>,
    members: &Members<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<Rights, Told> {
    let explains = rights.supply.has(SupplyRight::Explain);
    let kind = if explains != (rights.disclosure == Disclosure::Explanation) {
        EntryErrorKind::ExplainLevel
    } else if explains && principal.is_none() {
        EntryErrorKind::ExplainPrincipal
    } else {
        return Ok(rights);
    };
    Err(members.whole().refuse(kind, sink))
}

/// security 1.2: "No RPC that changes the directory is served to anonymous."
fn nobody_writes(
    rights: Rights,
    members: &Members<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<Rights, Told> {
    let mut all = Rpc::ALL.into_iter();
    match all.find(|rpc| rpc.changes_directory() && rights.rpcs.contains(*rpc)) {
        Some(rpc) => Err(members
            .whole()
            .refuse(EntryErrorKind::AnonymousWrites { rpc }, sink)),
        None => Ok(rights),
    }
}

fn name(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Name, Told> {
    let name = entry::name(at, sink)?;
    if RESERVED.contains(&name.as_str()) {
        return Err(at.refuse(EntryErrorKind::CallerReserved, sink));
    }
    Ok(name)
}

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

fn peer(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<PeerPattern, Told> {
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

fn rights(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<Rights, Told> {
    let rpcs = list(members.optional("rpcs"), sink, rpc);
    let act_for = some(members.optional("act_for"), PATTERNS, sink, |at, sink| {
        at.parse(sink, |text| {
            PrincipalPattern::try_from(text).map_err(EntryErrorKind::from)
        })
    });
    let supply = some(members.optional("supply"), SUPPLIES, sink, supply);
    let disclosure = members
        .optional("disclosure")
        .map(|at| disclosure(&at, sink))
        .transpose();
    Ok(Rights {
        rpcs: rpcs?.into_iter().collect(),
        act_for: ActFor::Patterns(act_for?.into()),
        supply: sum(supply?),
        disclosure: disclosure?.unwrap_or_default(),
    })
}

fn rpc(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Rpc, Told> {
    let words = Rpc::ALL.map(|rpc| (rpc.as_str(), rpc));
    at.word("the name of an RPC: `Authorize`", &words, sink)
}

/// One element of `supply`.
enum Supplied {
    Right(SupplyRight),
    EveryKey,
    Key(Box<str>),
}

fn supply(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Supplied, Told> {
    at.parse(sink, |text| match text.strip_prefix("context:") {
        Some("*") => Ok(Supplied::EveryKey),
        Some(key) => context_key(key).map(Supplied::Key),
        None => {
            let mut rights = SupplyRight::ALL.into_iter();
            let right = rights.find(|right| right.as_str() == text);
            right.map(Supplied::Right).ok_or_else(|| {
                let found = text.into();
                EntryErrorKind::Supply { found }
            })
        }
    })
}

fn sum(supplied: Vec<Supplied>) -> Supply {
    let mut rights = Vec::new();
    let mut keys = Vec::new();
    let mut every = false;
    for one in supplied {
        match one {
            Supplied::Right(right) => rights.push(right),
            Supplied::EveryKey => every = true,
            Supplied::Key(key) => keys.push(key),
        }
    }
    let context = if every {
        ContextKeys::All
    } else {
        keys.iter().map(|key| &**key).collect()
    };
    Supply::new(rights, context)
}

fn disclosure(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Disclosure, Told> {
    match at.whole_number(sink)? {
        0 => Ok(Disclosure::Effect),
        1 => Ok(Disclosure::Reason),
        2 => Ok(Disclosure::Statements),
        3 => Ok(Disclosure::Explanation),
        _ => Err(at.refuse(EntryErrorKind::DisclosureLevel, sink)),
    }
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
mod tests {
    use super::*;
    use crate::document::{Source, read};
    use crate::model::arn::PrincipalRef;

    fn check(text: &str) -> Callers {
        let read = read(Source::new(text), MAX_CALLERS_BYTES, callers);
        read.unwrap_or_else(|errors| panic!("{errors}")).value
    }

    #[test]
    fn what_is_not_said_is_a_default_and_what_is_not_given_is_not_had() {
        assert_eq!(check("{}"), Callers::default());
        let closed = check(r#"{"anonymous": {}}"#).anonymous;
        assert_eq!(closed, Some(Anonymous::default()));
    }

    #[test]
    fn peers_are_told_by_one_member() {
        let peers = |peers: &str| {
            let text = format!(r#"{{"callers": [{{"name": "a", "peers": [{peers}]}}]}}"#);
            let read = read(Source::new(&text), MAX_CALLERS_BYTES, callers);
            read.map(|read| {
                read.value.named[0]
                    .peers
                    .iter()
                    .map(ToString::to_string)
                    .collect()
            })
            .map_err(|errors| errors.to_string())
        };
        for (text, expected) in [
            (r#"{"spiffe": "spiffe://d/a"}"#, "spiffe spiffe://d/a"),
            (r#"{"spiffe": "spiffe://d/a/*"}"#, "spiffe spiffe://d/a/*"),
            (r#"{"dns": "Gateway.example"}"#, "dns gateway.example"),
            (r#"{"uri": "urn:gateway"}"#, "uri urn:gateway"),
            (r#"{"token": "ops"}"#, "token ops"),
        ] {
            assert_eq!(peers(text), Ok(vec![expected.to_owned()]), "{text}");
        }
        for (text, expected) in [
            ("{}", "one of"),
            (r#"{"uid": 1, "dns": "a"}"#, "one of"),
            (r#"{"spiffe": "spiffe://d"}"#, "expected `spiffe://"),
            (r#"{"dns": "*.example"}"#, "expected a DNS name"),
            (r#"{"uri": "spiffe://d/a"}"#, "expected a URI"),
            (r#"{"dns": "a.b"}, {"dns": "A.b"}"#, "dns a.b"),
        ] {
            let refused = peers(text).unwrap_err();
            assert!(refused.contains(expected), "{text}: {refused}");
        }
    }

    #[test]
    fn a_caller_is_read_whole() {
        let read = check(
            r#"{"callers": [{"name": "gateway", "peers": [{"uid": 7}, {"gid": 8}],
            "principal": "acs:ram::1:role/ops", "rpcs": ["Authorize"],
            "act_for": ["*", "acs:ram::1:root"],
            "supply": ["session", "explain", "context:acs:SourceIp"], "disclosure": 3}]}"#,
        );
        let [gateway] = read.named.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!(gateway.name.as_str(), "gateway");
        assert_eq!(gateway.peers, [PeerPattern::Uid(7), PeerPattern::Gid(8)]);
        let own = gateway.principal.as_ref();
        let ops = PrincipalRef::parse("acs:ram::1:role/ops");
        assert_eq!(own.and_then(OwnPrincipal::principal), ops.ok());
        let Rights {
            rpcs,
            act_for,
            supply,
            disclosure,
        } = &gateway.rights;
        let called = Rpc::ALL.map(|rpc| rpcs.contains(rpc));
        assert_eq!(called, Rpc::ALL.map(|rpc| rpc == Rpc::Authorize));
        assert!(matches!(act_for, ActFor::Patterns(patterns) if patterns.len() == 2));
        assert!(supply.has(SupplyRight::Session) && !supply.has(SupplyRight::Kind));
        assert!(supply.has_key("acs:sourceip") && !supply.has_key("acs:MFAPresent"));
        assert_eq!(*disclosure, Disclosure::Explanation);
    }

    #[test]
    fn explanations_are_for_somebody_who_may_have_them() {
        let refused = |text: &str| {
            let read = read(Source::new(text), MAX_CALLERS_BYTES, callers);
            read.unwrap_err().to_string()
        };
        let named = |members: &str| {
            refused(&format!(
                r#"{{"callers": [{{"name": "a", "peers": [{{"uid": 7}}], {members}}}]}}"#
            ))
        };
        let level = "the right `explain` and `disclosure` 3 go together";
        let who = "the right `explain` needs `principal`: who may `tagwarden:Explain`";
        let own = r#""principal": "acs:ram::1:user/a""#;
        for (found, expected) in [
            (named(&format!(r#"{own}, "disclosure": 3"#)), level),
            (named(&format!(r#"{own}, "supply": ["explain"]"#)), level),
            (named(r#""supply": ["explain"], "disclosure": 3"#), who),
            (
                refused(r#"{"anonymous": {"supply": ["explain"], "disclosure": 3}}"#),
                who,
            ),
        ] {
            assert!(found.ends_with(expected), "{found}");
        }
        for principal in [
            "*",
            "acs:ram::1:root",
            "acs:ram::1:role/ops/s1",
            "ecs.aliyuncs.com",
        ] {
            let found = named(&format!(r#""principal": "{principal}""#));
            let expected = "/callers/0/principal: expected the ARN of a user or a role";
            assert!(found.ends_with(expected), "{found}");
        }
    }

    #[test]
    fn nobody_without_a_name_changes_the_directory() {
        let refused = |text: &str| {
            let read = read(Source::new(text), MAX_CALLERS_BYTES, callers);
            read.unwrap_err().to_string()
        };
        for rpc in Rpc::ALL.into_iter().filter(|rpc| rpc.changes_directory()) {
            let told = refused(&format!(
                r#"{{"anonymous": {{"rpcs": ["Authorize", "{rpc}"]}}}}"#
            ));
            let expected = format!("`{rpc}` changes the directory, and is not for peers");
            assert!(told.contains(&expected), "{told}");
        }
    }
}
