//! Verdicts on tags as messages, with the published forms of their errors (tag-policy 3.2).

use crate::engine::compliance::{Interception, StagedVerdict, Violation};
use crate::engine::correction::Rewrite;
use crate::engine::edits::{Edit, Value};
use crate::engine::hint;
use crate::model::compliance::ViolationCode;
use crate::model::organization::TagMode;
use crate::model::tag_policy::AllowedValues;
use crate::wire::v1;

/// The code of the published error.
const ERROR_CODE: &str = "Forbidden.TagPolicy";
/// The most allowed values that are told.
const VALUES: usize = 100;

/// A verdict.
pub(crate) fn verdict(verdict: &StagedVerdict<'_>) -> v1::TaggingVerdict {
    let violations = verdict.violations.iter();
    v1::TaggingVerdict {
        evaluated: verdict.evaluated,
        compliant: verdict.is_compliant(),
        intercepted: verdict.is_intercepted(),
        violations: violations
            .map(|(stage, found)| violation(*stage, found))
            .collect(),
        corrected: verdict.corrected.iter().map(rewrite).collect(),
    }
}

fn violation(stage: TagMode, violation: &Violation<'_>) -> v1::TagViolation {
    let statement = violation.statement;
    let wrong_value = match violation.code {
        ViolationCode::Value | ViolationCode::ValueRegex => violation.value,
        ViolationCode::KeyCase
        | ViolationCode::Missing
        | ViolationCode::OverLimit
        | ViolationCode::RgTagNotInherited => None,
    };
    let nearest = wrong_value.and_then(|value| hint::nearest(&statement.values, value));
    v1::TagViolation {
        code: code(violation.code).into(),
        key: violation.key.to_owned(),
        expected_key: statement.tag_key.to_string(),
        mode: mode(stage).into(),
        intercepted: violation.intercepted == Interception::Intercepted,
        error_code: match violation.code {
            ViolationCode::OverLimit | ViolationCode::RgTagNotInherited => String::new(),
            ViolationCode::KeyCase
            | ViolationCode::Missing
            | ViolationCode::Value
            | ViolationCode::ValueRegex => ERROR_CODE.to_owned(),
        },
        message: message(violation),
        allowed_values: allowed(&statement.values),
        nearest_value: nearest.unwrap_or_default().to_owned(),
    }
}

fn code(code: ViolationCode) -> v1::TagViolationCode {
    match code {
        ViolationCode::Missing => v1::TagViolationCode::Missing,
        ViolationCode::KeyCase => v1::TagViolationCode::KeyCase,
        ViolationCode::Value => v1::TagViolationCode::Value,
        ViolationCode::ValueRegex => v1::TagViolationCode::ValueRegex,
        ViolationCode::RgTagNotInherited => v1::TagViolationCode::RgTagNotInherited,
        ViolationCode::OverLimit => v1::TagViolationCode::OverLimit,
    }
}

fn mode(mode: TagMode) -> v1::TagPolicyMode {
    match mode {
        TagMode::Report => v1::TagPolicyMode::Report,
        TagMode::Warn => v1::TagPolicyMode::Warn,
        TagMode::Enforce => v1::TagPolicyMode::Enforce,
    }
}

fn allowed(values: &AllowedValues) -> Vec<String> {
    match values {
        AllowedValues::Unset => vec!["*".to_owned()],
        AllowedValues::Listed(patterns) => {
            let patterns = patterns.iter().take(VALUES);
            patterns
                .map(|pattern| pattern.as_str().to_owned())
                .collect()
        }
        AllowedValues::Matched(regexes) => {
            let regexes = regexes.iter().take(VALUES);
            regexes.map(|regex| regex.as_str().to_owned()).collect()
        }
    }
}

/// tag-policy 3.2: "three message forms: allowed values of TagValue; allowed spelling of TagKey;
/// necessary keys missing".
pub(crate) fn message(violation: &Violation<'_>) -> String {
    let statement = violation.statement;
    let key = json(&[statement.tag_key.to_string()]);
    match violation.code {
        ViolationCode::Value | ViolationCode::ValueRegex => {
            let values = json(&allowed(&statement.values));
            wrong("TagValue", &values, violation.value.unwrap_or_default())
        }
        ViolationCode::KeyCase => wrong("TagKey", &key, violation.key),
        ViolationCode::Missing => {
            format!("The operation is failure, because the tag policy keys {key} are necessary.")
        }
        ViolationCode::RgTagNotInherited => {
            let key = violation.key;
            format!("the tag `{key}` of the resource group is not inherited")
        }
        ViolationCode::OverLimit => {
            let key = violation.key;
            format!("the tag policies of `{key}` are over a limit, and it cannot be written")
        }
    }
}

fn wrong(what: &str, valid: &str, found: &str) -> String {
    let found = serde_json::Value::from(found);
    format!(
        "The operation is failure, because the valid tag policy values of '{what}' are {valid}, \
         but the value is {found}."
    )
}

fn json(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}

fn rewrite(rewrite: &Rewrite<'_>) -> v1::TagRewrite {
    v1::TagRewrite {
        key: rewrite.key.to_owned(),
        value: rewrite.value.unwrap_or_default().to_owned(),
        remove: rewrite.value.is_none(),
    }
}

/// An edit.
pub(crate) fn edit(edit: &Edit<'_>) -> v1::TagEdit {
    use v1::TagEditKind as Kind;
    let (kind, key, new_key, value) = match *edit {
        Edit::Set { key, value } => (Kind::Set, key, "", Some(value)),
        Edit::Rename {
            key,
            new_key,
            value,
        } => (Kind::Rename, key, new_key, Some(value)),
        Edit::Drop { key } => (Kind::Drop, key, "", None),
        Edit::Remove { key } => (Kind::Remove, key, "", None),
        Edit::Keep { key } => (Kind::Keep, key, "", None),
    };
    v1::TagEdit {
        kind: kind.into(),
        key: key.to_owned(),
        new_key: new_key.to_owned(),
        value: value.map_or("", Value::text).to_owned(),
        any_value: value == Some(Value::Any),
    }
}
