//! Verdicts on tags as messages, with the published forms of their errors (tag-policy 3.2).

use super::write_revision;
use crate::engine::compliance::{Interception, StagedVerdict, Violation};
use crate::engine::correction::Rewrite;
use crate::engine::edits::{Edit, Value};
use crate::engine::hint;
use crate::model::compliance::ViolationCode;
use crate::model::organization::TagMode;
use crate::model::tag_policy::{AllowedValues, ValuePattern, ValueRegex};
use crate::snapshot::Revision;
use crate::wire::encode::Writer;
use crate::wire::v1;

/// The code of the published error.
const ERROR_CODE: &str = "Forbidden.TagPolicy";
/// The most allowed values that are told.
const VALUES: usize = 100;

/// Writes the answer to one operation, a `ValidateTaggingResponse`.
pub(crate) fn write(verdict: &StagedVerdict<'_>, revision: &Revision, answer: &mut Writer<'_>) {
    answer.message(1, |message| write_verdict(verdict, message));
    answer.message(2, |message| write_revision(revision, message));
}

/// The same answer as a message.
pub(crate) fn response(
    verdict: &StagedVerdict<'_>,
    revision: &Revision,
) -> v1::ValidateTaggingResponse {
    v1::ValidateTaggingResponse {
        verdict: Some(self::verdict(verdict)),
        revision: Some(super::revision(revision)),
    }
}

/// A verdict.
pub(crate) fn verdict(verdict: &StagedVerdict<'_>) -> v1::TaggingVerdict {
    let violations = verdict.violations.iter();
    v1::TaggingVerdict {
        evaluated: verdict.evaluated,
        compliant: verdict.is_compliant(),
        intercepted: verdict.is_intercepted(),
        violations: violations
            .map(|(stage, found)| told(*stage, found).into())
            .collect(),
        corrected: verdict.corrected.iter().map(rewrite).collect(),
    }
}

fn write_verdict(verdict: &StagedVerdict<'_>, message: &mut Writer<'_>) {
    message.number(1, verdict.evaluated);
    message.number(2, verdict.is_compliant());
    message.number(3, verdict.is_intercepted());
    for (stage, found) in &verdict.violations {
        message.message(4, |message| told(*stage, found).write(message));
    }
    for rewrite in &verdict.corrected {
        message.message(5, |message| {
            message.text(1, rewrite.key);
            message.text(2, rewrite.value.unwrap_or_default());
            message.number(3, rewrite.value.is_none());
        });
    }
}

/// One violation as it is told.
struct Told<'a> {
    code: v1::TagViolationCode,
    key: &'a str,
    expected_key: &'a str,
    mode: v1::TagPolicyMode,
    intercepted: bool,
    error_code: &'static str,
    message: String,
    allowed_values: Vec<&'a str>,
    nearest_value: &'a str,
}

fn told<'a>(stage: TagMode, violation: &Violation<'a>) -> Told<'a> {
    let statement = violation.statement;
    let wrong_value = match violation.code {
        ViolationCode::Value | ViolationCode::ValueRegex => violation.value,
        ViolationCode::KeyCase
        | ViolationCode::Missing
        | ViolationCode::OverLimit
        | ViolationCode::RgTagNotInherited => None,
    };
    let nearest = wrong_value.and_then(|value| hint::nearest(&statement.values, value));
    let allowed_values = allowed(&statement.values);
    Told {
        code: code(violation.code),
        key: violation.key,
        expected_key: &statement.tag_key,
        mode: mode(stage),
        intercepted: violation.intercepted == Interception::Intercepted,
        error_code: match violation.code {
            ViolationCode::OverLimit | ViolationCode::RgTagNotInherited => "",
            ViolationCode::KeyCase
            | ViolationCode::Missing
            | ViolationCode::Value
            | ViolationCode::ValueRegex => ERROR_CODE,
        },
        message: message(violation, &allowed_values),
        allowed_values,
        nearest_value: nearest.unwrap_or_default(),
    }
}

impl Told<'_> {
    /// Writes a `TagViolation`.
    fn write(&self, message: &mut Writer<'_>) {
        message.value(1, self.code);
        message.text(2, self.key);
        message.text(3, self.expected_key);
        message.value(4, self.mode);
        message.number(5, self.intercepted);
        message.text(6, self.error_code);
        message.text(7, &self.message);
        for value in &self.allowed_values {
            message.bytes(8, value.as_bytes());
        }
        message.text(9, self.nearest_value);
    }
}

impl From<Told<'_>> for v1::TagViolation {
    fn from(told: Told<'_>) -> Self {
        let values = told.allowed_values.into_iter();
        Self {
            code: told.code.into(),
            key: told.key.to_owned(),
            expected_key: told.expected_key.to_owned(),
            mode: told.mode.into(),
            intercepted: told.intercepted,
            error_code: told.error_code.to_owned(),
            message: told.message,
            allowed_values: values.map(str::to_owned).collect(),
            nearest_value: told.nearest_value.to_owned(),
        }
    }
}

/// What is wrong with the tag of a resource that is looked at as it is.
pub(crate) fn noncompliance(stage: TagMode, violation: &Violation<'_>) -> v1::ComplianceViolation {
    v1::ComplianceViolation {
        code: code(violation.code).into(),
        key: violation.key.to_owned(),
        expected_key: violation.statement.tag_key.to_string(),
        value: violation.value.unwrap_or_default().to_owned(),
        mode: mode(stage).into(),
    }
}

/// The code of a violation.
pub(crate) fn code(code: ViolationCode) -> v1::TagViolationCode {
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

fn allowed(values: &AllowedValues) -> Vec<&str> {
    match values {
        AllowedValues::Unset => vec!["*"],
        AllowedValues::Listed(patterns) => {
            let patterns = patterns.iter().take(VALUES);
            patterns.map(ValuePattern::as_str).collect()
        }
        AllowedValues::Matched(regexes) => {
            let regexes = regexes.iter().take(VALUES);
            regexes.map(ValueRegex::as_str).collect()
        }
    }
}

/// The published message of a violation.
pub(crate) fn published(violation: &Violation<'_>) -> String {
    message(violation, &allowed(&violation.statement.values))
}

/// tag-policy 3.2: "three message forms: allowed values of TagValue; allowed spelling of TagKey;
/// necessary keys missing".
fn message(violation: &Violation<'_>, values: &[&str]) -> String {
    let key = json(&[&violation.statement.tag_key]);
    match violation.code {
        ViolationCode::Value | ViolationCode::ValueRegex => {
            let found = violation.value.unwrap_or_default();
            wrong("TagValue", &json(values), found)
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

fn json(texts: &[&str]) -> String {
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
