//! The naive evaluator: an independent check of the engine, written from the specification alone.
//!
//! It imports `model` only and shares no code with `snapshot`, `compiler` or `engine`. Nothing is
//! prepared: every question reads the whole bundle again, with linear scans and owned text.
//! Each branch names the sentence that it follows: `security n.m` of the specification, or
//! `decision n` of `docs/semantics.md`.
//!
//! It has no clock: where a request tells no instant, `acs:CurrentTime` is a key that was not sent.
//! It does not judge documents: a policy that an attachment names and nobody wrote holds no
//! statement here, and is refused by whoever compiles the bundle.

pub mod association;
mod combine;
pub mod compliance;
mod condition;
mod edge;
mod image;
mod layers;
mod obligation;
mod principal;
mod statement;
mod subcheck;
pub mod tag_policy;
mod unit;
mod verdict;
mod wildcard;

use std::collections::BTreeSet;

use crate::model::bundle::Bundle;
use crate::model::request::AccessRequest;
use crate::model::verdict::{DenyReason, Layer, OnDeny, Outcome, RefusalReason};

use self::principal::Standing;
use self::subcheck::SubCheck;
use self::verdict::SubVerdict;

/// What the reference answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceDecision {
    /// What evaluation came to, after obligations.
    pub outcome: Outcome,
    /// Why it is no ALLOW; `None` for an ALLOW.
    pub reason: Option<DenyReason>,
    /// How a refusal is to be shown; `Error` for an ALLOW.
    pub on_deny: OnDeny,
    /// The layer that decided; `None` for an unknown principal.
    pub layer: Option<Layer>,
    /// The statements that may rightly be named as the cause; empty where none can be named.
    pub causes: BTreeSet<StatementName>,
    /// The outcome of each resource, in the order asked.
    pub resources: Vec<Outcome>,
    /// The obligations of an ALLOW: every answer that the rules of preference permit.
    /// A DENY has exactly one, without any obligation.
    pub obligations: BTreeSet<DueObligations>,
}

/// A statement, by the document that holds it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementName {
    /// `custom:NAME`, `system:NAME`, `session`, `resource:NAME` or `trust:ROLE`.
    pub policy: String,
    /// The place of the statement in it.
    pub index: usize,
}

/// What whoever enforces an ALLOW must do.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct DueObligations {
    /// `must_filter_tags`, with the keys of the request's tags; `None`: no such obligation.
    pub filter_tags: Option<BTreeSet<String>>,
    /// `filter_results`.
    pub filter_results: bool,
}

impl DueObligations {
    /// How many obligations there are.
    pub fn count(&self) -> usize {
        usize::from(self.filter_tags.is_some()) + usize::from(self.filter_results)
    }

    fn and(&self, other: &Self) -> Self {
        let keys = self.filter_tags.iter().chain(&other.filter_tags).flatten();
        let any = self.filter_tags.is_some() || other.filter_tags.is_some();
        Self {
            filter_tags: any.then(|| keys.cloned().collect()),
            filter_results: self.filter_results || other.filter_results,
        }
    }
}

/// Answers one question.
///
/// # Errors
///
/// The first of all reasons, in the order of [`RefusalReason`], for which the request is refused
/// (decision 4).
pub fn evaluate(
    bundle: &Bundle,
    request: &AccessRequest,
) -> Result<ReferenceDecision, RefusalReason> {
    let question = edge::check(bundle, request)?;
    // security 2.7: an unknown principal of a known account: DENY, never EMPTY_RESULT.
    if matches!(question.standing, Standing::Unknown) {
        return Ok(combine::principal_unknown(&question));
    }
    let mut faults = Vec::new();
    for sub in &question.resources {
        faults.extend(layers::faults(&question, sub));
    }
    if let Some(first) = faults.into_iter().min() {
        return Err(first);
    }
    let verdicts: Vec<SubVerdict> = question
        .resources
        .iter()
        .map(|sub: &SubCheck<'_>| verdict::of_resource(&question, sub))
        .collect();
    Ok(combine::combine(&question, &verdicts))
}
