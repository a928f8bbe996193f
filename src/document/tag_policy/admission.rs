//! What shows only when a whole statement of one document is known.

use std::sync::Arc;

use super::error::{TagPolicyErrorKind, TagPolicyLint};
use super::statement::{Place, warn};
use super::{MAX_GROUPS, MAX_REGEXES};
use crate::document::cursor::{Cursor, Sink, Told};
use crate::model::tag_policy::{
    AllowedValues, Correction, ListClause, ListSetting, PolicyStatement, ScopeMember, Section,
    Setting, ValuePattern, ValueRegex,
};
use crate::model::text::eq_fold;

/// Checks a statement; `at` tells where a setting stands.
pub(super) fn check<'c, 'n>(
    found: &PolicyStatement,
    place: Place<'_>,
    at: impl Fn(Setting) -> Option<Cursor<'c, 'n>>,
    sink: &mut Sink<'_>,
) -> Result<(), Told>
where
    'n: 'c,
{
    for (setting, clause) in &found.lists {
        if let Some(at) = at(Setting::List(*setting)) {
            list(&at, *setting, clause, place, sink)?;
        }
    }
    match at(Setting::TagValueCorrection) {
        Some(at) => correction(&at, found, place, sink),
        None => Ok(()),
    }
}

fn list(
    at: &Cursor<'_, '_>,
    setting: ListSetting,
    clause: &ListClause,
    place: Place<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), Told> {
    let written = || clause.assign.iter().chain(&clause.append).flatten();
    let (limit, kind) = match (setting, place.section) {
        (ListSetting::RgScope, _) => (MAX_GROUPS, TagPolicyErrorKind::TooManyGroups),
        (ListSetting::TagValue, Section::MatchedTags) => {
            (MAX_REGEXES, TagPolicyErrorKind::TooManyRegexes)
        }
        _ => (usize::MAX, TagPolicyErrorKind::TooLong),
    };
    if written().count() > limit {
        return Err(at.refuse(kind, sink));
    }
    let empty = |list: &Option<Vec<Arc<str>>>| list.as_ref().is_some_and(Vec::is_empty);
    if setting.is_scope() && (empty(&clause.assign) || empty(&clause.append)) {
        warn(at, TagPolicyLint::EmptiedScope, sink);
    }
    let any = |value: &Arc<str>| &**value == "*";
    let is_literal = setting == ListSetting::TagValue && place.section == Section::Tags;
    if is_literal && written().any(any) && written().count() > 1 {
        // Tag-policy 7, rule 15.
        warn(at, TagPolicyLint::AnyAmongOthers, sink);
    }
    Ok(())
}

fn correction(
    at: &Cursor<'_, '_>,
    found: &PolicyStatement,
    place: Place<'_>,
    sink: &mut Sink<'_>,
) -> Result<(), Told> {
    let assigned = found
        .correction
        .as_ref()
        .and_then(|single| single.assign.as_ref());
    let Some(corrections) = assigned else {
        return Ok(());
    };
    let allowed = allowed(found);
    for one in &corrections.0 {
        if scope_of_itself(one, found, place) {
            // Tag-policy 7, rule 30.
            return Err(at.refuse(TagPolicyErrorKind::ScopeOfItself, sink));
        }
        let Some(allowed) = &allowed else { continue };
        if allowed.is_any() {
            return Err(at.refuse(TagPolicyErrorKind::CorrectionOfAny, sink));
        }
        if !allowed.allow(&one.value) {
            // Tag-policy 7, rule 28.
            let value = (&*one.value).into();
            return Err(at.refuse(TagPolicyErrorKind::TargetNotAllowed { value }, sink));
        }
    }
    Ok(())
}

fn scope_of_itself(one: &Correction, found: &PolicyStatement, place: Place<'_>) -> bool {
    let tag_key = found.tag_key.as_ref().and_then(|key| key.assign.as_deref());
    let key = tag_key.unwrap_or(place.key);
    one.scope.iter().any(|(member, _)| match member {
        ScopeMember::ResourceGroup => false,
        ScopeMember::Tag(name) => eq_fold(name, key),
    })
}

/// The values that a document allows by itself; `None` where it builds on what it inherits.
fn allowed(found: &PolicyStatement) -> Option<AllowedValues> {
    let clause = found.lists.get(&ListSetting::TagValue)?;
    let assigned = clause.assign.as_ref()?;
    let removed: Vec<&Arc<str>> = clause.remove.iter().flatten().collect();
    let values = assigned.iter().chain(clause.append.iter().flatten());
    let values = values.filter(|value| !removed.contains(value));
    Some(match found.section {
        Section::MatchedTags => {
            let regexes: Result<_, _> = values.map(|value| ValueRegex::new(value)).collect();
            AllowedValues::Matched(regexes.ok()?)
        }
        Section::Tags | Section::RgInherit => AllowedValues::Listed(
            values
                .map(|value| ValuePattern::from(Arc::clone(value)))
                .collect(),
        ),
    })
}
