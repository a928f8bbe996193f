//! One statement against the tags of one resource: over a limit, inheritance, or its tags.

mod tags;

use self::tags::Judge;
use super::scope::{Within, applies, within};
use super::{Interception, Rules, Verdict, Violation, is_alibaba};
use crate::engine::request::KnownGroup;
use crate::engine::tagging::{Inheritance, Tagging};
use crate::model::catalog::TagCapability;
use crate::model::compliance::ViolationCode;
use crate::model::tag_policy::{EffectiveStatement, Fit, Section};
use crate::model::text::eq_fold;

/// Judges by one statement.
pub(super) fn judge<'a>(
    rules: &Rules<'a>,
    tagging: &Tagging<'a>,
    statement: &'a EffectiveStatement,
    verdict: &mut Verdict<'a>,
) {
    if statement.fit == Fit::OverLimit {
        over_limit(tagging, statement, verdict);
    }
    if statement.section == Section::RgInherit {
        return inheritance(rules, tagging, statement, verdict);
    }
    if !applies(rules.policy.dialect, tagging, statement) {
        return;
    }
    Judge::new(rules, tagging, statement, verdict).tags();
}

/// security 6.4: "writes under that statement are intercepted until it fits again".
fn over_limit<'a>(
    tagging: &Tagging<'a>,
    statement: &'a EffectiveStatement,
    verdict: &mut Verdict<'a>,
) {
    let operation = &tagging.question.operation;
    let written = operation.set().iter().map(|tag| tag.key);
    let mut written = written.chain(operation.removed().iter().copied());
    let writes = written.any(|key| eq_fold(key, &statement.tag_key));
    if writes && within(statement, &tagging.question) != Within::No {
        verdict.evaluated = true;
        verdict.violations.push(Violation {
            code: ViolationCode::OverLimit,
            key: &statement.tag_key,
            value: None,
            statement,
            intercepted: Interception::Intercepted,
        });
    }
}

/// tag-policy 3.4: "Not in a group or group lacks the tag → not applicable. Different or missing on
/// the resource → non-compliant".
fn inheritance<'a>(
    rules: &Rules<'a>,
    tagging: &Tagging<'a>,
    statement: &'a EffectiveStatement,
    verdict: &mut Verdict<'a>,
) {
    let Some(value) = inherited(rules, tagging, statement) else {
        return;
    };
    verdict.evaluated = true;
    let own = tagging.after().find(|tag| *tag.key == *statement.tag_key);
    if own.is_none_or(|own| own.value != value) {
        verdict.violations.push(Violation {
            code: ViolationCode::RgTagNotInherited,
            key: &statement.tag_key,
            value: own.map(|own| own.value),
            statement,
            // tag-policy 7, rule 35: "inherited value is not intercepted but reported".
            intercepted: Interception::Reported,
        });
    }
}

/// The value that a resource takes from its group under a statement.
pub(in crate::engine) fn inherited<'a>(
    rules: &Rules<'a>,
    tagging: &Tagging<'a>,
    statement: &EffectiveStatement,
) -> Option<&'a str> {
    let question = &tagging.question;
    let applies = is_alibaba(rules.policy)
        && rules.capabilities.holds(TagCapability::RgInherit)
        && matches!(question.group, KnownGroup::Some(_))
        && within(statement, question) == Within::Yes;
    match question.inheritance {
        Inheritance::Group(tags) if applies => tags.get(&statement.tag_key),
        Inheritance::Group(_) | Inheritance::Unknown | Inheritance::Excluded => None,
    }
}
