//! What is left to do after a change: values that a store keeps until they are done.
//!
//! Each step reads the state as it is when it runs, so that a step that is done again writes
//! nothing new, and work that was left by several changes ends in one state.

use std::sync::Arc;

use crate::model::arn::{AccountId, Arn};
use crate::model::inheritance::{Authority, RuleId, TagScope};
use crate::model::resource::{Link, Version};

/// One piece of work, kept durably with the change that left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Work {
    /// A change of a primary is to reach the resources that are associated with it.
    Sweep(Sweep),
    /// A rule that came into force is to fill the associations that were there.
    Backfill(Backfill),
    /// Tags of a rule that is no longer in force stay, and lose their provenance.
    Forget(Forget),
}

impl Work {
    /// What it is, in a word.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sweep(_) => "sweep",
            Self::Backfill(_) => "back-fill",
            Self::Forget(_) => "forget",
        }
    }

    /// Whose rules it is about; a change of a primary may meet any of its account's.
    pub fn account(&self) -> Option<&AccountId> {
        match self {
            Self::Sweep(_) => None,
            Self::Backfill(backfill) => Some(&backfill.account),
            Self::Forget(forget) => Some(&forget.account),
        }
    }

    /// Whether it ends the associations of a primary that was removed.
    pub fn ends(&self, arn: &Arn) -> bool {
        match self {
            Self::Sweep(sweep) => sweep.change == PrimaryChange::Removed && sweep.primary == *arn,
            Self::Backfill(_) | Self::Forget(_) => false,
        }
    }
}

/// A change of a primary on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sweep {
    /// The resource that changed.
    pub primary: Arn,
    /// What became of it.
    pub change: PrimaryChange,
    /// The last association that was reached.
    pub after: Option<Link>,
    /// The resources that the change came through, the first one first: none of them is written
    /// again, so that a cycle ends.
    pub path: Vec<Arn>,
    /// On whose behalf it goes on.
    pub cause: Cause,
}

/// What became of a primary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrimaryChange {
    /// Its tags of these keys were written or removed.
    Edited(Touched),
    /// It was removed, and its associations end.
    Removed,
}

/// On whose behalf tags are written. The default: an administrator's, on the authority of rules.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cause {
    /// The principal whose call it was, as it is to be asked again; `None`: the server's own
    /// inventory, or an administrator. An empty text is somebody who is not known any more, and who
    /// may do nothing.
    pub principal: Option<Arc<str>>,
    /// Whether each resource is checked like that principal's own tag write, whatever the rule
    /// says (security 5.1: associations, and moves between groups).
    pub authority: Authority,
}

/// Keys that an edit named, in the order of bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touched(Box<[Arc<str>]>);

impl Touched {
    /// The keys, sorted and without repetition.
    pub fn new(keys: impl IntoIterator<Item = Arc<str>>) -> Self {
        let mut keys: Vec<Arc<str>> = keys.into_iter().collect();
        keys.sort_unstable();
        keys.dedup();
        Self(keys.into_boxed_slice())
    }

    /// The keys.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<str>> {
        self.0.iter()
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
    /// On whose behalf it is done.
    pub cause: Cause,
    /// How far it is.
    pub progress: Progress,
}

/// How far a piece of work is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// How many associations of the directory were looked at.
    pub seen: u64,
    /// How many of them were of the rule.
    pub filled: u64,
    /// How many tags could not be written.
    pub failed: u64,
}

/// The forgetting of where tags came from (tag-policy 7, rule 44). Until it is done, whoever writes
/// a resource that was not written since forgets first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forget {
    /// The account.
    pub account: AccountId,
    /// The rule; `None`: all, because the feature was turned off.
    pub rule: Option<RuleId>,
    /// The keys that the rule goes on to carry; `None`: no key.
    pub kept: Option<TagScope>,
    /// The change that took the rule out of force: what was written later is not forgotten.
    pub at: Version,
    /// The last association that was looked at.
    pub after: Option<Link>,
}
