//! Cases of routes: what a proxy tells of a request, and what that asks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::error::DocumentErrors;
use crate::document::json::Node;
use crate::document::position::Source;
use crate::document::{routes, shipped};
use crate::model::route::Routes;

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteCase {
    /// Its name in the file.
    pub id: String,
    /// The line that it stands on.
    pub line: usize,
    /// The routes, or why they are refused.
    pub routes: Result<Routes, DocumentErrors>,
    /// The request.
    pub request: SentRequest,
    /// What it asks.
    pub expected: RouteExpected,
}

/// What a proxy tells of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct SentRequest {
    /// The method.
    pub method: String,
    /// The host.
    pub host: String,
    /// The path with the query.
    pub path: String,
    /// The scheme.
    pub scheme: String,
    /// Names and values.
    pub headers: Vec<(String, Vec<u8>)>,
    /// Whether the proxy joined and repaired them.
    pub joined: bool,
    /// The body.
    pub body: SentBody,
    /// The client's address.
    pub address: String,
    /// What the client's certificate proves.
    pub peer: String,
    /// Metadata by filter.
    pub metadata: Value,
}

/// A body, as a proxy tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentBody {
    /// None.
    Unsent,
    /// Its beginning.
    Partial,
    /// All of it, repaired.
    Replaced(String),
    /// All of it.
    Whole(Vec<u8>),
}

/// What a request should ask.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RouteExpected {
    /// Nothing, for this reason.
    Refused(String),
    /// This.
    Asked(RouteQuestion),
}

/// What a request asks, as cases write it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteQuestion {
    /// The route.
    pub route: String,
    /// Who asks.
    pub principal: String,
    /// The action.
    pub action: String,
    /// The resources.
    pub resources: Vec<String>,
    /// The tags, in the order sent; `None`: no tag parameter.
    pub tags: Option<Vec<(String, String)>>,
    /// The removed keys.
    pub removed_keys: Vec<String>,
    /// The circumstances, in the order of their keys.
    pub context: Vec<(String, String)>,
}

/// Reads a case with `routes`.
pub(super) fn read(
    at: &Cursor<'_, '_>,
    source: Source<'_>,
    sink: &mut Sink<'_>,
) -> Result<RouteCase, Told> {
    let known = ["id", "name", "source", "why", "routes", "request", "expect"];
    let members = at.members(&known, sink)?;
    let id = members.required("id", sink).and_then(|at| text(&at, sink));
    let sent = members.required("request", sink);
    let sent = sent.and_then(|at| request(&at, source, sink));
    let expected = members.required("expect", sink);
    let expected = expected.and_then(|at| expected_of(&at, sink));
    let table = members.required("routes", sink)?;
    // Its errors are an outcome.
    let mut own = Sink::new(source);
    let read = routes::routes(&table, shipped::catalog(), &mut own);
    Ok(RouteCase {
        id: id?,
        line: source.first_line,
        routes: own.finish(read).map(|parsed| parsed.value),
        request: sent?,
        expected: expected?,
    })
}

fn request(
    at: &Cursor<'_, '_>,
    source: Source<'_>,
    sink: &mut Sink<'_>,
) -> Result<SentRequest, Told> {
    let known = [
        "method", "host", "path", "scheme", "headers", "joined", "body", "repaired", "partial",
        "address", "peer", "metadata",
    ];
    let members = at.members(&known, sink)?;
    let mut optional = |name: &str| match members.optional(name) {
        None => Ok(String::new()),
        Some(at) => text(&at, sink),
    };
    let (host, scheme) = (optional("host"), optional("scheme"));
    let (address, peer) = (optional("address"), optional("peer"));
    let mut required = |name| members.required(name, sink).and_then(|at| text(&at, sink));
    let (method, path) = (required("method"), required("path"));
    let headers = headers(&members, sink);
    let body = body(&members, sink);
    if let Some(at) = members.optional("metadata") {
        at.entries(sink)?;
    }
    Ok(SentRequest {
        method: method?,
        host: host?,
        path: path?,
        scheme: scheme?,
        headers: headers?,
        joined: members.optional("joined").is_some(),
        body: body?,
        address: address?,
        peer: peer?,
        metadata: metadata(source),
    })
}

/// `[["x-user", "alice"], ["x-raw", {"base64": "/w=="}]]`, or `joined`: `{"x-user": "alice"}`.
fn headers(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<Vec<(String, Vec<u8>)>, Told> {
    if let Some(at) = members.optional("joined") {
        if let Some(at) = members.optional("headers") {
            return Err(at.refuse_key(EntryErrorKind::RequestForm, sink));
        }
        return cursor::all(at.entries(sink)?, |(name, at)| {
            Ok((name.to_owned(), text(&at, sink)?.into_bytes()))
        });
    }
    let Some(at) = members.optional("headers") else {
        return Ok(Vec::new());
    };
    cursor::all(at.items(sink)?, |at| {
        let pair: Vec<Cursor<'_, '_>> = at.items(sink)?.collect();
        match pair.as_slice() {
            [name, value] => Ok((text(name, sink)?, bytes(value, sink)?)),
            _ => Err(at.refuse(EntryErrorKind::RequestForm, sink)),
        }
    })
}

fn body(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<SentBody, Told> {
    let [body, repaired, partial] =
        ["body", "repaired", "partial"].map(|name| members.optional(name));
    match (body, repaired, partial) {
        (None, None, None) => Ok(SentBody::Unsent),
        (Some(at), None, None) => bytes(&at, sink).map(SentBody::Whole),
        (None, Some(at), None) => text(&at, sink).map(SentBody::Replaced),
        (None, None, Some(at)) => text(&at, sink).map(|_| SentBody::Partial),
        (None | Some(_), _, _) => Err(members.whole().refuse(EntryErrorKind::RequestForm, sink)),
    }
}

/// A text, or bytes that may be none.
fn bytes(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Vec<u8>, Told> {
    if matches!(at.node(), Node::String(_)) {
        return text(at, sink).map(String::into_bytes);
    }
    let members = at.members(&["base64"], sink)?;
    members.required("base64", sink)?.parse(sink, |text| {
        STANDARD
            .decode(text)
            .map_err(|_| EntryErrorKind::RequestForm)
    })
}

fn expected_of(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<RouteExpected, Told> {
    let known = [
        "refused",
        "route",
        "principal",
        "action",
        "resources",
        "tags",
        "removed_keys",
        "context",
    ];
    let members = at.members(&known, sink)?;
    if let Some(at) = members.optional("refused") {
        return text(&at, sink).map(RouteExpected::Refused);
    }
    let mut required = |name| members.required(name, sink).and_then(|at| text(&at, sink));
    let (route, principal, action) = (required("route"), required("principal"), required("action"));
    let resources = members.required("resources", sink);
    let resources = resources.and_then(|at| texts(&at, sink));
    let removed_keys = members.optional("removed_keys").map(|at| texts(&at, sink));
    let tags = members.optional("tags").map(|at| {
        cursor::all(at.items(sink)?, |at| match texts(&at, sink)?.as_slice() {
            [key, value] => Ok((key.clone(), value.clone())),
            _ => Err(at.refuse(EntryErrorKind::RequestForm, sink)),
        })
    });
    let context = members.optional("context").map(|at| {
        cursor::all(at.entries(sink)?, |(key, at)| {
            Ok((key.to_owned(), text(&at, sink)?))
        })
    });
    let mut context = context.transpose()?.unwrap_or_default();
    context.sort_unstable();
    Ok(RouteExpected::Asked(RouteQuestion {
        route: route?,
        principal: principal?,
        action: action?,
        resources: resources?,
        tags: tags.transpose()?,
        removed_keys: removed_keys.transpose()?.unwrap_or_default(),
        context,
    }))
}

fn texts(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Vec<String>, Told> {
    cursor::all(at.items(sink)?, |at| text(&at, sink))
}

fn text(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<String, Told> {
    at.text(sink).map(str::to_owned)
}

/// INVARIANT: the text was read as an object with a request before.
fn metadata(source: Source<'_>) -> Value {
    let case: Value = serde_json::from_str(source.text).unwrap_or_default();
    let found = case.pointer("/request/metadata");
    found.cloned().unwrap_or_default()
}
