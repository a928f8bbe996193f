//! The statements that count, and for what they refuse a request (decisions 17 and 18).

use super::{Level, control, identity, resource_based, session};
use crate::model::condition::{ConditionKey, TagFamily};
use crate::model::settings::MissingRequired;
use crate::model::verdict::RefusalReason;
use crate::reference::condition;
use crate::reference::image::images;
use crate::reference::statement::Placed;
use crate::reference::subcheck::{Group, Part, Question, SubCheck};

/// Decision 17: the reasons for which the statements that count refuse the request.
pub(in crate::reference) fn faults(
    question: &Question<'_>,
    sub: &SubCheck<'_>,
) -> Vec<RefusalReason> {
    let mut faults = Vec::new();
    for placed in counting(question, sub) {
        faults.extend(value_faults(question, sub, &placed));
        faults.extend(missing_keys(question, sub, &placed));
        // security 3.5: on a list an unknown id is no refusal.
        if needs_unknown(sub, &placed) && !question.facts.list {
            faults.push(RefusalReason::ResourceUnknown);
        }
    }
    faults
}

/// Whether a sub-check needs facts of its resource that nobody knows (security 2.4).
pub(in crate::reference) fn is_unknown(question: &Question<'_>, sub: &SubCheck<'_>) -> bool {
    counting(question, sub)
        .iter()
        .any(|placed| needs_unknown(sub, placed))
}

/// The statements that match by principal, action and resource in a layer that applies, whatever
/// else was decided.
fn counting<'a>(question: &'a Question<'_>, sub: &'a SubCheck<'_>) -> Vec<Placed<'a>> {
    let mut all = Vec::new();
    for level in control(question, sub) {
        match level {
            Level::Passes => {}
            Level::Unit(unit) => all.extend(unit),
        }
    }
    all.extend(session(question).unwrap_or_default());
    if let Some(identity) = identity(question, sub) {
        all.extend(identity.of_group(sub));
        all.extend(identity.account);
    }
    all.extend(resource_based(question, sub));
    all.retain(|placed| placed.matches(question, sub));
    all
}

/// Decision 18: a value in view that cannot be read as the type that is asked of it.
fn value_faults(
    question: &Question<'_>,
    sub: &SubCheck<'_>,
    placed: &Placed<'_>,
) -> Vec<RefusalReason> {
    let effect = placed.statement.effect;
    let mut faults = Vec::new();
    for image in images(question, sub, effect) {
        for condition in &placed.statement.conditions {
            if condition::holds(question, sub, &image, effect, condition).is_err() {
                faults.push(RefusalReason::ContextValueInvalid);
            }
        }
    }
    faults
}

/// security 2.2: `acs:SourceIp`, `acs:SecureTransport` and an action's required keys are always
/// present.
fn missing_keys(
    question: &Question<'_>,
    sub: &SubCheck<'_>,
    placed: &Placed<'_>,
) -> Vec<RefusalReason> {
    if question.bundle.settings.missing_required == MissingRequired::AsAbsent {
        return Vec::new();
    }
    let required = |key: &str| {
        let mut keys = question.facts.required_keys.iter();
        keys.any(|required| required.eq_ignore_ascii_case(key))
    };
    let mut faults = Vec::new();
    for condition in &placed.statement.conditions {
        let always = match &condition.key {
            ConditionKey::SourceIp | ConditionKey::SecureTransport | ConditionKey::CurrentTime => {
                true
            }
            ConditionKey::MfaPresent => required("acs:mfapresent"),
            ConditionKey::Context(key) => required(key),
            ConditionKey::PrincipalArn
            | ConditionKey::ResourceGroupId
            | ConditionKey::Action
            | ConditionKey::Resource
            | ConditionKey::Tag(_) => false,
        };
        if always && condition::fact_values(question, sub, &condition.key).is_empty() {
            faults.push(RefusalReason::ContextKeyMissing);
        }
    }
    faults
}

/// Decision 17: tags or group of an existing resource are unknown, and the statement needs them.
fn needs_unknown(sub: &SubCheck<'_>, placed: &Placed<'_>) -> bool {
    let tags = placed.reads(TagFamily::Resource) || placed.reads(TagFamily::Either);
    let group = placed.reads_group() || placed.group.is_some();
    sub.part == Part::Existing
        && ((sub.tags.is_none() && tags) || (sub.group == Group::Unknown && group))
}
