//! Obligations of an ALLOW (security 3.6, decisions 30 to 33).

use std::collections::BTreeSet;

use crate::model::catalog::OperationKind;
use crate::model::condition::{ConditionKey, TagFamily};
use crate::model::settings::TagKeyCase;
use crate::model::statement::Effect;
use crate::model::text::eq_fold;

use super::DueObligations;
use super::layers::{self, Level};
use super::principal::Standing;
use super::statement::Placed;
use super::subcheck::{Part, Question, SubCheck};

/// Every set of obligations that the rules permit.
pub(super) type Alternatives = BTreeSet<DueObligations>;

/// No obligation, and nothing else is permitted.
pub(super) fn none() -> Alternatives {
    Alternatives::from([DueObligations::default()])
}

/// What is due when all of several units had to allow.
pub(super) fn all_of(left: &Alternatives, right: &Alternatives) -> Alternatives {
    left.iter()
        .flat_map(|one| right.iter().map(|other| one.and(other)))
        .collect()
}

/// What is due when any of several grants is enough: the one with fewer obligations counts
/// (decision 32).
pub(super) fn any_of(left: &Alternatives, right: &Alternatives) -> Alternatives {
    fewest(left.union(right).cloned())
}

/// What a unit that had to allow makes due, by the statements that hold in it. One without any
/// obligation is preferred, then one with the fewest (decision 31).
pub(super) fn of_unit(
    question: &Question<'_>,
    sub: &SubCheck<'_>,
    holding: &[Placed<'_>],
) -> Alternatives {
    fewest(holding.iter().map(|placed| DueObligations {
        filter_tags: filter_tags(question, sub, placed),
        filter_results: lists_openly(question, sub) && narrows(sub, placed),
    }))
}

fn fewest(candidates: impl Iterator<Item = DueObligations>) -> Alternatives {
    let all: Alternatives = candidates.collect();
    let least = all.iter().map(DueObligations::count).min();
    let mut chosen: Alternatives = all
        .into_iter()
        .filter(|due| Some(due.count()) == least)
        .collect();
    // Decision 31: `filter_results` is due only if every Allow that holds narrows.
    if chosen.iter().any(|due| !due.filter_results) {
        chosen.retain(|due| !due.filter_results);
    }
    chosen
}

/// security 3.6: `must_filter_tags` when the allowing statement of a query is Q or RQ, with just
/// the tags that it tested.
fn filter_tags(
    question: &Question<'_>,
    sub: &SubCheck<'_>,
    placed: &Placed<'_>,
) -> Option<BTreeSet<String>> {
    let query = question.facts.kind == OperationKind::Query;
    if !query || !placed.class(sub.part).reads_request() {
        return None;
    }
    let folds = question.bundle.settings.tag_key_case == TagKeyCase::Fold;
    let as_request = |family: TagFamily| match family {
        TagFamily::Request => true,
        TagFamily::Either => sub.part != Part::Existing,
        TagFamily::Resource => false,
    };
    let tested = |key: &str| {
        placed.statement.conditions.iter().any(|condition| {
            matches!(&condition.key, ConditionKey::Tag(read)
                if as_request(read.family)
                    && (*read.key == *key || (folds && eq_fold(&read.key, key))))
        })
    };
    let sent = question.request.tags.set.iter().flatten();
    let keys = sent.map(|(key, _)| key).filter(|key| tested(key));
    Some(keys.cloned().collect())
}

/// An action flagged `list`, and a sub-check without an id.
pub(super) fn lists_openly(question: &Question<'_>, sub: &SubCheck<'_>) -> bool {
    question.facts.list && sub.part == Part::Open
}

/// Decision 31: a statement narrows if it reads R, T or the group, stands at group scope, or does
/// not certainly cover everything below the ARN asked for.
fn narrows(sub: &SubCheck<'_>, placed: &Placed<'_>) -> bool {
    placed.reads(TagFamily::Resource)
        || placed.reads(TagFamily::Either)
        || placed.reads_group()
        || placed.group.is_some()
        || !placed.covers_all_below(sub)
}

/// Decision 31: an applicable Deny narrows.
pub(super) fn a_deny_narrows(question: &Question<'_>, sub: &SubCheck<'_>) -> bool {
    let mut all = Vec::new();
    for level in layers::control(question, sub) {
        match level {
            Level::Passes => {}
            Level::Unit(unit) => all.extend(unit),
        }
    }
    all.extend(layers::session(question).unwrap_or_default());
    if let Some(identity) = layers::identity(question, sub) {
        all.extend(identity.account);
        all.extend(identity.groups);
    }
    let mut attached = layers::resource_based(question, sub);
    if rules_as_owner(question, sub) {
        // Decision 24: of resource-based statements only a Deny with a Condition binds the owner.
        attached.retain(|placed| !placed.statement.conditions.is_empty());
    }
    all.extend(attached);
    all.iter().any(|placed| {
        placed.is(Effect::Deny)
            && placed.names_and_acts(question)
            && placed.may_touch_below(sub)
            && narrows(sub, placed)
    })
}

/// Whether the one who asks is the root of the account that owns the resource.
pub(super) fn rules_as_owner(question: &Question<'_>, sub: &SubCheck<'_>) -> bool {
    match question.standing {
        Standing::Root(account) => account.id.as_str() == sub.owner && !question.assumes_role(),
        Standing::Unknown | Standing::User(..) | Standing::Role(..) | Standing::Outsider => false,
    }
}
