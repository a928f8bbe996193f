//! What a caller may: RPCs, principals, what it may send, and how much it is told.

use super::some;
use crate::document::bundle::entry::list;
use crate::document::bundle::error::EntryErrorKind;
use crate::document::catalog::context_key;
use crate::document::cursor::{Cursor, Members, Sink, Told};
use crate::document::error::Limit;
use crate::model::caller::principal::PrincipalPattern;
use crate::model::caller::supply::{ContextKeys, Supply, SupplyRight};
use crate::model::caller::{ActFor, Disclosure, OwnPrincipal, Rights, Rpc};

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

/// The members that say it.
pub(super) const RIGHTS: [&str; 4] = ["rpcs", "act_for", "supply", "disclosure"];

/// Reads them.
pub(super) fn rights(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<Rights, Told> {
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

/// security 8: level 3 is the right `explain`, and the permission of somebody.
pub(super) fn explains(
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
pub(super) fn nobody_writes(
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
