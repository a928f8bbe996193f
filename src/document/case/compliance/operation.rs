//! The operation of a case, with what `operation.settings` says.

use std::sync::Arc;

use super::resource::{Pairs, pairs};
use crate::document::bundle::entry::list;
use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{Cursor, Members, Sink, Told};
use crate::model::compliance::TagHistory;
use crate::model::settings::{Settings, StrongVerification, UntagInterception};
use crate::model::tag::check_key;
use crate::model::tag_policy::TagKeyOrigin;

#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    Detect,
    Create,
    Tag,
    Untag,
}

pub(super) struct Operation {
    pub(super) kind: Kind,
    pub(super) tags: Pairs,
    pub(super) keys: Vec<String>,
    pub(super) facts: Facts,
}

/// What `operation.settings` says.
pub(super) struct Facts {
    pub(super) settings: Settings,
    pub(super) group_tags: Option<Pairs>,
    pub(super) excluded: Vec<String>,
    pub(super) key_origin: TagKeyOrigin,
    pub(super) history: TagHistory,
}

pub(super) fn operation(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Operation, Told> {
    let members = at.members(&["kind", "tags", "keys", "settings"], sink)?;
    let words = [
        ("detect", Kind::Detect),
        ("create", Kind::Create),
        ("tag", Kind::Tag),
        ("untag", Kind::Untag),
    ];
    let kind = members
        .required("kind", sink)
        .and_then(|at| at.word("`detect`, `create`, `tag` or `untag`", &words, sink));
    let tags = members.optional("tags").map(|at| pairs(&at, sink));
    let keys = list(members.optional("keys"), sink, key);
    let facts = facts(members.optional("settings"), sink);
    Ok(Operation {
        kind: kind?,
        tags: tags.transpose()?.unwrap_or_default(),
        keys: keys?,
        facts: facts?,
    })
}

fn key(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<String, Told> {
    at.parse(sink, |text| {
        check_key(text).map_err(EntryErrorKind::from)?;
        Ok::<_, EntryErrorKind>(text.to_owned())
    })
}

const FACTS: [&str; 7] = [
    "strong_verification",
    "untag_interception",
    "protected_tag_keys",
    "rg_tags",
    "excluded_ids",
    "tag_key_explicit",
    "ever_tagged",
];

fn facts(at: Option<Cursor<'_, '_>>, sink: &mut Sink<'_>) -> Result<Facts, Told> {
    let mut facts = Facts {
        settings: Settings::default(),
        group_tags: None,
        excluded: Vec::new(),
        key_origin: TagKeyOrigin::Written,
        history: TagHistory::Unknown,
    };
    let Some(at) = at else { return Ok(facts) };
    let members = at.members(&FACTS, sink)?;
    let mut flag = |name: &str| members.optional(name).map(|at| at.flag(sink)).transpose();
    if flag("strong_verification")? == Some(true) {
        facts.settings.strong_verification = StrongVerification::On;
    }
    if flag("tag_key_explicit")? == Some(false) {
        facts.key_origin = TagKeyOrigin::PolicyKey;
    }
    if flag("ever_tagged")? == Some(true) {
        facts.history = TagHistory::Tagged;
    }
    facts.settings.untag_interception = untag(&members, sink)?;
    let protected = list(members.optional("protected_tag_keys"), sink, key)?;
    facts.settings.protected_tag_keys = protected.into_iter().map(Arc::from).collect();
    facts.group_tags = members
        .optional("rg_tags")
        .map(|at| pairs(&at, sink))
        .transpose()?;
    facts.excluded = list(members.optional("excluded_ids"), sink, |at, sink| {
        at.text(sink).map(str::to_owned)
    })?;
    Ok(facts)
}

fn untag(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<UntagInterception, Told> {
    let words = [
        ("strong", UntagInterception::Strong),
        ("never", UntagInterception::Never),
        ("always", UntagInterception::Always),
    ];
    match members.optional("untag_interception") {
        Some(at) => at.word("`strong`, `never` or `always`", &words, sink),
        None => Ok(UntagInterception::default()),
    }
}
