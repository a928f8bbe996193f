//! Policies by the names that answers tell: what a change finds their places by.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{HashMap, HashTable};

use super::copied::differing;
use super::symbol::Symbol;
use super::table::{PolicyId, PolicyTable};

/// The places of all policies, by account and name (`custom:Dev`). Shared ones and those on resources
/// have the empty account. The names themselves stand in the policies.
#[derive(Debug, Clone, Default)]
pub struct PolicyNames {
    accounts: Arc<HashMap<Symbol, Arc<HashTable<PolicyId>>>>,
    hasher: foldhash::fast::RandomState,
}

impl PolicyNames {
    pub(super) fn copied_from(&self, other: &Self) -> usize {
        let own = self.accounts.iter().map(|(account, ids)| {
            let others = other.accounts.get(account);
            differing([ids], others)
        });
        own.sum()
    }

    /// The place of a policy of `policies`.
    pub fn get(&self, policies: &PolicyTable, account: &str, name: &str) -> Option<PolicyId> {
        let ids = self.accounts.get(account)?;
        let hash = self.hasher.hash_one(name);
        let found = ids.find(hash, |id| name_of(policies, *id) == name);
        found.copied()
    }

    /// Makes place for so many names of an account, so that they need not be read again and again
    /// while it grows.
    pub(crate) fn reserve(&mut self, policies: &PolicyTable, account: Symbol, more: usize) {
        let hasher = &self.hasher;
        let accounts = Arc::make_mut(&mut self.accounts);
        let ids = Arc::make_mut(accounts.entry(account).or_default());
        ids.reserve(more, |id| hasher.hash_one(name_of(policies, *id)));
    }

    /// Takes up a policy whose name was not there.
    pub(crate) fn insert(&mut self, policies: &PolicyTable, account: Symbol, id: PolicyId) {
        let hasher = &self.hasher;
        let accounts = Arc::make_mut(&mut self.accounts);
        let ids = Arc::make_mut(accounts.entry(account).or_default());
        let hash = |id: &PolicyId| hasher.hash_one(name_of(policies, *id));
        ids.insert_unique(hash(&id), id, hash);
    }

    /// Forgets a name while the policy still stands in `policies`, and tells its place.
    pub(crate) fn remove(
        &mut self,
        policies: &PolicyTable,
        account: &str,
        name: &str,
    ) -> Option<PolicyId> {
        self.get(policies, account, name)?;
        let hash = self.hasher.hash_one(name);
        let accounts = Arc::make_mut(&mut self.accounts);
        let ids = Arc::make_mut(accounts.get_mut(account)?);
        let entry = ids.find_entry(hash, |id| name_of(policies, *id) == name);
        let (id, _) = entry.ok()?.remove();
        if ids.is_empty() {
            accounts.remove(account);
        }
        Some(id)
    }
}

fn name_of(policies: &PolicyTable, id: PolicyId) -> &str {
    policies.get(id).map_or("", |policy| policy.name())
}
