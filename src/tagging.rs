//! The tag directory as a state machine: what a call, or a step of work that an earlier one left,
//! writes (tag-policy 3 to 5 and 7, security 4 and 5).
//!
//! Everything is worked out on a [`View`] of the directory at one moment; the result is a
//! [`Plan`]: writes, which a writer commits whole, what was refused or held back, and the work that
//! is left. The same view and the same call give the same plan, so a writer that finds a version
//! changed asks again.
//!
//! ```text
//! call ──> named resources: shape, permission, interception, quota ──> writes
//!                                                                        │ edits of primaries
//!                     associated resources, breadth first  <─────────────┘
//!                     each one pass: association, rg_inherit, correction
//! ```
//!
//! Not here: keeping resources (`directory`), committing (`source`), and who may call (`service`).

mod associate;
mod event;
mod group;
mod inventory;
mod law;
mod memory;
mod predefined;
mod remediate;
mod rule;
pub mod shape;
mod target;
mod view;
mod work;
mod write;

pub use event::{MAX_CHAIN, group_arns, settled};
pub use inventory::{Description, Said};
pub use law::Law;
pub use memory::Memory;
pub use predefined::{Predefining, check_predefined, predefine, undefine};
pub use rule::{RuleChange, rule_changes};
pub use view::{Overlay, View};
pub use write::{Hand, Keys};

use std::sync::Arc;

use self::event::{Event, Outcome};
use self::shape::CallFault;
use crate::model::inheritance::Authority;
use crate::model::resource::{LiveResource, Version};
use crate::model::tag::TagRef;
use crate::model::tagging::{Cause, Failure, FailureCode, Plan};

/// How many associations one call or step reaches; the rest is left as work.
pub const STEP: usize = 256;
/// The same where each resource needs the principal's permission (security 5.1).
pub const CHECKED_STEP: usize = 50;

/// Whoever says whether the one who acts may write these tags of a resource as it is now.
pub trait Gate {
    /// Says so.
    ///
    /// # Errors
    ///
    /// The code that the one who acts is told.
    fn check(&self, resource: &LiveResource, edit: &Edit<'_>) -> Result<(), FailureCode>;

    /// Says whether the one who acts may tag a resource at all, whatever the tags: for what names
    /// none now, and may bring some later.
    ///
    /// # Errors
    ///
    /// As [`Self::check`].
    fn check_at_all(&self, resource: &LiveResource) -> Result<(), FailureCode>;
}

/// What a write does to the tags of one resource.
#[derive(Debug, Clone, Copy)]
pub struct Edit<'e> {
    /// The tags that are added or overwritten.
    pub set: &'e [TagRef<'e>],
    /// The keys that are removed.
    pub removed: &'e [&'e str],
}

/// A gate that lets everything pass: of offline commands, and of the inventory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Open;

impl Gate for Open {
    fn check(&self, _: &LiveResource, _: &Edit<'_>) -> Result<(), FailureCode> {
        Ok(())
    }

    fn check_at_all(&self, _: &LiveResource) -> Result<(), FailureCode> {
        Ok(())
    }
}

/// Somebody who acts, on the directory as it is at one moment.
#[derive(Debug)]
pub struct Actor<'a, 's, V, G> {
    /// The directory.
    pub view: &'a V,
    /// What governs it.
    pub law: &'a Law<'s>,
    /// What the one who acts may do.
    pub gate: &'a G,
    /// The principal, as background work is to name it.
    pub principal: Option<Arc<str>>,
    /// The number of the change that is worked out.
    pub at: Version,
}

/// Why a call comes to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// It is malformed.
    #[error("{0}")]
    Shape(#[from] CallFault),
    /// One resource is refused, and so the call is.
    #[error("refused: {}", told(.0))]
    Refused(Vec<Failure>),
}

fn told(failures: &[Failure]) -> String {
    let one = |failure: &Failure| format!("{} ({})", failure.arn, failure.code);
    failures.iter().map(one).collect::<Vec<_>>().join(", ")
}

impl<'a, 's, V: View, G: Gate> Actor<'a, 's, V, G> {
    /// An event that writes on the authority of the rules.
    fn event(&self) -> Event<'a, 's, V, G> {
        self.event_by(Authority::ServiceRole, STEP)
    }

    /// An event whose every write the principal must be allowed.
    fn checked_event(&self) -> Event<'a, 's, V, G> {
        self.event_by(Authority::Principal, CHECKED_STEP)
    }

    fn event_by(&self, authority: Authority, budget: usize) -> Event<'a, 's, V, G> {
        let cause = Cause {
            principal: self.principal.clone(),
            authority,
        };
        Event::new(self.view, self.law, self.gate, cause, self.at, budget)
    }
}

/// The plan of a call in which each resource fails alone.
fn partial(outcome: Outcome) -> Plan {
    let Outcome { mut plan, denied } = outcome;
    plan.held_back.extend(denied);
    plan
}

/// security 5.1: "one refused makes the call fail".
fn whole(outcome: Outcome) -> Result<Plan, CallError> {
    let Outcome { plan, mut denied } = outcome;
    denied.extend_from_slice(&plan.refused);
    if denied.is_empty() {
        Ok(plan)
    } else {
        Err(CallError::Refused(denied))
    }
}
