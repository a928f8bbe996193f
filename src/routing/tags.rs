//! The tags that a request carries, and the keys of those that it removes.

use std::borrow::Cow;

use super::body::Read;
use super::parameters::{Below, Parameters};
use super::request::Request;
use super::{Reason, Refused, headers, json};
use crate::document::json::Node;
use crate::model::route::source::{KeySource, Pointer, TagShape, TagSource};

/// More tags or keys than any request may carry, so that the limit is told by those who know it.
const MOST: usize = 1_000;

/// Keys and values.
type Tags<'r> = Vec<(Cow<'r, str>, Cow<'r, str>)>;

/// A key and a value, as far as they have come.
type Pair<'r> = (Option<Cow<'r, str>>, Option<Cow<'r, str>>);

/// The tags; `None`: the request has no tag parameter.
pub(super) fn of<'r>(
    source: Option<&TagSource>,
    request: &Request<'r>,
    body: &Read<'_>,
) -> Result<Option<Tags<'r>>, Refused<'static>> {
    let Some(source) = source else {
        return Ok(None);
    };
    match source {
        TagSource::Headers(prefix) => {
            let found = headers::beginning(request.attributes, prefix)?;
            let borrowed = |(key, value): (&'r str, &'r str)| (key.into(), value.into());
            Ok(some(found.into_iter().map(borrowed).collect()))
        }
        TagSource::Query(prefix) => {
            let parameters = in_query(prefix, request, body)?;
            Ok(some(pairs(prefix, &parameters)?))
        }
        TagSource::Form(prefix) => {
            let parameters = in_form(prefix, request, body)?;
            Ok(some(owned(pairs(prefix, &parameters)?)))
        }
        TagSource::Json(pointer, shape) => {
            in_json(pointer, shape, body).map(|tags| tags.map(owned))
        }
    }
}

/// The keys of tags that the request removes.
pub(super) fn keys(
    source: Option<&KeySource>,
    request: &Request<'_>,
    body: &Read<'_>,
) -> Result<Vec<String>, Refused<'static>> {
    match source {
        None => Ok(Vec::new()),
        Some(KeySource::Query(prefix)) => single(prefix, &in_query(prefix, request, body)?),
        Some(KeySource::Form(prefix)) => single(prefix, &in_form(prefix, request, body)?),
        Some(KeySource::Json(pointer)) => match find(pointer, body)? {
            None => Ok(Vec::new()),
            Some(Node::Array(nodes)) => nodes.iter().map(|node| text(node, body)).collect(),
            Some(_) => Err(refused(format!("`{pointer}` in the body is no array"))),
        },
    }
}

/// No tag in headers or parameters is no tag parameter.
fn some(tags: Tags<'_>) -> Option<Tags<'_>> {
    (!tags.is_empty()).then_some(tags)
}

/// Tags of a body, which is not kept.
fn owned<'r>(tags: Vec<(impl Into<String>, impl Into<String>)>) -> Tags<'r> {
    let owned = |(key, value)| (Cow::Owned(Into::into(key)), Cow::Owned(Into::into(value)));
    tags.into_iter().map(owned).collect()
}

fn in_query<'p, 'r>(
    prefix: &str,
    request: &'p Request<'r>,
    body: &Read<'_>,
) -> Result<Below<'p, 'r>, Refused<'static>> {
    if let Read::Form(form, _) = body {
        nowhere_else(prefix, form)?;
    }
    request.query()?.below(prefix)
}

fn in_form<'p, 'b>(
    prefix: &str,
    request: &Request<'_>,
    body: &'p Read<'b>,
) -> Result<Below<'p, 'b>, Refused<'static>> {
    let Read::Form(form, spelling) = body else {
        return Ok(Vec::new());
    };
    nowhere_else(prefix, request.query()?)?;
    let found = form.below(prefix)?;
    for (_, value) in &found {
        spelling.check(value)?;
    }
    Ok(found)
}

fn nowhere_else(prefix: &str, others: &Parameters<'_>) -> Result<(), Refused<'static>> {
    if others.below(prefix)?.is_empty() {
        return Ok(());
    }
    let what = format!("parameters `{prefix}` stand in the query and in the body");
    Err(Refused::new(Reason::ParameterInvalid, what))
}

/// `1.Key`, `1.Value`, `2.Key` …: a tag without a value has an empty one.
fn pairs<'r>(prefix: &str, found: &Below<'_, 'r>) -> Result<Tags<'r>, Refused<'static>> {
    let mut tags: Vec<Pair<'r>> = Vec::new();
    for (rest, value) in found {
        let (number, member) = rest.split_once('.').ok_or_else(|| form(prefix))?;
        let place = place(number).ok_or_else(|| form(prefix))?;
        if tags.len() <= place {
            tags.resize(place + 1, (None, None));
        }
        let tag = tags.get_mut(place).ok_or_else(|| form(prefix))?;
        let part = match member {
            "Key" => &mut tag.0,
            "Value" => &mut tag.1,
            _ => return Err(form(prefix)),
        };
        if part.replace((*value).clone()).is_some() {
            return Err(refused(format!("`{prefix}.{rest}` is given twice")));
        }
    }
    let whole = tags.into_iter().map(|(key, value)| {
        let key = key.ok_or_else(|| form(prefix))?;
        Ok((key, value.unwrap_or_default()))
    });
    whole.collect()
}

/// `1`, `2` …
fn single(prefix: &str, found: &Below<'_, '_>) -> Result<Vec<String>, Refused<'static>> {
    let mut keys: Vec<Option<&str>> = Vec::new();
    for (number, key) in found {
        let place = place(number).ok_or_else(|| form(prefix))?;
        if keys.len() <= place {
            keys.resize(place + 1, None);
        }
        let known = keys.get_mut(place).ok_or_else(|| form(prefix))?;
        if known.replace(key).is_some() {
            return Err(refused(format!("`{prefix}.{number}` is given twice")));
        }
    }
    let whole = keys
        .into_iter()
        .map(|key| key.map(str::to_owned).ok_or_else(|| form(prefix)));
    whole.collect()
}

/// A number from 1 on, in one spelling.
fn place(number: &str) -> Option<usize> {
    if number.starts_with('0') || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let number: usize = number.parse().ok()?;
    (1..=MOST).contains(&number).then(|| number - 1)
}

/// Numbers with gaps are read in different ways: up to the gap, or all of them.
fn form(prefix: &str) -> Refused<'static> {
    refused(format!(
        "parameters `{prefix}` are numbered from 1 on without a gap, each with its key"
    ))
}

fn in_json(
    pointer: &Pointer,
    shape: &TagShape,
    body: &Read<'_>,
) -> Result<Option<Vec<(String, String)>>, Refused<'static>> {
    let Some(node) = find(pointer, body)? else {
        return Ok(None);
    };
    let tags: Result<Vec<_>, _> = match (shape, node) {
        (TagShape::Map, Node::Object(members)) => members
            .iter()
            .map(|(key, value)| {
                body.spelling().check(key)?;
                Ok(((*key).to_owned(), text(value, body)?))
            })
            .collect(),
        (TagShape::Pairs { key, value }, Node::Array(nodes)) => nodes
            .iter()
            .map(|node| pair(node, key, value, body))
            .collect(),
        (TagShape::Map | TagShape::Pairs { .. }, _) => Err(refused(format!(
            "`{pointer}` in the body has not the form of tags"
        ))),
    };
    tags.map(Some)
}

/// An object of two members. Without a value the tag has an empty one.
fn pair(
    node: &Node<'_>,
    key: &str,
    value: &str,
    body: &Read<'_>,
) -> Result<(String, String), Refused<'static>> {
    let shape = || {
        refused(format!(
            "a tag in the body has not just `{key}` and `{value}`"
        ))
    };
    let Node::Object(members) = node else {
        return Err(shape());
    };
    let (known, own) = (json::member(members, key)?, json::member(members, value)?);
    let key = known.ok_or_else(shape)?;
    if members.len() != 1 + usize::from(own.is_some()) {
        return Err(shape());
    }
    let own = own.map(|own| text(own, body)).transpose()?;
    Ok((text(key, body)?, own.unwrap_or_default()))
}

fn find<'b>(
    pointer: &Pointer,
    body: &'b Read<'_>,
) -> Result<Option<&'b Node<'b>>, Refused<'static>> {
    match body {
        Read::Json(root, _) => json::at(root, pointer),
        Read::Unread | Read::Form(..) => Ok(None),
    }
}

fn text(node: &Node<'_>, body: &Read<'_>) -> Result<String, Refused<'static>> {
    let Node::String(text) = node else {
        return Err(refused(
            "a key or value of a tag in the body is no text".to_owned(),
        ));
    };
    body.spelling().check(text)?;
    Ok((*text).to_owned())
}

fn refused(what: String) -> Refused<'static> {
    Refused::new(Reason::TagsInvalid, what)
}
