//! The principals that routes name: where a request says who asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::error::RouteErrorKind;
use super::{Principals, source};
use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::error::{Excerpt, Limit};
use crate::model::account::Name;
use crate::model::arn::PrincipalRef;
use crate::model::caller::identity::SpiffePattern;
use crate::model::route::source::{Principal, PrincipalSource, SpiffeTemplate, StatedSession};
use crate::model::route::template::Template;

const BEHIND: Limit = Limit {
    what: "peers",
    most: 256,
    code: "TOO_MANY_PEERS",
};

const FORMS: &str = "`spiffe`, `claim` and `header`";

/// `{"staff": {"claim": ["jwt_payload", "sub"], "arn": "acs:ram::1:user/{claim}"}}`
pub(super) fn principals(
    at: Option<Cursor<'_, '_>>,
    sink: &mut Sink<'_>,
) -> Result<Principals, Told> {
    let Some(at) = at else {
        return Ok(BTreeMap::new());
    };
    let read = cursor::all(at.entries(sink)?, |(name, at)| {
        let name =
            Name::try_from(name).map_err(|error| at.refuse_key(EntryErrorKind::from(error), sink));
        let principal = principal(&at, sink);
        Ok((name?, Arc::new(principal?)))
    });
    Ok(read?.into_iter().collect())
}

fn principal(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Principal, Told> {
    let known = [
        "spiffe", "claim", "metadata", "header", "behind", "arn", "session",
    ];
    let members = at.members(&known, sink)?;
    let source = principal_source(&members, sink);
    let arn = members.required("arn", sink).and_then(|at| {
        at.parse(sink, |text| {
            Template::try_from(text).map_err(RouteErrorKind::from)
        })
    });
    let session = members
        .optional("session")
        .map(|at| at.word("`none`", &[("none", StatedSession::None)], sink));
    let principal = Principal {
        source: source?,
        arn: arn?,
        session: session.transpose()?.unwrap_or(StatedSession::Unstated),
    };
    check(&principal, &members, sink)?;
    Ok(principal)
}

fn principal_source(
    members: &Members<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<PrincipalSource, Told> {
    let [spiffe, claim, header] = ["spiffe", "claim", "header"].map(|name| members.optional(name));
    let beside = |name: &'static str, sink: &mut Sink<'_>| match members.optional(name) {
        None => Ok(()),
        Some(at) => Err(at.refuse_key(RouteErrorKind::Form { expected: FORMS }, sink)),
    };
    match (spiffe, claim, header) {
        (Some(at), None, None) => {
            beside("metadata", sink)?;
            beside("behind", sink)?;
            let template = at.parse(sink, |text| {
                SpiffeTemplate::try_from(text).map_err(RouteErrorKind::from)
            });
            template.map(PrincipalSource::Spiffe)
        }
        (None, Some(at), None) => {
            beside("behind", sink)?;
            source::claim(&at, members.optional("metadata"), sink).map(PrincipalSource::Claim)
        }
        (None, None, Some(at)) => {
            beside("metadata", sink)?;
            let name = source::header(&at, sink);
            // security 10: "from a header only behind a verified peer".
            let behind = members.required("behind", sink)?;
            let behind = cursor::all(behind.some_items(BEHIND, sink)?, |at| {
                at.parse(sink, |text| {
                    SpiffePattern::try_from(text).map_err(EntryErrorKind::from)
                })
            });
            Ok(PrincipalSource::Header {
                name: name?,
                behind: behind?,
            })
        }
        (None | Some(_), _, _) => {
            let kind = RouteErrorKind::Form { expected: FORMS };
            Err(members.whole().refuse(kind, sink))
        }
    }
}

/// Whether values in place of variables make a principal that may ask this way.
fn check(
    principal: &Principal,
    members: &Members<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<(), Told> {
    let at = members.required("arn", sink)?;
    let given = principal.source.variables();
    if let Some(name) = principal.arn.variables().find(|name| !given.contains(name)) {
        let name = Excerpt::from(name);
        return Err(at.refuse(RouteErrorKind::VariableUnknown { name }, sink));
    }
    let filled = principal.arn.fill(|_| Some("1")).unwrap_or_default();
    let parsed = PrincipalRef::parse(&filled)
        .map_err(|error| at.refuse(RouteErrorKind::PrincipalArn(error), sink))?;
    let is_session = match parsed {
        PrincipalRef::User { .. } => false,
        PrincipalRef::Role { session, .. } => session.is_some(),
        PrincipalRef::Root { .. }
        | PrincipalRef::Federated { .. }
        | PrincipalRef::Service { .. } => {
            return Err(at.refuse(RouteErrorKind::PrincipalFixed, sink));
        }
    };
    if principal.arn.variables().next().is_none() {
        return Err(at.refuse(RouteErrorKind::PrincipalFixed, sink));
    }
    match (is_session, principal.session) {
        (true, StatedSession::Unstated) => Err(at.refuse(RouteErrorKind::SessionMissing, sink)),
        (false, StatedSession::None) => Err(at.refuse(RouteErrorKind::SessionUnused, sink)),
        (true, StatedSession::None) | (false, StatedSession::Unstated) => Ok(()),
    }
}
