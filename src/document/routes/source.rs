//! Where a request says what a route needs.

use std::collections::BTreeMap;

use super::error::RouteErrorKind;
use crate::document::catalog::context_key;
use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::error::Limit;
use crate::model::route::source::{
    Claim, ContextSource, KeySource, Pointer, Source, TagShape, TagSource, is_header_name,
};
use crate::model::route::template::is_variable_name;
use crate::model::route::{Absent, Variable};
use crate::model::verdict::limits;

const VARIABLES: Limit = Limit {
    what: "variables",
    most: 32,
    code: "TOO_MANY_VARIABLES",
};
const CONTEXT: Limit = Limit {
    what: "context keys",
    most: limits::CONTEXT_ENTRIES,
    code: "TOO_MANY_CONTEXT_KEYS",
};
const CLAIM: Limit = Limit {
    what: "members",
    most: 8,
    code: "TOO_MANY_MEMBERS",
};

/// The filter that verifies tokens.
const JWT: &str = "envoy.filters.http.jwt_authn";

/// Headers that say how a request is framed or addressed, or that the proxy makes.
const RESERVED: [&str; 13] = [
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "x-envoy-auth-partial-body",
    "x-tagwarden-decision-id",
    "x-tagwarden-effect",
    "x-tagwarden-obligations",
];

/// `{"id": {"query": "GroupId", "absent": "*"}}`
pub(super) fn variables(
    at: Option<Cursor<'_, '_>>,
    sink: &mut Sink<'_>,
) -> Result<BTreeMap<Box<str>, Variable>, Told> {
    let Some(at) = at else {
        return Ok(BTreeMap::new());
    };
    let entries = at.entries(sink)?;
    at.check_count(entries.len(), VARIABLES, sink)?;
    let read = cursor::all(entries, |(name, at)| {
        let variable = variable(&at, sink);
        if !is_variable_name(name) {
            return Err(at.refuse_key(RouteErrorKind::VariableName, sink));
        }
        Ok((Box::from(name), variable?))
    });
    Ok(read?.into_iter().collect())
}

fn variable(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Variable, Told> {
    let known = ["header", "query", "form", "json", "each", "absent"];
    let members = at.members(&known, sink)?;
    let absent = members
        .optional("absent")
        .map(|at| at.word("`*`", &[("*", Absent::Every)], sink));
    let forms: [(&str, Read<Source>); 5] = [
        ("header", |at, sink| header(at, sink).map(Source::Header)),
        ("query", |at, sink| parameter(at, sink).map(Source::Query)),
        ("form", |at, sink| parameter(at, sink).map(Source::Form)),
        ("json", |at, sink| pointer(at, sink).map(Source::Json)),
        ("each", |at, sink| pointer(at, sink).map(Source::Each)),
    ];
    let expected = "`header`, `query`, `form`, `json` and `each`";
    let source = one_of(&members, &forms, expected, sink);
    Ok(Variable {
        source: source?,
        absent: absent.transpose()?.unwrap_or(Absent::Refused),
    })
}

/// Where the tags stand.
pub(super) fn tags(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<TagSource, Told> {
    let known = ["headers", "query", "form", "json", "shape", "members"];
    let members = at.members(&known, sink)?;
    if let Some(json) = members.optional("json") {
        let others = ["headers", "query", "form"];
        if others.iter().any(|name| members.optional(name).is_some()) {
            return Err(at.refuse(RouteErrorKind::Form { expected: TAGS }, sink));
        }
        let pointer = pointer(&json, sink);
        let shape = shape(&members, sink);
        return Ok(TagSource::Json(pointer?, shape?));
    }
    for name in ["shape", "members"] {
        if let Some(at) = members.optional(name) {
            return Err(at.refuse_key(RouteErrorKind::Form { expected: TAGS }, sink));
        }
    }
    let forms: [(&str, Read<TagSource>); 3] = [
        ("headers", |at, sink| {
            header(at, sink).map(TagSource::Headers)
        }),
        ("query", |at, sink| {
            parameter(at, sink).map(TagSource::Query)
        }),
        ("form", |at, sink| parameter(at, sink).map(TagSource::Form)),
    ];
    one_of(&members, &forms, TAGS, sink)
}

const TAGS: &str = "`headers`, `query`, `form` and `json`; `shape` and `members` go with `json`";

fn shape(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<TagShape, Told> {
    let pairs = |key: &str, value: &str| TagShape::Pairs {
        key: key.into(),
        value: value.into(),
    };
    let is_map = match members.optional("shape") {
        None => false,
        Some(at) => at.word("`pairs` or `map`", &[("pairs", false), ("map", true)], sink)?,
    };
    match (members.optional("members"), is_map) {
        (None, true) => Ok(TagShape::Map),
        (None, false) => Ok(pairs("Key", "Value")),
        (Some(at), true) => Err(at.refuse_key(RouteErrorKind::Form { expected: TAGS }, sink)),
        (Some(at), false) => {
            let names = cursor::all(at.items(sink)?, |at| at.text(sink))?;
            match names.as_slice() {
                [key, value] if key != value => Ok(pairs(key, value)),
                _ => Err(at.refuse(RouteErrorKind::TagMembers, sink)),
            }
        }
    }
}

/// Where the removed keys stand.
pub(super) fn keys(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<KeySource, Told> {
    let members = at.members(&["query", "form", "json"], sink)?;
    let forms: [(&str, Read<KeySource>); 3] = [
        ("query", |at, sink| {
            parameter(at, sink).map(KeySource::Query)
        }),
        ("form", |at, sink| parameter(at, sink).map(KeySource::Form)),
        ("json", |at, sink| pointer(at, sink).map(KeySource::Json)),
    ];
    one_of(&members, &forms, "`query`, `form` and `json`", sink)
}

/// `{"acs:SourceIp": "source_address", "acs:MFAPresent": {"claim": ["jwt_payload", "mfa"]}}`
pub(super) fn context(
    at: Option<Cursor<'_, '_>>,
    sink: &mut Sink<'_>,
) -> Result<BTreeMap<Box<str>, ContextSource>, Told> {
    let Some(at) = at else {
        return Ok(BTreeMap::new());
    };
    let entries = at.entries(sink)?;
    at.check_count(entries.len(), CONTEXT, sink)?;
    let read = cursor::all(entries, |(key, at)| {
        let source = context_source(&at, sink);
        context_key(key).map_err(|kind| at.refuse_key(kind, sink))?;
        Ok((Box::from(key), source?))
    });
    Ok(read?.into_iter().collect())
}

fn context_source(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<ContextSource, Told> {
    use crate::document::json::Node;
    if matches!(at.node(), Node::String(_)) {
        let words = [("source_address", true), ("secure_transport", false)];
        let expected = "`source_address`, `secure_transport`, a claim or a value";
        let is_address = at.word(expected, &words, sink)?;
        return Ok(if is_address {
            ContextSource::SourceAddress
        } else {
            ContextSource::SecureTransport
        });
    }
    let members = at.members(&["claim", "metadata", "value"], sink)?;
    let (path, filter) = (members.optional("claim"), members.optional("metadata"));
    match (path, filter, members.optional("value")) {
        (Some(path), filter, None) => claim(&path, filter, sink).map(ContextSource::Claim),
        (None, None, Some(at)) => {
            let text = at.text(sink)?;
            Ok(ContextSource::Value(text.into()))
        }
        (None | Some(_), _, _) => {
            let expected = "`claim` and `value`; `metadata` goes with `claim`";
            Err(at.refuse(RouteErrorKind::Form { expected }, sink))
        }
    }
}

/// The members that lead to a claim, and the filter whose metadata it is.
pub(super) fn claim(
    path: &Cursor<'_, '_>,
    filter: Option<Cursor<'_, '_>>,
    sink: &mut Sink<'_>,
) -> Result<Claim, Told> {
    let names = path
        .some_items(CLAIM, sink)
        .and_then(|items| cursor::all(items, |at| at.parse(sink, parameter_name)));
    let filter = filter.map(|at| at.parse(sink, parameter_name));
    Ok(Claim {
        filter: filter.transpose()?.unwrap_or_else(|| JWT.into()),
        path: names?.into(),
    })
}

/// The name of a header, in lower case.
pub(super) fn header(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Box<str>, Told> {
    at.parse(sink, |text| {
        if !is_header_name(text) {
            return Err(RouteErrorKind::HeaderName);
        }
        if RESERVED.contains(&text) {
            let name = text.into();
            return Err(RouteErrorKind::HeaderReserved { name });
        }
        Ok(Box::from(text))
    })
}

fn parameter(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Box<str>, Told> {
    at.parse(sink, parameter_name)
}

/// The name of a parameter or member.
pub(super) fn parameter_name(text: &str) -> Result<Box<str>, RouteErrorKind> {
    if (1..=128).contains(&text.len()) && !text.chars().any(char::is_control) {
        Ok(text.into())
    } else {
        Err(RouteErrorKind::ParameterName)
    }
}

fn pointer(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Pointer, Told> {
    at.parse(sink, |text| {
        Pointer::try_from(text).map_err(RouteErrorKind::from)
    })
}

type Read<T> = fn(&Cursor<'_, '_>, &mut Sink<'_>) -> Result<T, Told>;

/// The one member of several that is there.
fn one_of<T>(
    members: &Members<'_, '_>,
    forms: &[(&'static str, Read<T>)],
    expected: &'static str,
    sink: &mut Sink<'_>,
) -> Result<T, Told> {
    let given = forms
        .iter()
        .filter_map(|(name, read)| Some((members.optional(name)?, read)));
    let given: Vec<_> = given.collect();
    match given.as_slice() {
        [(at, read)] => read(at, sink),
        _ => Err(members
            .whole()
            .refuse(RouteErrorKind::Form { expected }, sink)),
    }
}
