//! Decides: `decide(&Snapshot, &Request) -> Result<Decision, Refused>`, and `decide_each`, which
//! tells the verdict of every resource too.
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
mod derived;

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

use self::check::Faults;
use self::decision::{Cause, Decision, Obligations, Refused, Verdict, Verdicts};
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
    decide_each(snapshot, request, &mut Verdicts::new())
}

/// The same, with the verdict of each resource. Beside a refusal they say nothing.
///
/// # Errors
///
/// As [`decide`].
pub fn decide_each(
    snapshot: &Snapshot,
    request: &Request<'_>,
    verdicts: &mut Verdicts,
) -> Result<Decision, Refused> {
    decide_observed(snapshot, request, verdicts, &mut Nobody)
}

fn decide_observed(
    snapshot: &Snapshot,
    request: &Request<'_>,
    verdicts: &mut Verdicts,
    observer: &mut impl Observer,
) -> Result<Decision, Refused> {
    verdicts.clear();
    let name = FoldedAction::new(request.action);
    let action = ActionView::new(snapshot, request, &name);
    let asker = Asker::find(snapshot, request.principal);
    check::request(request, snapshot, &action, &asker)?;
    if matches!(asker, Asker::Unknown) {
        verdicts.extend(request.resources.iter().map(|_| UNKNOWN));
        return Ok(unknown_principal());
    }
    let mut whole = Whole::default();
    for resource in request.resources {
        let check = SubCheck::new(snapshot, request, &action, &asker, resource);
        let verdict = whole.add(&check, observer);
        // INVARIANT: `check` refused more resources than there is place for.
        let _ = verdicts.try_push(verdict);
    }
    whole.faults.result()?;
    Ok(whole.decision(snapshot, request, &action))
}

/// What the sub-checks came to so far.
#[derive(Debug, Default)]
struct Whole {
    faults: Faults,
    /// The first verdict of those that weigh most.
    deciding: Option<Verdict>,
    obligations: Obligations,
    unknown: bool,
}

impl Whole {
    fn add(&mut self, check: &SubCheck<'_>, observer: &mut impl Observer) -> Verdict {
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
        let weighs_more = |kept: Verdict| severity(verdict.outcome) > severity(kept.outcome);
        if self.deciding.is_none_or(weighs_more) {
            self.deciding = Some(verdict);
        }
        verdict
    }

    fn decision(
        self,
        snapshot: &Snapshot,
        request: &Request<'_>,
        action: &ActionView<'_>,
    ) -> Decision {
        let Verdict { outcome, cause } = self.deciding.unwrap_or(UNKNOWN);
        let obliged = !self.obligations.is_empty() && !request.understands_obligations;
        let reason = match outcome {
            Outcome::ExplicitDeny => Some(DenyReason::Explicit),
            Outcome::ImplicitDeny if self.unknown => Some(DenyReason::ResourceUnknown),
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
        Decision {
            outcome,
            reason,
            on_deny: on_deny(snapshot, action, outcome),
            cause,
            obligations: if outcome == Outcome::Allow {
                self.obligations
            } else {
                Obligations::default()
            },
        }
    }
}

/// Which outcome of several stands (the truth table above).
fn severity(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Allow => 0,
        Outcome::ImplicitDeny => 1,
        Outcome::ExplicitDeny => 2,
    }
}

/// What a resource comes to that no layer was asked about.
const UNKNOWN: Verdict = Verdict {
    outcome: Outcome::ImplicitDeny,
    cause: Cause {
        layer: None,
        statement: None,
    },
};

/// security 2.7: "DENY, reason `PRINCIPAL_UNKNOWN`, never EMPTY_RESULT".
fn unknown_principal() -> Decision {
    Decision {
        outcome: UNKNOWN.outcome,
        reason: Some(DenyReason::PrincipalUnknown),
        on_deny: OnDeny::Error,
        cause: UNKNOWN.cause,
        obligations: Obligations::default(),
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
