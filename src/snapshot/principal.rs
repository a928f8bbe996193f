//! Principals: which policies they have, by scope. Nothing here depends on what a policy says, so
//! that changing a policy leaves every record as it is.
//!
//! A look-up goes to the slot of a name and to its record, and both are bytes of one piece of memory:
//! with many principals each place that it goes to is a read that no cache answers.

mod record;
mod shard;

pub(crate) use self::record::{GroupGrants, Said};
pub use self::record::{GroupPolicies, Principal};

use std::hash::BuildHasher;
use std::sync::Arc;

use self::shard::{Fate, Shard, Touch};
use super::copied::differing;
use crate::model::account::RoleKind;

/// How many copy-on-write shards there are: adding a principal makes one anew.
const SHARDS: usize = 1_024;

/// User or role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// A RAM user.
    User,
    /// A RAM role.
    Role(RoleKind),
}

/// Users and roles may bear one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Sort {
    User,
    Role,
}

impl PrincipalKind {
    fn sort(self) -> Sort {
        match self {
            Self::User => Sort::User,
            Self::Role(_) => Sort::Role,
        }
    }
}

/// Some kind of this sort.
impl From<Sort> for PrincipalKind {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::User => Self::User,
            Sort::Role => Self::Role(RoleKind::Plain),
        }
    }
}

/// What tells principals apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Identity<'a> {
    pub(crate) account: &'a [u8],
    pub(crate) sort: Sort,
    pub(crate) name: &'a [u8],
}

/// All principals, in shards by the hash of their identities.
#[derive(Debug, Clone)]
pub struct PrincipalTable {
    shards: Arc<[Shard]>,
    hasher: foldhash::fast::RandomState,
    length: usize,
}

impl Default for PrincipalTable {
    fn default() -> Self {
        Self {
            shards: vec![Shard::default(); SHARDS].into(),
            hasher: foldhash::fast::RandomState::default(),
            length: 0,
        }
    }
}

impl PrincipalTable {
    pub(super) fn copied_from(&self, other: &Self) -> usize {
        let own = self.shards.iter().map(Shard::bytes);
        differing(own, other.shards.iter().map(Shard::bytes))
    }

    /// Finds a user by account and name.
    pub fn user(&self, account: &str, name: &str) -> Option<Principal<'_>> {
        self.find(account, Sort::User, name)
    }

    /// Finds a role by account and name.
    pub fn role(&self, account: &str, name: &str) -> Option<Principal<'_>> {
        self.find(account, Sort::Role, name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    fn find(&self, account: &str, sort: Sort, name: &str) -> Option<Principal<'_>> {
        let identity = Identity {
            account: account.as_bytes(),
            sort,
            name: name.as_bytes(),
        };
        let hash = self.hasher.hash_one(identity);
        self.shards.get(shard(hash))?.find(hash, &identity)
    }

    /// Takes over what was noted; of several notes about one principal, the last.
    pub(crate) fn apply(&mut self, changes: &PrincipalChanges) {
        let mut touches: Vec<Touch<'_>> = changes.touches(&self.hasher).collect();
        touches.sort_by_key(|touch| shard(touch.hash));
        let shards = Arc::make_mut(&mut self.shards);
        for alike in touches.chunk_by(|one, other| shard(one.hash) == shard(other.hash)) {
            let place = alike.first().map(|touch| shard(touch.hash));
            if let Some(known) = place.and_then(|place| shards.get_mut(place)) {
                let made = known.with(alike);
                self.length = self.length + made.len() - known.len();
                *known = made;
            }
        }
    }
}

/// What is to be changed in a table, in the order in which it was said: a shard is made anew once.
#[derive(Debug, Default)]
pub(crate) struct PrincipalChanges {
    records: Vec<u8>,
    ends: Vec<(usize, Fate)>,
}

impl PrincipalChanges {
    /// A principal is there, in place of one of the same name.
    pub(crate) fn insert(&mut self, said: &Said<'_>) {
        said.write(&mut self.records);
        self.ends.push((self.records.len(), Fate::Kept));
    }

    /// A principal is gone, if it was there.
    pub(crate) fn remove(&mut self, account: &str, sort: Sort, name: &str) {
        Said::bare(account, sort.into(), name).write(&mut self.records);
        self.ends.push((self.records.len(), Fate::Gone));
    }

    fn touches<'a>(
        &'a self,
        hasher: &'a foldhash::fast::RandomState,
    ) -> impl Iterator<Item = Touch<'a>> {
        let mut from = 0;
        self.ends.iter().filter_map(move |(end, fate)| {
            let record = self.records.get(from..*end)?;
            from = *end;
            let identity = Principal::read(record)?.identity();
            Some(Touch {
                hash: hasher.hash_one(identity),
                record,
                fate: *fate,
            })
        })
    }
}

/// The table inside a shard uses the low bits of the hash; the shard those above.
fn shard(hash: u64) -> usize {
    usize::try_from((hash >> 40) % SHARDS as u64).unwrap_or_default()
}
