//! What the engine answers: a decision that says why, or a refusal to decide.

use arrayvec::ArrayVec;

use crate::model::verdict::{DenyReason, Layer, OnDeny, Outcome, RefusalReason, limits};
use crate::snapshot::StatementId;

/// The answer to one question. Building it allocates nothing, and copying it is cheap: the verdicts
/// of the single resources stand apart, in [`Verdicts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decision {
    /// What evaluation came to, after obligations.
    pub outcome: Outcome,
    /// Why it is no ALLOW; `None` for an ALLOW.
    pub reason: Option<DenyReason>,
    /// How a refusal is to be shown.
    pub on_deny: OnDeny,
    /// What decided. For an ALLOW of several resources, what decided the first of them.
    pub cause: Cause,
    /// What whoever enforces an ALLOW must do; empty for a DENY.
    pub obligations: Obligations,
}

impl Decision {
    /// Whether it is an ALLOW.
    pub fn is_allow(&self) -> bool {
        self.outcome == Outcome::Allow && self.reason.is_none()
    }
}

/// The verdict of each resource, in the order asked: a place that whoever asks provides, because it
/// is a thousand bytes.
pub type Verdicts = ArrayVec<Verdict, { limits::RESOURCES }>;

/// The layer and, where one decided, the statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// The layer that decided; `None` where no layer was asked (an unknown principal).
    pub layer: Option<Layer>,
    /// The statement that decided; `None` for an implicit deny and for the account's owner.
    pub statement: Option<StatementId>,
}

/// The verdict of one resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// What evaluation came to.
    pub outcome: Outcome,
    /// What decided.
    pub cause: Cause,
}

/// What whoever enforces an ALLOW must do (security 3.6).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Obligations {
    /// `must_filter_tags`: which of the request's tags, bit `n` for the `n`-th of `TagWrite::set`.
    /// `None`: no such obligation.
    pub filter_tags: Option<u32>,
    /// `filter_results`.
    pub filter_results: bool,
}

impl Obligations {
    /// None.
    pub(super) const NONE: Self = Self {
        filter_tags: None,
        filter_results: false,
    };

    /// Whether there is any.
    pub fn is_empty(&self) -> bool {
        self.filter_tags.is_none() && !self.filter_results
    }

    /// What both bring together.
    #[must_use]
    pub(super) fn and(self, other: Self) -> Self {
        let filter_tags = match (self.filter_tags, other.filter_tags) {
            (Some(own), Some(further)) => Some(own | further),
            (own, further) => own.or(further),
        };
        Self {
            filter_tags,
            filter_results: self.filter_results || other.filter_results,
        }
    }

    /// How much they ask: the fewest first, of as many one that need not filter the result.
    pub(super) fn weight(self) -> u8 {
        let (tags, results) = (self.filter_tags.is_some(), self.filter_results);
        2 * (u8::from(tags) + u8::from(results)) + u8::from(results)
    }
}

/// A request that is not decided. Never an ALLOW, never a DENY.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Refused {
    /// Why.
    pub reason: RefusalReason,
    /// What it is about, where one part of the request can be named.
    pub subject: Option<Subject>,
}

/// The part of a request that a refusal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// The resource at this place.
    Resource(usize),
    /// The key that a condition of this statement reads, by its place in the statement.
    Condition {
        /// The statement.
        statement: StatementId,
        /// The place of the condition in it.
        place: u16,
    },
}
