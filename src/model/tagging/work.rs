//! What is left to do after a change: values that a store keeps until they are done.
//!
//! Each step reads the state as it is when it runs, so that a step that is done again writes
//! nothing new, and work that was left by several changes ends in one state.

use std::sync::Arc;

use crate::model::arn::{AccountId, Arn};
use crate::model::inheritance::RuleId;
use crate::model::resource::Link;

/// One piece of work, kept durably with the change that left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// An edit of a primary is to reach the resources that are associated with it.
    Sweep(Sweep),
    /// A rule that was enabled is to fill the associations that were there.
    Backfill(Backfill),
}

/// An edit of a primary on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// The resource whose tags were edited.
    pub primary: Arn,
    /// The keys that the edit named.
    pub touched: Touched,
    /// The last association that it reached.
    pub after: Option<Link>,
    /// The resources that the edit came through, the first one first: none of them is written
    /// again, so that a cycle ends.
    pub path: Vec<Arn>,
}

/// Keys that an edit named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touched(pub Box<[Arc<str>]>);

impl Touched {
    /// The keys, in the order of bytes and without repetition.
    pub fn new(keys: impl IntoIterator<Item = Arc<str>>) -> Self {
        let mut keys: Vec<Arc<str>> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        Self(keys.into_boxed_slice())
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// The filling of associations that are older than their rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backfill {
    /// The account.
    pub account: AccountId,
    /// The rule.
    pub rule: RuleId,
    /// The last association that was looked at.
    pub after: Option<Link>,
    /// How far it is.
    pub progress: Progress,
}

/// How far a piece of work is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many associations were filled.
    pub filled: u64,
    /// How many tags could not be written.
    pub failed: u64,
}
