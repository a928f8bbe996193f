//! Sections, their statements, and the settings of each.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::admission;
use super::correction;
use super::error::{TagPolicyErrorKind, TagPolicyLint};
use super::name::{self, CONTROL};
use super::operator;
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::document::error::ShapeErrorKind;
use crate::document::lint::LintKind;
use crate::model::tag::check_key;
use crate::model::tag_policy::{Dialect, PolicyStatement, Section, Setting};
use crate::model::text::{eq_fold, fold};

/// The statement that something stands in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) dialect: Dialect,
    pub(super) section: Section,
    /// The policy key as written.
    pub(super) key: &'a str,
}

/// Reads all sections of a document; at least one.
pub(super) fn statements(
    at: &Cursor<'_, '_>,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<Vec<PolicyStatement>, Told> {
    let members = name::members(at, dialect, sink)?;
    if members.is_empty() {
        return Err(at.refuse(ShapeErrorKind::Empty, sink));
    }
    let sections = cursor::all(members, |(word, at)| {
        if word.starts_with("@@") {
            // Tag-policy 7, rule 13: AWS ignores it, and a silent no-op is a trap.
            return Err(outside(&at, &word, sink));
        }
        let Some(found) = name::section(&word, dialect) else {
            let name = (&*word).into();
            let kind = TagPolicyErrorKind::UnknownSection { dialect, name };
            return Err(at.refuse_key(kind, sink));
        };
        section(&at, found, dialect, sink)
    })?;
    Ok(sections.into_iter().flatten().collect())
}

fn section(
    at: &Cursor<'_, '_>,
    section: Section,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<Vec<PolicyStatement>, Told> {
    let mut seen = HashSet::new();
    let read = cursor::all(at.entries(sink)?, |(key, at)| {
        if key.starts_with("@@") {
            return no_setting(&at, key, dialect, sink).map(|()| None);
        }
        let place = Place {
            dialect,
            section,
            key,
        };
        policy_key(&at, place, &mut seen, sink)?;
        statement(&at, place, sink).map(Some)
    })?;
    Ok(read.into_iter().flatten().collect())
}

/// Tag-policy 7, rules 1 and 13: a control is accepted where it does nothing, an operator is not.
fn no_setting(
    at: &Cursor<'_, '_>,
    name: &str,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<(), Told> {
    let word = name::word(name, dialect);
    if word != CONTROL {
        return Err(outside(at, &word, sink));
    }
    operator::control(at, dialect, sink)?;
    warn(at, TagPolicyLint::ControlWithoutEffect, sink);
    Ok(())
}

fn outside(at: &Cursor<'_, '_>, name: &str, sink: &mut Sink<'_>) -> Told {
    let name = name.into();
    at.refuse_key(TagPolicyErrorKind::OperatorOutside { name }, sink)
}

pub(super) fn warn(at: &Cursor<'_, '_>, lint: TagPolicyLint, sink: &mut Sink<'_>) {
    sink.warn(&at.spot(), LintKind::TagPolicy(lint));
}

fn policy_key(
    at: &Cursor<'_, '_>,
    place: Place<'_>,
    seen: &mut HashSet<String>,
    sink: &mut Sink<'_>,
) -> Result<(), Told> {
    let key = place.key;
    if let Err(error) = check_key(key) {
        return Err(at.refuse_key(TagPolicyErrorKind::Text(error), sink));
    }
    if !seen.insert(fold(key)) {
        let key = key.into();
        return Err(at.refuse_key(TagPolicyErrorKind::KeyTwice { key }, sink));
    }
    // Tag-policy 8: capitals are folded in every dialect, with a warning in Alibaba's.
    if place.dialect == Dialect::Alibaba && fold(key) != key {
        let lint = TagPolicyLint::CapitalKey { key: key.into() };
        sink.warn(&at.key_spot(), LintKind::TagPolicy(lint));
    }
    Ok(())
}

fn statement(
    at: &Cursor<'_, '_>,
    place: Place<'_>,
    sink: &mut Sink<'_>,
) -> Result<PolicyStatement, Told> {
    let mut found = PolicyStatement {
        section: place.section,
        key: fold(place.key).into(),
        tag_key: None,
        lists: BTreeMap::new(),
        correction: None,
    };
    let mut told = None;
    let members = name::members(at, place.dialect, sink)?;
    for (word, at) in &members {
        if word.starts_with("@@") {
            told = no_setting(at, word, place.dialect, sink).err().or(told);
            continue;
        }
        let Some(setting) = name::setting(word, place.section, place.dialect) else {
            let (dialect, section) = (place.dialect, place.section.as_str());
            let name = (&**word).into();
            let kind = TagPolicyErrorKind::UnknownSetting {
                dialect,
                section,
                name,
            };
            told = Some(at.refuse_key(kind, sink));
            continue;
        };
        told = self::setting(at, setting, place, &mut found, sink)
            .err()
            .or(told);
    }
    if let Some(told) = told {
        return Err(told);
    }
    let at = |setting: Setting| {
        let mut named = members.iter().filter(|(word, _)| *word == setting.as_str());
        named.next().map(|(_, at)| *at)
    };
    admission::check(&found, place, at, sink)?;
    Ok(found)
}

fn setting(
    at: &Cursor<'_, '_>,
    setting: Setting,
    place: Place<'_>,
    found: &mut PolicyStatement,
    sink: &mut Sink<'_>,
) -> Result<(), Told> {
    match setting {
        Setting::TagKey => {
            let read =
                operator::single(at, place.dialect, sink, |at, sink| tag_key(at, place, sink));
            found.tag_key = Some(read?);
        }
        Setting::List(list) => {
            let clause = operator::list(at, list, place, sink)?;
            found.lists.insert(list, clause);
        }
        Setting::TagValueCorrection => {
            let read = operator::single(at, place.dialect, sink, correction::corrections);
            found.correction = Some(read?);
        }
    }
    Ok(())
}

/// Tag-policy 7, rule 7: the tag key is the policy key but for case; Alibaba's own sample is not.
fn tag_key(at: &Cursor<'_, '_>, place: Place<'_>, sink: &mut Sink<'_>) -> Result<Arc<str>, Told> {
    let text = at.text(sink)?;
    if let Err(error) = check_key(text) {
        return Err(at.refuse(TagPolicyErrorKind::Text(error), sink));
    }
    if !eq_fold(text, place.key) {
        let (key, tag_key) = (place.key.into(), text.into());
        match place.dialect {
            Dialect::Alibaba => warn(at, TagPolicyLint::KeyMismatch { key, tag_key }, sink),
            Dialect::Huawei | Dialect::Aws => {
                let kind = TagPolicyErrorKind::KeyMismatch { key, tag_key };
                return Err(at.refuse(kind, sink));
            }
        }
    }
    Ok(text.into())
}
