//! What is in force, how old it is, and what was refused: what health, metrics and the management
//! channel tell.

use jiff::{SignedDuration, Timestamp};

use super::rollout::{AccountState, Counts, RefusedAccount};
use crate::document::finding::Finding;
use crate::publish::{Newest, Standing};
use crate::snapshot::Revision;

/// What is in force, and what was refused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Status {
    /// What is in force; `None` before the first bundle.
    pub live: Option<Live>,
    /// The newest bundle, if it was refused.
    pub refusal: Option<Refusal>,
    /// Since when the source has held another bundle than what is in force.
    pub stale_since: Option<Timestamp>,
}

/// What is in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// The revision.
    pub revision: Revision,
    /// When it was put into force.
    pub activated: Timestamp,
    /// How much it holds.
    pub counts: Counts,
    /// How long it decides while it is stale; `None`: for ever.
    pub max_staleness: Option<SignedDuration>,
    /// The accounts whose newest files are refused.
    pub refused_accounts: Vec<RefusedAccount>,
}

/// A bundle that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When it was seen.
    pub seen: Timestamp,
    /// All that is wrong with it.
    pub errors: Vec<Finding>,
}

impl Status {
    /// From when on nothing is decided, because what is in force is stale by then for longer than
    /// its settings allow; `None`: that is not in sight.
    pub fn expires(&self) -> Option<Timestamp> {
        self.live.as_ref()?.expires(self.stale_since?)
    }

    /// The same for those who answer.
    pub fn standing(&self) -> Standing {
        let live = self.live.as_ref();
        let is_whole = live.is_some_and(|live| live.refused_accounts.is_empty());
        Standing {
            newest: if is_whole && self.refusal.is_none() {
                Newest::InForce
            } else {
                Newest::Refused
            },
            expires: self.expires(),
        }
    }
}

impl Live {
    /// From when on what has been stale since an instant decides no more.
    pub fn expires(&self, since: Timestamp) -> Option<Timestamp> {
        expiry(since, self.max_staleness)
    }

    /// From when on nothing is decided about an account whose newest files are refused.
    pub fn expires_for(&self, account: &RefusedAccount) -> Option<Timestamp> {
        match account.state {
            AccountState::LastGood => self.expires(account.since),
            AccountState::Quarantined => Some(account.since),
        }
    }
}

/// From when on what has been stale since an instant decides no more, under a limit.
pub(super) fn expiry(since: Timestamp, limit: Option<SignedDuration>) -> Option<Timestamp> {
    // What lies beyond the calendar is never reached.
    limit.and_then(|limit| since.checked_add(limit).ok())
}
