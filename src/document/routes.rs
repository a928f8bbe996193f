//! `routes.json`: which requests of a proxy are which questions (security 10).
//!
//! Everything that can be wrong with a route whatever a request says is refused here, with its
//! position: templates that make no ARN, variables without a source, a kind that is not stricter,
//! and two routes of which neither stands before the other.
//!
//! Not here: which route a request matches (`snapshot::route`).

mod check;
mod conflict;
mod error;
mod principal;
mod source;
mod target;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::error::RouteErrorKind;
use self::principal::principals;
use super::bundle::entry::{self, Placed, placed};
use super::bundle::error::EntryErrorKind;
use super::catalog;
use super::cursor::{self, Cursor, Members, Sink, Told};
use super::error::{Excerpt, Limit};
use crate::model::account::Name;
use crate::model::action::ActionRef;
use crate::model::catalog::{Catalog, OperationKind};
use crate::model::route::source::Principal;
use crate::model::route::template::Template;
use crate::model::route::{EmptyResult, Obligations, OnDeny, Route, Routes};
use crate::model::verdict::limits;

/// The most bytes of the file.
pub const MAX_ROUTES_BYTES: usize = 4 * 1024 * 1024;

const ROUTES: Limit = Limit {
    what: "routes",
    most: 10_000,
    code: "TOO_MANY_ROUTES",
};
const RESOURCES: Limit = Limit {
    what: "resources",
    most: limits::RESOURCES,
    code: "TOO_MANY_RESOURCES",
};
/// The most bytes of an empty result's body.
const MAX_BODY_BYTES: usize = 16 * 1024;

const MEMBERS: [&str; 13] = [
    "name",
    "http",
    "grpc",
    "principal",
    "action",
    "kind",
    "variables",
    "resources",
    "tags",
    "removed_keys",
    "context",
    "on_deny",
    "obligations",
];

/// Reads the file.
///
/// # Errors
///
/// When an error was told.
pub fn routes(at: &Cursor<'_, '_>, catalog: &Catalog, sink: &mut Sink<'_>) -> Result<Routes, Told> {
    let members = at.members(&["principals", "routes"], sink)?;
    let known = principals(members.optional("principals"), sink);
    let listed = members.required("routes", sink);
    let (known, listed) = (known?, listed?);
    let items = listed.items(sink)?;
    listed.check_most(items.len(), ROUTES, sink)?;
    let read = cursor::all(items, |at| {
        let route = route(&at, &known, catalog, sink)?;
        let spot = at.spot();
        Ok(Placed { value: route, spot })
    })?;
    conflict::check(&read, sink)?;
    let routes = read.into_iter().map(|placed| placed.value).collect();
    Ok(Routes { routes })
}

type Principals = BTreeMap<Name, Arc<Principal>>;

fn route(
    at: &Cursor<'_, '_>,
    known: &Principals,
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) -> Result<Route, Told> {
    let members = at.members(&MEMBERS, sink)?;
    let name = members
        .required("name", sink)
        .and_then(|at| entry::name(&at, sink));
    let target = target::read(&members, sink);
    let principal = members
        .required("principal", sink)
        .and_then(|at| named_principal(&at, known, sink));
    let action = members
        .required("action", sink)
        .and_then(|at| action(&at, sink));
    let kind = members.optional("kind").map(|at| catalog::kind(&at, sink));
    let variables = source::variables(members.optional("variables"), sink);
    let resources = resources(&members, sink);
    let tags = members.optional("tags").map(|at| source::tags(&at, sink));
    let removed_keys = members
        .optional("removed_keys")
        .map(|at| source::keys(&at, sink));
    let context = source::context(members.optional("context"), sink);
    let on_deny = members.optional("on_deny").map(|at| on_deny(&at, sink));
    let obligations = members.optional("obligations").map(|at| {
        let words = [
            ("refused", Obligations::Refused),
            ("applied", Obligations::Applied),
        ];
        at.word("`refused` or `applied`", &words, sink)
    });
    let route = Route {
        name: name?,
        target: target?,
        principal: principal?,
        action: action?,
        kind: kind.transpose()?,
        variables: variables?,
        resources: resources?.into_iter().map(|one| one.value).collect(),
        tags: tags.transpose()?,
        removed_keys: removed_keys.transpose()?,
        context: context?,
        on_deny: on_deny.transpose()?.unwrap_or_default(),
        obligations: obligations.transpose()?.unwrap_or_default(),
    };
    check::route(&route, &members, catalog, sink)?;
    Ok(route)
}

fn named_principal(
    at: &Cursor<'_, '_>,
    known: &Principals,
    sink: &mut Sink<'_>,
) -> Result<Arc<Principal>, Told> {
    let name = entry::name(at, sink)?;
    known.get(&name).map(Arc::clone).ok_or_else(|| {
        let name = Excerpt::from(name.as_str());
        at.refuse(RouteErrorKind::PrincipalUnknown { name }, sink)
    })
}

fn action(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Box<str>, Told> {
    at.parse(sink, |text| {
        let action = ActionRef::parse(text).map_err(EntryErrorKind::from)?;
        Ok::<_, EntryErrorKind>(action.as_str().into())
    })
}

fn resources(
    members: &Members<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<Vec<Placed<Template>>, Told> {
    let at = members.required("resources", sink)?;
    cursor::all(at.some_items(RESOURCES, sink)?, |at| {
        placed(&at, sink, |at, sink| {
            at.parse(sink, |text| {
                Template::try_from(text).map_err(RouteErrorKind::from)
            })
        })
    })
}

/// `{"status": 200, "body": "…"}`, or a word.
fn on_deny(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<OnDeny, Told> {
    if matches!(at.node(), super::json::Node::String(_)) {
        // On calls of gRPC it is called as the client sees it.
        let words = [
            ("error", OnDenyWord::Error),
            ("permission_denied", OnDenyWord::Error),
            ("forward", OnDenyWord::Forward),
        ];
        let expected = "`error`, `permission_denied`, `forward` or an empty result";
        return Ok(match at.word(expected, &words, sink)? {
            OnDenyWord::Error => OnDeny::Error,
            OnDenyWord::Forward => OnDeny::Forward,
        });
    }
    let members = at.members(&["status", "body", "content_type"], sink)?;
    let status = members
        .required("status", sink)
        .and_then(|at| match at.whole_number(sink)? {
            200 => Ok(()),
            _ => Err(at.refuse(RouteErrorKind::EmptyStatus, sink)),
        });
    let body = members.required("body", sink).and_then(|at| {
        at.parse(sink, |text| {
            if text.len() > MAX_BODY_BYTES {
                let limit = MAX_BODY_BYTES;
                return Err(RouteErrorKind::BodyTooLong { limit });
            }
            Ok(Box::from(text))
        })
    });
    let content_type = members
        .optional("content_type")
        .map(|at| at.parse(sink, content_type));
    status?;
    Ok(OnDeny::Empty(EmptyResult {
        body: body?,
        content_type: content_type
            .transpose()?
            .unwrap_or_else(|| "application/json".into()),
    }))
}

#[derive(Debug, Clone, Copy)]
enum OnDenyWord {
    Error,
    Forward,
}

fn content_type(text: &str) -> Result<Box<str>, RouteErrorKind> {
    let is_shown = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    if (1..=128).contains(&text.len()) && text.contains('/') && text.bytes().all(is_shown) {
        Ok(text.into())
    } else {
        Err(RouteErrorKind::ContentType)
    }
}

/// The kind that a route states must be as strict as the catalog's (security 3.1).
fn is_lax(stated: Option<OperationKind>, known: OperationKind) -> bool {
    stated.is_some_and(|kind| kind.strictness() < known.strictness())
}
