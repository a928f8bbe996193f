//! `tag_value_correction`: target values, each with the scope in which it is written.

use std::sync::Arc;

use super::error::{TagPolicyErrorKind, TagPolicyLint};
use super::statement::warn;
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::model::tag::{MAX_VALUE_CHARS, check_key};
use crate::model::tag_policy::{Correction, Corrections, ScopeMember};
use crate::model::text::check_tag_text;

/// Reads the map.
pub(super) fn corrections(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Corrections, Told> {
    let mut earlier: Vec<Correction> = Vec::new();
    let read = cursor::all(at.entries(sink)?, |(value, at)| {
        if let Err(error) = check_tag_text(value, MAX_VALUE_CHARS) {
            return Err(at.refuse_key(TagPolicyErrorKind::Text(error), sink));
        }
        let found = correction(&at, value, sink)?;
        compare(&at, &found, &earlier, sink)?;
        earlier.push(found.clone());
        Ok(found)
    });
    read.map(Corrections)
}

fn correction(at: &Cursor<'_, '_>, value: &str, sink: &mut Sink<'_>) -> Result<Correction, Told> {
    let members = at.members(&["value_type", "value_scope"], sink)?;
    let sort = members
        .required("value_type", sink)
        .and_then(|at| at.word("`Tag`", &[("Tag", ())], sink));
    let scope = members
        .required("value_scope", sink)
        .and_then(|at| scope(&at, sink));
    sort?;
    Ok(Correction {
        value: value.into(),
        scope: scope?,
    })
}

fn scope(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Vec<(ScopeMember, Arc<str>)>, Told> {
    cursor::all(at.entries(sink)?, |(name, at)| {
        if let Err(error) = check_key(name) {
            return Err(at.refuse_key(TagPolicyErrorKind::Text(error), sink));
        }
        let value = at.parse(sink, |text| {
            check_tag_text(text, MAX_VALUE_CHARS)
                .map(|()| Arc::from(text))
                .map_err(TagPolicyErrorKind::Text)
        })?;
        Ok((ScopeMember::from(name), value))
    })
}

/// Different target values need different scopes; scopes that overlap are told (rule 25).
fn compare(
    at: &Cursor<'_, '_>,
    found: &Correction,
    earlier: &[Correction],
    sink: &mut Sink<'_>,
) -> Result<(), Told> {
    let scope = found.sorted_scope();
    if let Some(same) = earlier.iter().find(|other| other.sorted_scope() == scope) {
        let value = (&*same.value).into();
        return Err(at.refuse(TagPolicyErrorKind::SameScope { value }, sink));
    }
    if let Some(other) = earlier.iter().find(|other| other.overlaps(found)) {
        let value = (&*other.value).into();
        warn(at, TagPolicyLint::OverlappingScopes { value }, sink);
    }
    Ok(())
}
