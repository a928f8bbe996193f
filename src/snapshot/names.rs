//! Policies by the names that answers tell: what a change finds their places by.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;

use super::copied::differing;
use super::symbol::Symbol;
use super::table::PolicyId;

/// How many copy-on-write shards there are.
const SHARDS: usize = 256;

/// The places of all policies, by account and name (`custom:Dev`). Shared ones and those on resources
/// have the empty account.
#[derive(Debug, Clone)]
pub struct PolicyNames {
    shards: Arc<[Arc<HashTable<Entry>>]>,
    hasher: foldhash::fast::RandomState,
}

#[derive(Debug, Clone)]
struct Entry {
    account: Symbol,
    name: Symbol,
    id: PolicyId,
}

impl Default for PolicyNames {
    fn default() -> Self {
        Self {
            shards: vec![Arc::default(); SHARDS].into(),
            hasher: foldhash::fast::RandomState::default(),
        }
    }
}

impl PolicyNames {
    pub(super) fn copied_from(&self, other: &Self) -> usize {
        differing(&*self.shards, &*other.shards)
    }

    /// The place of a policy.
    pub fn get(&self, account: &str, name: &str) -> Option<PolicyId> {
        let hash = self.hasher.hash_one((account, name));
        let shard = self.shards.get(shard(hash))?;
        let found = shard.find(hash, |known| known.is(account, name));
        found.map(|known| known.id)
    }

    /// Names a policy that had no name.
    pub(crate) fn insert(&mut self, account: Symbol, name: Symbol, id: PolicyId) {
        let hasher = &self.hasher;
        let hash = hasher.hash_one((&*account, &*name));
        if let Some(shard) = Arc::make_mut(&mut self.shards).get_mut(shard(hash)) {
            let entry = Entry { account, name, id };
            let rehash = |known: &Entry| hasher.hash_one((&*known.account, &*known.name));
            Arc::make_mut(shard).insert_unique(hash, entry, rehash);
        }
    }

    /// Forgets a name, and tells whose it was.
    pub(crate) fn remove(&mut self, account: &str, name: &str) -> Option<PolicyId> {
        self.get(account, name)?;
        let hash = self.hasher.hash_one((account, name));
        let shard = Arc::make_mut(&mut self.shards).get_mut(shard(hash))?;
        let entry = Arc::make_mut(shard)
            .find_entry(hash, |known| known.is(account, name))
            .ok()?;
        let (removed, _) = entry.remove();
        Some(removed.id)
    }
}

impl Entry {
    fn is(&self, account: &str, name: &str) -> bool {
        *self.name == *name && *self.account == *account
    }
}

/// The table inside a shard uses the low and the highest bits of the hash; the shard those between.
fn shard(hash: u64) -> usize {
    usize::try_from((hash >> 40) % SHARDS as u64).unwrap_or_default()
}
