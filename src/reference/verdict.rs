//! The layers in their order, and the verdict on one resource (ram 4.2, security 2.5).
//!
//! Not here: how the verdicts of several resources combine ([`super::combine`]).

use std::collections::BTreeSet;

use crate::model::settings::{QueryUnfiltered, RgDeny};
use crate::model::statement::Effect;
use crate::model::verdict::{Layer, Outcome};

use super::layers::{self, Level};
use super::obligation::{self, Alternatives};
use super::principal::Standing;
use super::subcheck::{Question, SubCheck};
use super::unit::{Judged, judge};
use super::{DueObligations, StatementName};

/// The verdict of one resource.
#[derive(Debug)]
pub(super) struct SubVerdict {
    pub(super) outcome: Outcome,
    pub(super) unknown: bool,
    pub(super) layer: Layer,
    pub(super) causes: BTreeSet<StatementName>,
    pub(super) due: Alternatives,
}

impl SubVerdict {
    fn of(layer: Layer, judged: &Judged<'_>, due: Alternatives) -> Self {
        Self {
            outcome: judged.outcome,
            unknown: false,
            layer,
            causes: judged.causes(),
            due,
        }
    }

    fn bare(layer: Layer, outcome: Outcome) -> Self {
        Self {
            outcome,
            unknown: false,
            layer,
            causes: BTreeSet::new(),
            due: obligation::none(),
        }
    }
}

/// Judges one resource by all layers.
pub(super) fn of_resource(question: &Question<'_>, sub: &SubCheck<'_>) -> SubVerdict {
    // security 3.5: on a list an unknown id is an implicit deny of that sub-check.
    if layers::is_unknown(question, sub) {
        let mut verdict = SubVerdict::bare(Layer::Identity, Outcome::ImplicitDeny);
        verdict.unknown = true;
        return verdict;
    }
    let mut due = obligation::none();
    // ram 4.2, step 1: each level must give ALLOW by itself; the first that does not decides.
    for (place, level) in layers::control(question, sub).into_iter().enumerate() {
        let Level::Unit(unit) = level else { continue };
        let judged = judge(question, sub, &unit);
        let made_due = obligation::of_unit(question, sub, &judged.holding);
        if judged.outcome != Outcome::Allow {
            let level = u8::try_from(place).unwrap_or(u8::MAX);
            return SubVerdict::of(Layer::Control { level }, &judged, obligation::none());
        }
        due = obligation::all_of(&due, &made_due);
    }
    // Step 2: a session policy must give ALLOW.
    if let Some(unit) = layers::session(question) {
        let judged = judge(question, sub, &unit);
        if judged.outcome != Outcome::Allow {
            return SubVerdict::of(Layer::Session, &judged, obligation::none());
        }
        due = obligation::all_of(&due, &obligation::of_unit(question, sub, &judged.holding));
    }
    let mut verdict = granted(question, sub);
    verdict.due = obligation::all_of(&due, &verdict.due);
    if verdict.outcome == Outcome::Allow && obligation::lists_openly(question, sub) {
        filtered(question, sub, verdict)
    } else {
        verdict
    }
}

/// Decisions 31 and 33: a list without an id that something narrows.
fn filtered(question: &Question<'_>, sub: &SubCheck<'_>, mut verdict: SubVerdict) -> SubVerdict {
    if obligation::a_deny_narrows(question, sub) {
        let results = DueObligations {
            filter_tags: None,
            filter_results: true,
        };
        verdict.due = obligation::all_of(&verdict.due, &Alternatives::from([results]));
    }
    let always = verdict.due.iter().all(|due| due.filter_results);
    match question.bundle.settings.query_unfiltered {
        QueryUnfiltered::Obligation => verdict,
        QueryUnfiltered::Deny if always => SubVerdict::bare(verdict.layer, Outcome::ImplicitDeny),
        QueryUnfiltered::Deny => {
            verdict.due.retain(|due| !due.filter_results);
            verdict
        }
    }
}

/// Step 3 and 4: identity and resource-based policies, and how they combine.
fn granted(question: &Question<'_>, sub: &SubCheck<'_>) -> SubVerdict {
    let attached = layers::resource_based(question, sub);
    if obligation::rules_as_owner(question, sub) {
        return as_owner(question, sub);
    }
    let judged = judge(question, sub, &attached);
    let due = obligation::of_unit(question, sub, &judged.holding);
    let resource = SubVerdict::of(Layer::ResourceBased, &judged, due);
    match question.standing {
        // Decision 23: for services, federated principals and unknown accounts, resource-based
        // documents alone decide. Decision 24: for root in other accounts too.
        Standing::Root(_) | Standing::Outsider | Standing::Unknown => outsider(question, resource),
        Standing::User(..) | Standing::Role(..) => {
            let identity = by_identity(question, sub);
            if question.assumes_role() {
                both(identity, resource)
            } else {
                either(identity, resource)
            }
        }
    }
}

/// Decision 24: for `sts:AssumeRole` the result of root is never ALLOW.
fn outsider(question: &Question<'_>, resource: SubVerdict) -> SubVerdict {
    let is_root = matches!(
        question.principal,
        crate::model::arn::PrincipalRef::Root { .. }
    );
    if is_root && question.assumes_role() && resource.outcome == Outcome::Allow {
        SubVerdict::bare(Layer::ResourceBased, Outcome::ImplicitDeny)
    } else {
        resource
    }
}

/// Decision 24: root in its own account, but for a resource-based Deny with a Condition that names
/// it and holds.
fn as_owner(question: &Question<'_>, sub: &SubCheck<'_>) -> SubVerdict {
    let binding: Vec<_> = layers::resource_based(question, sub)
        .into_iter()
        .filter(|placed| placed.is(Effect::Deny) && !placed.statement.conditions.is_empty())
        .collect();
    let judged = judge(question, sub, &binding);
    match judged.outcome {
        Outcome::ExplicitDeny => SubVerdict::of(Layer::ResourceBased, &judged, obligation::none()),
        Outcome::Allow | Outcome::ImplicitDeny => {
            SubVerdict::bare(Layer::AccountOwner, Outcome::Allow)
        }
    }
}

/// Decision 21: account scope first, then the scope of the resource's group.
fn by_identity(question: &Question<'_>, sub: &SubCheck<'_>) -> SubVerdict {
    let identity = layers::identity(question, sub).unwrap_or_default();
    let account = judge(question, sub, &identity.account);
    let group = judge(question, sub, &identity.of_group(sub));
    let over = match (account.outcome, group.outcome) {
        (Outcome::ExplicitDeny, _) => false,
        (Outcome::Allow, Outcome::ExplicitDeny) => {
            question.bundle.settings.rg_deny == RgDeny::Always
        }
        (Outcome::Allow, Outcome::Allow | Outcome::ImplicitDeny) => false,
        (Outcome::ImplicitDeny, _) => true,
    };
    let (layer, judged) = if over {
        (Layer::ResourceGroup, group)
    } else {
        (Layer::Identity, account)
    };
    // security 2.5: an identity Allow grants only in the principal's own account; a Deny counts
    // everywhere. Decision 23: as consent to `sts:AssumeRole` it counts in any account.
    let foreign = question.principal.account() != Some(sub.owner.as_str());
    if judged.outcome == Outcome::Allow && foreign && !question.assumes_role() {
        return SubVerdict::bare(layer, Outcome::ImplicitDeny);
    }
    let due = obligation::of_unit(question, sub, &judged.holding);
    SubVerdict::of(layer, &judged, due)
}

/// Decision 23: any explicit deny, else any ALLOW, else implicit deny.
fn either(identity: SubVerdict, resource: SubVerdict) -> SubVerdict {
    match (identity.outcome, resource.outcome) {
        (Outcome::ExplicitDeny, _) => identity,
        (_, Outcome::ExplicitDeny) => resource,
        (Outcome::Allow, Outcome::Allow) => SubVerdict {
            due: obligation::any_of(&identity.due, &resource.due),
            causes: identity.causes.union(&resource.causes).cloned().collect(),
            ..identity
        },
        (Outcome::Allow, Outcome::ImplicitDeny) => identity,
        (Outcome::ImplicitDeny, Outcome::Allow) => resource,
        (Outcome::ImplicitDeny, Outcome::ImplicitDeny) => identity,
    }
}

/// Decision 23: for `sts:AssumeRole` both must be ALLOW; any explicit deny wins.
fn both(identity: SubVerdict, resource: SubVerdict) -> SubVerdict {
    match (identity.outcome, resource.outcome) {
        (Outcome::ExplicitDeny, _) => identity,
        (_, Outcome::ExplicitDeny) => resource,
        (Outcome::Allow, Outcome::Allow) => SubVerdict {
            due: obligation::all_of(&identity.due, &resource.due),
            causes: identity.causes.union(&resource.causes).cloned().collect(),
            ..identity
        },
        (Outcome::ImplicitDeny, _) => identity,
        (Outcome::Allow, Outcome::ImplicitDeny) => resource,
    }
}
