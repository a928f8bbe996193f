//! An effective policy read from its canonical form: what cases and other systems hand over.

use std::sync::Arc;

use super::correction;
use super::error::TagPolicyErrorKind;
use super::name;
use super::statement::Place;
use super::value;
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::model::tag::check_key;
use crate::model::tag_policy::{
    AllowedValues, Dialect, EffectivePolicy, EffectiveStatement, Fit, ListSetting, Operator,
    Section, Setting, TagKeyOrigin, TypePattern, ValuePattern, ValueRegex,
};
use crate::model::text::fold;

/// Reads the canonical form. Its tag keys count as written by a policy.
///
/// # Errors
///
/// When an error was told.
pub fn effective_policy(
    at: &Cursor<'_, '_>,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<EffectivePolicy, Told> {
    let sections = cursor::all(at.entries(sink)?, |(name, at)| {
        let Some(section) = name::section(name, dialect) else {
            let name = name.into();
            let kind = TagPolicyErrorKind::UnknownSection { dialect, name };
            return Err(at.refuse_key(kind, sink));
        };
        cursor::all(at.entries(sink)?, |(key, at)| {
            if let Err(error) = check_key(key) {
                return Err(at.refuse_key(TagPolicyErrorKind::Text(error), sink));
            }
            let place = Place {
                dialect,
                section,
                key,
            };
            statement(&at, place, sink)
        })
    })?;
    let mut statements: Vec<EffectiveStatement> = sections.into_iter().flatten().collect();
    statements.sort_by(|left, right| {
        let key = |one: &EffectiveStatement| (one.section, Arc::clone(&one.key));
        key(left).cmp(&key(right))
    });
    Ok(EffectivePolicy {
        dialect,
        statements: statements.into(),
    })
}

fn statement(
    at: &Cursor<'_, '_>,
    place: Place<'_>,
    sink: &mut Sink<'_>,
) -> Result<EffectiveStatement, Told> {
    let key: Arc<str> = fold(place.key).into();
    let mut found = EffectiveStatement {
        section: place.section,
        tag_key: Arc::clone(&key),
        key,
        tag_key_origin: TagKeyOrigin::Written,
        values: AllowedValues::Unset,
        resource_type_scope: None,
        region_scope: None,
        rg_scope: None,
        enforced_for: Box::default(),
        report_required_tag_for: Box::default(),
        correction: None,
        fit: Fit::Whole,
    };
    for (word, at) in at.entries(sink)? {
        let Some(setting) = name::setting(word, place.section, place.dialect) else {
            let (dialect, section) = (place.dialect, place.section.as_str());
            let name = word.into();
            let kind = TagPolicyErrorKind::UnknownSetting {
                dialect,
                section,
                name,
            };
            return Err(at.refuse_key(kind, sink));
        };
        self::setting(&at, setting, place, &mut found, sink)?;
    }
    if let Some(corrections) = &mut found.correction {
        corrections.sort(&found.values);
    }
    Ok(found)
}

fn setting(
    at: &Cursor<'_, '_>,
    setting: Setting,
    place: Place<'_>,
    found: &mut EffectiveStatement,
    sink: &mut Sink<'_>,
) -> Result<(), Told> {
    let list = match setting {
        Setting::TagKey => {
            found.tag_key = at.text(sink)?.into();
            return Ok(());
        }
        Setting::TagValueCorrection => {
            found.correction = Some(correction::corrections(at, sink)?);
            return Ok(());
        }
        Setting::List(list) => list,
    };
    let items = at.items(sink)?;
    let values = cursor::all(items, |at| {
        value::element(&at, place, (list, Operator::Assign), sink)
    })?;
    let types = || values.iter().cloned().map(TypePattern::from).collect();
    match list {
        ListSetting::TagValue => found.values = allowed(at, &values, place.section, sink)?,
        ListSetting::ResourceTypeScope => found.resource_type_scope = Some(types()),
        ListSetting::RegionScope => found.region_scope = Some(values.into()),
        ListSetting::RgScope => found.rg_scope = Some(values.into()),
        ListSetting::EnforcedFor => found.enforced_for = types(),
        ListSetting::ReportRequiredTagFor => found.report_required_tag_for = types(),
    }
    Ok(())
}

fn allowed(
    at: &Cursor<'_, '_>,
    values: &[Arc<str>],
    section: Section,
    sink: &mut Sink<'_>,
) -> Result<AllowedValues, Told> {
    match section {
        Section::MatchedTags => {
            let regexes: Result<_, _> = values.iter().map(|value| ValueRegex::new(value)).collect();
            let regexes =
                regexes.map_err(|error| at.refuse(TagPolicyErrorKind::Regex(error), sink));
            regexes.map(AllowedValues::Matched)
        }
        Section::Tags | Section::RgInherit => {
            let patterns = values.iter().cloned().map(ValuePattern::from);
            Ok(AllowedValues::Listed(patterns.collect()))
        }
    }
}
