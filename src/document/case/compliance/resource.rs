//! The resource of a case, and its tags.

use crate::document::bundle::entry;
use crate::document::cursor::{Cursor, Sink, Told};
use crate::document::json::Node;
use crate::model::tag::{TagRef, TagSet};

pub(super) type Pairs = Vec<(String, String)>;

pub(super) struct Resource {
    pub(super) kind: String,
    pub(super) region: Option<String>,
    pub(super) group: Nullable,
    pub(super) id: Option<String>,
    pub(super) tags: Pairs,
}

pub(super) fn resource(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Resource, Told> {
    let members = at.members(&["type", "region", "resource_group", "tags", "id"], sink)?;
    let kind = members
        .required("type", sink)
        .and_then(|at| at.text(sink).map(str::to_owned));
    let region = nullable(members.optional("region"), sink);
    let group = nullable(members.optional("resource_group"), sink);
    let id = nullable(members.optional("id"), sink);
    let tags = members
        .required("tags", sink)
        .and_then(|at| pairs(&at, sink));
    Ok(Resource {
        kind: kind?,
        region: region?.text(),
        group: group?,
        id: id?.text(),
        tags: tags?,
    })
}

/// A text that may be missing or `null`.
pub(super) enum Nullable {
    Absent,
    Null,
    Text(String),
}

impl Nullable {
    pub(super) fn text(self) -> Option<String> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Text(text) => Some(text),
        }
    }
}

pub(super) fn nullable(at: Option<Cursor<'_, '_>>, sink: &mut Sink<'_>) -> Result<Nullable, Told> {
    let Some(at) = at else {
        return Ok(Nullable::Absent);
    };
    match at.node() {
        Node::Null => Ok(Nullable::Null),
        Node::Bool(_) | Node::Number(_) | Node::String(_) | Node::Array(_) | Node::Object(_) => {
            Ok(Nullable::Text(at.text(sink)?.to_owned()))
        }
    }
}

pub(super) fn pairs(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Pairs, Told> {
    let tags: TagSet = entry::tags(at, sink)?;
    let pair = |tag: TagRef<'_>| (tag.key.to_owned(), tag.value.to_owned());
    Ok(tags.iter().map(pair).collect())
}
