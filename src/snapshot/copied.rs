//! How much of a snapshot is its own, beside one that it was made from.

use std::sync::Arc;

use super::Snapshot;

/// What two snapshots do not share, counted in what is copied as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Copied {
    /// Chunks of policies.
    pub policies: usize,
    /// Shards of names of policies.
    pub names: usize,
    /// Shards of principals.
    pub principals: usize,
    /// Shards of what is attached to resources.
    pub attached: usize,
    /// Tables of actions, accounts, members and tag nodes.
    pub tables: usize,
    /// Effective tag policies of accounts.
    pub effective: usize,
}

impl Snapshot {
    /// What this snapshot does not share with another one.
    pub fn copied_from(&self, other: &Self) -> Copied {
        Copied {
            policies: self.policies.copied_from(&other.policies),
            names: self.names.copied_from(&other.names),
            principals: self.principals.copied_from(&other.principals),
            attached: self.attached.copied_from(&other.attached),
            tables: self.actions.copied_from(&other.actions)
                + self.accounts.copied_from(&other.accounts)
                + self.tags.copied_from(&other.tags),
            effective: self.tags.effective_copied_from(&other.tags),
        }
    }
}

/// How many of these are not the same as the others in their places.
pub(super) fn differing<'a, T: ?Sized + 'a>(
    own: impl IntoIterator<Item = &'a Arc<T>>,
    others: impl IntoIterator<Item = &'a Arc<T>>,
) -> usize {
    let mut others = others.into_iter();
    let is_own = |one: &&Arc<T>| !others.next().is_some_and(|other| Arc::ptr_eq(one, other));
    own.into_iter().filter(is_own).count()
}
