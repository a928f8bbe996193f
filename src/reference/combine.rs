//! The verdicts of all resources as one answer (decision 25, security 3.5 and 3.6).

use std::collections::BTreeSet;

use super::ReferenceDecision;
use super::obligation;
use super::subcheck::Question;
use super::verdict::SubVerdict;
use crate::model::settings::QueryDenied;
use crate::model::verdict::{DenyReason, OnDeny, Outcome};

/// Decision 25: ALLOW if all are; explicit deny if any is; else implicit deny.
pub(super) fn combine(question: &Question<'_>, verdicts: &[SubVerdict]) -> ReferenceDecision {
    let outcomes: Vec<Outcome> = verdicts.iter().map(|verdict| verdict.outcome).collect();
    let outcome = if outcomes.iter().all(|outcome| *outcome == Outcome::Allow) {
        Outcome::Allow
    } else if outcomes.contains(&Outcome::ExplicitDeny) {
        Outcome::ExplicitDeny
    } else {
        Outcome::ImplicitDeny
    };
    let reason = match outcome {
        Outcome::Allow => None,
        Outcome::ExplicitDeny => Some(DenyReason::Explicit),
        // Decision 17: an implicit deny with reason "resource unknown".
        Outcome::ImplicitDeny if verdicts.iter().any(|verdict| verdict.unknown) => {
            Some(DenyReason::ResourceUnknown)
        }
        Outcome::ImplicitDeny => Some(DenyReason::Implicit),
    };
    let deciding = verdicts.iter().find(|verdict| verdict.outcome == outcome);
    let answer = ReferenceDecision {
        outcome,
        reason,
        on_deny: on_deny(question, outcome),
        layer: deciding.map(|verdict| verdict.layer),
        causes: deciding.map_or_else(BTreeSet::new, |verdict| verdict.causes.clone()),
        resources: outcomes,
        obligations: obligation::none(),
    };
    if outcome == Outcome::Allow {
        obliged(question, verdicts, answer)
    } else {
        answer
    }
}

/// security 3.6: a request that does not say it understands obligations gets DENY.
fn obliged(
    question: &Question<'_>,
    verdicts: &[SubVerdict],
    answer: ReferenceDecision,
) -> ReferenceDecision {
    let due = verdicts.iter().fold(obligation::none(), |due, verdict| {
        obligation::all_of(&due, &verdict.due)
    });
    let free = due.iter().any(|due| due.count() == 0);
    if free || question.request.understands_obligations {
        return ReferenceDecision {
            obligations: due,
            ..answer
        };
    }
    ReferenceDecision {
        outcome: Outcome::ImplicitDeny,
        reason: Some(DenyReason::ObligationRequired),
        on_deny: on_deny(question, Outcome::ImplicitDeny),
        ..answer
    }
}

/// security 3.5: empty result only for actions flagged `list`; `query_denied` may show an error.
fn on_deny(question: &Question<'_>, outcome: Outcome) -> OnDeny {
    let shown = match (question.bundle.settings.query_denied, outcome) {
        (_, Outcome::Allow)
        | (QueryDenied::Error, _)
        | (QueryDenied::ErrorOnExplicit, Outcome::ExplicitDeny) => OnDeny::Error,
        (QueryDenied::Empty, Outcome::ExplicitDeny | Outcome::ImplicitDeny)
        | (QueryDenied::ErrorOnExplicit, Outcome::ImplicitDeny) => OnDeny::EmptyResult,
    };
    if question.facts.list {
        shown
    } else {
        OnDeny::Error
    }
}

/// security 2.7: DENY with the reason principal unknown, never empty result.
pub(super) fn principal_unknown(question: &Question<'_>) -> ReferenceDecision {
    ReferenceDecision {
        outcome: Outcome::ImplicitDeny,
        reason: Some(DenyReason::PrincipalUnknown),
        on_deny: OnDeny::Error,
        layer: None,
        causes: BTreeSet::new(),
        resources: vec![Outcome::ImplicitDeny; question.resources.len()],
        obligations: obligation::none(),
    }
}
