//! Decides: `decide(&Snapshot, &Request) -> Result<Decision, Refused>`.
//!
//! A request is checked (`check`), its principal and action are found, and every resource is a
//! sub-check of its own, judged through all layers (`layers`). The truth table over sub-checks:
//!
//! | sub-checks | outcome |
//! |---|---|
//! | all ALLOW | ALLOW |
//! | any EXPLICIT_DENY | EXPLICIT_DENY |
//! | else | IMPLICIT_DENY |
//!
//! Nothing here allocates, waits, or reads a clock. What cannot be understood refuses the request;
//! it never becomes a condition that is false.
//!
//! Not here: reading texts and asking the directory (`wire`, `cli`), and where snapshots come from.

mod check;
pub mod compliance;
mod condition;
pub mod correction;
pub mod decision;
pub mod edits;
pub mod explain;
pub mod hint;
mod layers;
mod list;
mod observe;
mod principal;
pub mod request;
mod statement;
mod subcheck;
pub mod tagging;
mod tags;
mod unit;
mod view;

use arrayvec::ArrayVec;

use self::check::Faults;
use self::decision::{Cause, Decision, Obligations, Refused, Verdict};
use self::layers::{Judged, Layers};
use self::observe::{Nobody, Observer};
use self::principal::Asker;
use self::request::Request;
use self::subcheck::SubCheck;
use self::view::ActionView;
use crate::model::settings::QueryDenied;
use crate::model::verdict::{DenyReason, OnDeny, Outcome, RefusalReason};
use crate::snapshot::Snapshot;
use crate::snapshot::action::FoldedAction;

/// Decides one request in one snapshot.
///
/// # Errors
///
/// The request is not decided: it is malformed, or something is missing that its policies need.
pub fn decide(snapshot: &Snapshot, request: &Request<'_>) -> Result<Decision, Refused> {
    decide_observed(snapshot, request, &mut Nobody)
}

fn decide_observed(
    snapshot: &Snapshot,
    request: &Request<'_>,
    observer: &mut impl Observer,
) -> Result<Decision, Refused> {
    let name = FoldedAction::new(request.action);
    let action = ActionView::new(snapshot, request, &name);
    let asker = Asker::find(snapshot, request.principal);
    check::request(request, snapshot, &action, &asker)?;
    if matches!(asker, Asker::Unknown) {
        return Ok(unknown_principal(request));
    }
    let mut whole = Whole::default();
    for resource in request.resources {
        let check = SubCheck::new(snapshot, request, &action, &asker, resource);
        whole.add(&check, observer);
    }
    whole.faults.into_result()?;
    Ok(Decision::new(
        whole.verdicts,
        whole.obligations,
        whole.unknown,
        snapshot,
        request,
        &action,
    ))
}

/// What the sub-checks came to so far.
#[derive(Debug, Default)]
struct Whole {
    faults: Faults,
    verdicts: ArrayVec<Verdict, { crate::model::verdict::limits::RESOURCES }>,
    obligations: Obligations,
    unknown: bool,
}

impl Whole {
    fn add(&mut self, check: &SubCheck<'_>, observer: &mut impl Observer) {
        let mut own = Faults::default();
        let mut layers = Layers {
            check,
            faults: &mut own,
            observer,
        };
        let judged = layers.judge();
        let mut judged = layers.filtered(judged);
        if check.action.list && own.is(RefusalReason::ResourceUnknown) {
            // security 3.5: on a list "an unknown id is EMPTY_RESULT too"
            self.unknown = true;
            judged = judged.refused();
        } else {
            self.faults.merge(&own);
        }
        let Judged {
            verdict,
            obligations,
        } = judged;
        observer.resource(check, verdict.outcome);
        self.obligations = self.obligations.and(obligations);
        // INVARIANT: `check` refused more resources than there is place for.
        let _ = self.verdicts.try_push(verdict);
    }
}

/// security 2.7: "DENY, reason `PRINCIPAL_UNKNOWN`, never EMPTY_RESULT".
fn unknown_principal(request: &Request<'_>) -> Decision {
    let cause = Cause {
        layer: None,
        statement: None,
    };
    let verdict = Verdict {
        outcome: Outcome::ImplicitDeny,
        cause,
    };
    Decision {
        outcome: Outcome::ImplicitDeny,
        reason: Some(DenyReason::PrincipalUnknown),
        on_deny: OnDeny::Error,
        cause,
        verdicts: request.resources.iter().map(|_| verdict).collect(),
        obligations: Obligations::default(),
    }
}

impl Decision {
    fn new(
        verdicts: ArrayVec<Verdict, { crate::model::verdict::limits::RESOURCES }>,
        obligations: Obligations,
        unknown: bool,
        snapshot: &Snapshot,
        request: &Request<'_>,
        action: &ActionView<'_>,
    ) -> Self {
        let first = |outcome| {
            verdicts
                .iter()
                .find(|verdict: &&Verdict| verdict.outcome == outcome)
        };
        let deciding = first(Outcome::ExplicitDeny)
            .or_else(|| first(Outcome::ImplicitDeny))
            .or_else(|| first(Outcome::Allow));
        let cause = deciding.map_or(
            Cause {
                layer: None,
                statement: None,
            },
            |verdict| verdict.cause,
        );
        let outcome = deciding.map_or(Outcome::ImplicitDeny, |verdict| verdict.outcome);
        let obliged = !obligations.is_empty() && !request.understands_obligations;
        let reason = match outcome {
            Outcome::ExplicitDeny => Some(DenyReason::Explicit),
            Outcome::ImplicitDeny if unknown => Some(DenyReason::ResourceUnknown),
            Outcome::ImplicitDeny => Some(DenyReason::Implicit),
            // security 3.6: without obligations understood "DENY, reason OBLIGATION_REQUIRED"
            Outcome::Allow if obliged => Some(DenyReason::ObligationRequired),
            Outcome::Allow => None,
        };
        let outcome = if reason.is_some() && outcome == Outcome::Allow {
            Outcome::ImplicitDeny
        } else {
            outcome
        };
        Self {
            outcome,
            reason,
            on_deny: on_deny(snapshot, action, outcome),
            cause,
            verdicts,
            obligations: if outcome == Outcome::Allow {
                obligations
            } else {
                Obligations::default()
            },
        }
    }
}

/// security 3.5: "`on_deny` EMPTY_RESULT only for actions flagged `list`".
fn on_deny(snapshot: &Snapshot, action: &ActionView<'_>, outcome: Outcome) -> OnDeny {
    match snapshot.settings.query_denied {
        _ if !action.list => OnDeny::Error,
        QueryDenied::Empty => OnDeny::EmptyResult,
        QueryDenied::Error => OnDeny::Error,
        QueryDenied::ErrorOnExplicit if outcome == Outcome::ExplicitDeny => OnDeny::Error,
        QueryDenied::ErrorOnExplicit => OnDeny::EmptyResult,
    }
}
