//! The last step: operators and controls are dropped, defaults filled in, provenance written down.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cell::Assigned;
use super::limit::Cuts;
use super::{Key, MergeError, Regexes, Statement};
use crate::model::tag_policy::{
    AllowedValues, Cell, CellProvenance, Dialect, EffectivePolicy, EffectiveStatement, Fit,
    ListSetting, Note, NoteKind, Origin, Provenance, Section, Setting, TagKeyOrigin, TypePattern,
    ValuePattern,
};
use crate::snapshot::tags::Staged;

/// The effective policy and its provenance.
pub(super) fn finish(
    dialect: Dialect,
    statements: BTreeMap<Key, Statement>,
    mut notes: Vec<Note>,
    cuts: &Cuts,
    regexes: &mut Regexes,
) -> Result<Staged, MergeError> {
    for (cell, cut) in cuts.iter() {
        let left_out = cut.contributors.iter().filter(|by| by.depth >= cut.depth);
        notes.extend(left_out.map(|by| Note {
            cell: cell.clone(),
            by: Some(by.clone()),
            kind: NoteKind::OverLimit {
                limit: cut.limit,
                contributors: cut.contributors.clone(),
            },
        }));
    }
    let mut cells = Vec::new();
    let mut effective = Vec::with_capacity(statements.len());
    for (key, statement) in statements {
        cells.extend(provenance(&key, &statement));
        let is_cut = |cell: &Cell| cell.section == key.0 && cell.key == key.1;
        let fit = if cuts.iter().any(|(cell, _)| is_cut(cell)) {
            Fit::OverLimit
        } else {
            Fit::Whole
        };
        let by = statement.correction.value().map(|one| one.by.clone());
        let found = self::effective(key, &statement, fit, regexes)?;
        notes.extend(inert(&found));
        notes.extend(targets(&found, by.as_ref()));
        effective.push(found);
    }
    Ok(Staged {
        policy: Arc::new(EffectivePolicy {
            dialect,
            statements: effective.into(),
        }),
        provenance: Arc::new(Provenance { cells, notes }),
    })
}

fn effective(
    (section, key): Key,
    statement: &Statement,
    fit: Fit,
    regexes: &mut Regexes,
) -> Result<EffectiveStatement, MergeError> {
    let written = statement.tag_key.value();
    let texts = |setting| statement.list(setting).map(texts);
    let types = |setting| -> Option<Box<[TypePattern]>> {
        Some(texts(setting)?.map(TypePattern::from).collect())
    };
    let names = |setting| -> Option<Box<[Arc<str>]>> { Some(texts(setting)?.collect()) };
    let values = values(section, statement, regexes)?;
    let mut correction = statement.correction.value().map(|one| one.value.clone());
    if let Some(correction) = &mut correction {
        correction.sort(&values);
    }
    Ok(EffectiveStatement {
        section,
        tag_key: written.map_or_else(|| Arc::clone(&key), |one| Arc::clone(&one.value)),
        tag_key_origin: match written {
            Some(_) => TagKeyOrigin::Written,
            None => TagKeyOrigin::PolicyKey,
        },
        key,
        values,
        resource_type_scope: types(ListSetting::ResourceTypeScope),
        region_scope: names(ListSetting::RegionScope),
        rg_scope: names(ListSetting::RgScope),
        enforced_for: types(ListSetting::EnforcedFor).unwrap_or_default(),
        report_required_tag_for: types(ListSetting::ReportRequiredTagFor).unwrap_or_default(),
        correction,
        fit,
    })
}

fn texts(values: &[Assigned<Arc<str>>]) -> impl Iterator<Item = Arc<str>> {
    values.iter().map(|one| Arc::clone(&one.value))
}

fn values(
    section: Section,
    statement: &Statement,
    regexes: &mut Regexes,
) -> Result<AllowedValues, MergeError> {
    let Some(list) = statement.list(ListSetting::TagValue) else {
        return Ok(AllowedValues::Unset);
    };
    match section {
        Section::MatchedTags => {
            let made: Result<_, _> = texts(list).map(|text| regexes.get(&text)).collect();
            made.map(AllowedValues::Matched)
        }
        Section::Tags | Section::RgInherit => Ok(AllowedValues::Listed(
            texts(list).map(ValuePattern::from).collect(),
        )),
    }
}

/// Tag-policy 7, rule 17.
fn inert(found: &EffectiveStatement) -> Option<Note> {
    found.is_inert().then(|| Note {
        cell: Cell {
            section: found.section,
            key: Arc::clone(&found.key),
            setting: Setting::List(ListSetting::TagValue),
        },
        by: None,
        kind: NoteKind::Inert,
    })
}

/// Tag-policy 7, rules 28 and 29: a document alone is refused for this, but a chain may come to it.
fn targets(found: &EffectiveStatement, by: Option<&Origin>) -> Vec<Note> {
    let corrections = found.correction.iter().flat_map(|map| &map.0);
    let wrong = corrections
        .filter(|one| found.values.is_any() || !found.values.allow(&one.value))
        .map(|one| Note {
            cell: Cell {
                section: found.section,
                key: Arc::clone(&found.key),
                setting: Setting::TagValueCorrection,
            },
            by: by.cloned(),
            kind: NoteKind::TargetNotAllowed(Arc::clone(&one.value)),
        });
    wrong.collect()
}

fn provenance(key: &Key, statement: &Statement) -> Vec<CellProvenance> {
    let cell = |setting, values, removed| CellProvenance {
        cell: Cell {
            section: key.0,
            key: Arc::clone(&key.1),
            setting,
        },
        values,
        removed,
    };
    let pairs = |list: &[Assigned<Arc<str>>]| -> Vec<(Arc<str>, Origin)> {
        let pair = |one: &Assigned<Arc<str>>| (Arc::clone(&one.value), one.by.clone());
        list.iter().map(pair).collect()
    };
    let mut cells = Vec::new();
    if let Some(one) = statement.tag_key.value() {
        let value = (Arc::clone(&one.value), one.by.clone());
        cells.push(cell(Setting::TagKey, vec![value], Vec::new()));
    }
    for (setting, list) in &statement.lists {
        if let Some(values) = list.values() {
            let removed = pairs(list.removed());
            cells.push(cell(Setting::List(*setting), pairs(values), removed));
        }
    }
    if let Some(one) = statement.correction.value() {
        let names: Vec<&str> = one.value.0.iter().map(|entry| &*entry.value).collect();
        let value = (Arc::from(names.join(", ")), one.by.clone());
        cells.push(cell(Setting::TagValueCorrection, vec![value], Vec::new()));
    }
    cells
}
