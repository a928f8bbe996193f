//! What a repair writes (tag-policy 3.3 and 3.4, security 5).

use std::collections::BTreeMap;

use super::{State, TagRules, Tags, allowed, inherited, lower, scope};
use crate::model::catalog::TagCapability;
use crate::model::tag_policy::{
    AllowedValues, Correction, Dialect, EffectiveStatement, Fit, ScopeMember, Section,
};

pub(super) fn corrected(
    rules: &TagRules<'_>,
    state: &State<'_>,
) -> BTreeMap<String, Option<String>> {
    let mut tags = state.after.clone();
    if rules.policy.dialect == Dialect::Alibaba {
        for statement in of_section(rules, |section| section == Section::RgInherit) {
            if let Some(value) = inherited(rules, state, statement) {
                inherit(rules, state, statement, value, &mut tags);
            }
        }
        if rules.capabilities.holds(TagCapability::Remediation) {
            while correct_all(rules, state, &mut tags) {}
        }
    }
    let keys = state.after.keys().chain(tags.keys());
    keys.filter(|key| state.after.get(*key) != tags.get(*key))
        .map(|key| (key.clone(), tags.get(key).cloned()))
        .collect()
}

fn of_section<'r>(
    rules: &TagRules<'r>,
    section: impl Fn(Section) -> bool,
) -> impl Iterator<Item = &'r EffectiveStatement> {
    let statements = rules.policy.statements.iter();
    statements.filter(move |statement| section(statement.section) && statement.fit == Fit::Whole)
}

fn inherit(
    rules: &TagRules<'_>,
    state: &State<'_>,
    statement: &EffectiveStatement,
    value: String,
    tags: &mut Tags,
) {
    let key = statement.tag_key.to_string();
    let kept = tags.contains_key(&key) && is_protected(rules, &key);
    if !kept && is_writable(rules, state, &key, &value) {
        tags.insert(key, value);
    }
}

fn is_protected(rules: &TagRules<'_>, key: &str) -> bool {
    let mut keys = rules.settings.protected_tag_keys.iter();
    keys.any(|protected| lower(protected) == lower(key))
}

/// security 5.3: "a value forbidden by a `tags` or `matched_tags` statement is not written".
fn is_writable(rules: &TagRules<'_>, state: &State<'_>, key: &str, value: &str) -> bool {
    let statements = rules.policy.statements.iter();
    statements
        .filter(|statement| statement.section != Section::RgInherit)
        .filter(|statement| lower(&statement.tag_key) == lower(key))
        .filter(|statement| scope::applies(rules, state, statement))
        .all(|statement| {
            statement.fit == Fit::Whole
                && *statement.tag_key == *key
                && allowed(&statement.values, value)
        })
}

/// Makes every repair that there is, one statement after the other; whether there was one.
fn correct_all(rules: &TagRules<'_>, state: &State<'_>, tags: &mut Tags) -> bool {
    let statements = of_section(rules, |section| section != Section::RgInherit);
    let mut repaired_any = false;
    for statement in statements {
        let any = match &statement.values {
            AllowedValues::Unset => true,
            AllowedValues::Listed(values) => values.iter().any(|value| value.as_str() == "*"),
            AllowedValues::Matched(_) => false,
        };
        if any || !scope::applies(rules, state, statement) {
            continue;
        }
        if let Some(repaired) = repair(rules, state, statement, tags)
            && repaired != *tags
        {
            *tags = repaired;
            repaired_any = true;
        }
    }
    repaired_any
}

fn repair(
    rules: &TagRules<'_>,
    state: &State<'_>,
    statement: &EffectiveStatement,
    tags: &Tags,
) -> Option<Tags> {
    let key = statement.tag_key.to_string();
    let matching = |entry: &&Correction| {
        entry.scope.iter().all(|(member, asked)| match member {
            ScopeMember::ResourceGroup => state.question.group == Some(Some(asked.to_string())),
            ScopeMember::Tag(key) => tags.get(&**key) == Some(&asked.to_string()),
        })
    };
    let mut entries = statement.correction.iter().flat_map(|map| &map.0);
    let entry =
        entries.find(|entry| matching(entry) && is_writable(rules, state, &key, &entry.value))?;
    let mut repaired = tags.clone();
    let own = tags.get(&key);
    if own.is_none_or(|value| !allowed(&statement.values, value)) {
        if own.is_some() && is_protected(rules, &key) {
            return None;
        }
        repaired.insert(key.clone(), entry.value.to_string());
    }
    // tag-policy 7, rule 31: "unbind every variant".
    repaired.retain(|other, _| {
        *other == key || lower(other) != lower(&key) || is_protected(rules, other)
    });
    Some(repaired)
}
