//! An effective policy in its canonical form: `{section: {policy key: {setting: value}}}`.

use std::sync::Arc;

use crate::document::bundle::entry::list;
use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::error::ShapeErrorKind;
use crate::model::tag_policy::{
    AllowedValues, Correction, Corrections, Dialect, EffectivePolicy, EffectiveStatement, Fit,
    ScopeMember, Section, TagKeyOrigin, TypePattern, ValuePattern, ValueRegex,
};
use crate::model::text::fold;

const SECTIONS: [Section; 3] = [Section::Tags, Section::RgInherit, Section::MatchedTags];

/// Reads an effective policy.
pub(super) fn read(
    at: &Cursor<'_, '_>,
    dialect: Dialect,
    key_origin: TagKeyOrigin,
    sink: &mut Sink<'_>,
) -> Result<EffectivePolicy, Told> {
    let members = at.members(&SECTIONS.map(Section::as_str), sink)?;
    let mut statements = Vec::new();
    for section in SECTIONS {
        let Some(at) = members.optional(section.as_str()) else {
            continue;
        };
        let entries = at.entries(sink)?;
        let mut read = cursor::all(entries, |(key, at)| {
            statement(section, key, key_origin, &at, sink)
        })?;
        read.sort_by(|left, right| left.key.cmp(&right.key));
        statements.append(&mut read);
    }
    Ok(EffectivePolicy {
        dialect,
        statements: statements.into(),
    })
}

const SETTINGS: [&str; 8] = [
    "tag_key",
    "tag_value",
    "resource_type_scope",
    "region_scope",
    "rg_scope",
    "enforced_for",
    "report_required_tag_for",
    "tag_value_correction",
];

fn statement(
    section: Section,
    key: &str,
    tag_key_origin: TagKeyOrigin,
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<EffectiveStatement, Told> {
    let members = at.members(&SETTINGS, sink)?;
    let key: Arc<str> = fold(key).into();
    let tag_key = match members.optional("tag_key") {
        Some(at) => at.text(sink)?.into(),
        None => Arc::clone(&key),
    };
    let values = values(section, members.optional("tag_value"), sink)?;
    let correction = match members.optional("tag_value_correction") {
        Some(at) => Some(corrections(&at, &values, sink)?),
        None => None,
    };
    Ok(EffectiveStatement {
        section,
        key,
        tag_key,
        tag_key_origin,
        values,
        resource_type_scope: types(&members, "resource_type_scope", sink)?,
        region_scope: texts(members.optional("region_scope"), sink)?,
        rg_scope: texts(members.optional("rg_scope"), sink)?,
        enforced_for: types(&members, "enforced_for", sink)?.unwrap_or_default(),
        report_required_tag_for: types(&members, "report_required_tag_for", sink)?
            .unwrap_or_default(),
        correction,
        fit: Fit::Whole,
    })
}

type Texts = Option<Box<[Arc<str>]>>;

fn texts(at: Option<Cursor<'_, '_>>, sink: &mut Sink<'_>) -> Result<Texts, Told> {
    if at.is_none() {
        return Ok(None);
    }
    let texts = list(at, sink, |at, sink| at.text(sink).map(Arc::from))?;
    Ok(Some(texts.into()))
}

fn types(
    members: &Members<'_, '_>,
    name: &str,
    sink: &mut Sink<'_>,
) -> Result<Option<Box<[TypePattern]>>, Told> {
    let texts = texts(members.optional(name), sink)?;
    Ok(texts.map(|texts| texts.into_iter().map(TypePattern::from).collect()))
}

fn values(
    section: Section,
    at: Option<Cursor<'_, '_>>,
    sink: &mut Sink<'_>,
) -> Result<AllowedValues, Told> {
    if at.is_none() {
        return Ok(AllowedValues::Unset);
    }
    match section {
        Section::Tags | Section::RgInherit => {
            let values = texts(at, sink)?.unwrap_or_default();
            let patterns = values.into_iter().map(ValuePattern::from);
            Ok(AllowedValues::Listed(patterns.collect()))
        }
        Section::MatchedTags => {
            let regexes = list(at, sink, |at, sink| {
                at.parse(sink, |text| {
                    ValueRegex::new(text).map_err(|_| ShapeErrorKind::UnknownWord {
                        expected: "a regular expression",
                        found: text.into(),
                    })
                })
            })?;
            Ok(AllowedValues::Matched(regexes.into()))
        }
    }
}

/// The entries in the order in which they are tried (tag-policy 7, rule 25): that of `tag_value`,
/// then byte order.
fn corrections(
    at: &Cursor<'_, '_>,
    values: &AllowedValues,
    sink: &mut Sink<'_>,
) -> Result<Corrections, Told> {
    let entries = at.entries(sink)?;
    let mut read = cursor::all(entries, |(value, at)| correction(value, &at, sink))?;
    let place = |value: &str| match values {
        AllowedValues::Listed(listed) => {
            let mut listed = listed.iter();
            let found = listed.position(|pattern| pattern.as_str() == value);
            found.unwrap_or(usize::MAX)
        }
        AllowedValues::Unset | AllowedValues::Matched(_) => usize::MAX,
    };
    read.sort_by_cached_key(|entry| (place(&entry.value), Arc::clone(&entry.value)));
    Ok(Corrections(read))
}

fn correction(value: &str, at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Correction, Told> {
    let members = at.members(&["value_type", "value_scope"], sink)?;
    let kind = members
        .required("value_type", sink)
        .and_then(|at| at.word("`Tag`", &[("Tag", ())], sink));
    let scope = members.required("value_scope", sink)?;
    let entries = scope.entries(sink)?;
    let scope = cursor::all(entries, |(name, at)| {
        let value = at.parse(sink, |text| Ok::<_, EntryErrorKind>(Arc::from(text)))?;
        Ok((ScopeMember::from(name), value))
    })?;
    kind?;
    Ok(Correction {
        value: Arc::from(value),
        scope,
    })
}
