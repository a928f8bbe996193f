//! Compliance without a server: an owned question, judged by an effective policy in memory.

use std::collections::BTreeMap;

use crate::engine::compliance::{Rules, Staged, Verdict, capabilities, validate, validate_staged};
use crate::engine::correction::Rewrite;
use crate::engine::request::KnownGroup;
use crate::engine::tagging::{Inheritance, Operation, Question, Tagging, Tags, TooManyTags};
use crate::model::catalog::{Catalog, TagCapabilities};
use crate::model::compliance::{
    self as owned, StagedAnswer, TaggingAnswer, TaggingOperation, TaggingQuestion,
};
use crate::model::settings::Settings;
use crate::model::tag::TagRef;
use crate::model::tag_policy::EffectivePolicy;

/// Judges an owned question. A type that the catalog does not know is taken as any other.
///
/// # Errors
///
/// When there are too many tags.
pub fn comply(
    catalog: &Catalog,
    policy: &EffectivePolicy,
    settings: &Settings,
    question: &TaggingQuestion,
) -> Result<TaggingAnswer, TooManyTags> {
    let kind = question.resource_type.to_ascii_lowercase();
    let known = capabilities(catalog, policy, &kind);
    let rules = Rules {
        policy,
        settings,
        capabilities: known.unwrap_or(TagCapabilities::ALL),
    };
    comply_by(&rules, question)
}

/// Judges an owned question by given rules.
///
/// # Errors
///
/// When there are too many tags.
pub fn comply_by(
    rules: &Rules<'_>,
    question: &TaggingQuestion,
) -> Result<TaggingAnswer, TooManyTags> {
    with_tagging(question, |tagging| answer(&validate(rules, tagging)))
}

/// Judges an owned question by the three stages of a node.
///
/// # Errors
///
/// When there are too many tags.
pub fn comply_staged(
    staged: &Staged<'_>,
    question: &TaggingQuestion,
) -> Result<StagedAnswer, TooManyTags> {
    with_tagging(question, |tagging| {
        let verdict = validate_staged(staged, tagging);
        let violations = verdict.violations.iter();
        StagedAnswer {
            evaluated: verdict.evaluated,
            violations: violations
                .map(|(mode, one)| ((one.code, one.key.to_owned()), *mode))
                .collect(),
            intercepted: verdict.is_intercepted(),
            corrected: corrected(&verdict.corrected),
        }
    })
}

/// Lends an owned question to the engine.
///
/// # Errors
///
/// When there are too many tags.
pub fn with_tagging<T>(
    question: &TaggingQuestion,
    then: impl FnOnce(&Tagging<'_>) -> T,
) -> Result<T, TooManyTags> {
    let current = tags(&question.current);
    let (set, removed) = match &question.operation {
        TaggingOperation::Detect => (Vec::new(), Vec::new()),
        TaggingOperation::Create(set) => (tags(set), Vec::new()),
        TaggingOperation::Write { set, removed } => {
            (tags(set), removed.iter().map(String::as_str).collect())
        }
    };
    let group_tags = match &question.inheritance {
        owned::Inheritance::Group(group) => tags(group),
        owned::Inheritance::Unknown | owned::Inheritance::Excluded => Vec::new(),
    };
    let tagging = Tagging::new(Question {
        resource_type: &question.resource_type,
        region: question.region.as_deref(),
        group: match &question.group {
            None => KnownGroup::Unknown,
            Some(None) => KnownGroup::None,
            Some(Some(group)) => KnownGroup::Some(group),
        },
        current: Tags::Sent(&current),
        operation: match &question.operation {
            TaggingOperation::Detect => Operation::Detect,
            TaggingOperation::Create(_) => Operation::Create(&set),
            TaggingOperation::Write { .. } => Operation::Write {
                set: &set,
                removed: &removed,
            },
        },
        inheritance: match &question.inheritance {
            owned::Inheritance::Unknown => Inheritance::Unknown,
            owned::Inheritance::Excluded => Inheritance::Excluded,
            owned::Inheritance::Group(_) => Inheritance::Group(Tags::Sent(&group_tags)),
        },
        history: question.history,
    })?;
    Ok(then(&tagging))
}

fn tags(pairs: &[(String, String)]) -> Vec<TagRef<'_>> {
    pairs
        .iter()
        .map(|(key, value)| TagRef { key, value })
        .collect()
}

fn answer(verdict: &Verdict<'_>) -> TaggingAnswer {
    let violations = verdict.violations.iter();
    TaggingAnswer {
        evaluated: verdict.evaluated,
        violations: violations
            .map(|violation| (violation.code, violation.key.to_owned()))
            .collect(),
        intercepted: verdict.is_intercepted(),
        corrected: corrected(&verdict.corrected),
    }
}

fn corrected(rewrites: &[Rewrite<'_>]) -> BTreeMap<String, Option<String>> {
    let rewrites = rewrites.iter();
    rewrites
        .map(|one| (one.key.to_owned(), one.value.map(str::to_owned)))
        .collect()
}
