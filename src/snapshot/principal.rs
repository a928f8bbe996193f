//! Principals as records: which policies they have, by scope. Nothing here depends on what a
//! policy says, so that changing a policy leaves every record as it is.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;

use super::copied::differing;
use super::symbol::Symbol;
use super::table::PolicyId;
use crate::model::account::RoleKind;

/// How many copy-on-write shards there are: adding a principal copies one.
const SHARDS: usize = 4_096;

/// A user or a role of a known account.
#[derive(Debug, Clone)]
pub struct Principal {
    /// Its account.
    pub account: Symbol,
    /// User or role.
    pub kind: PrincipalKind,
    /// Its policies and its groups' policies at the scope of resource groups.
    pub grouped: Box<[GroupGrants]>,
    /// How long its name is, and its number, if it has one.
    name: u32,
    uid: Option<u32>,
    /// Its name, its number, and the ids of its policies and its groups' policies at account scope:
    /// what one decision reads stands together.
    record: Box<[u8]>,
}

/// What is said of a principal that is put into a table.
#[derive(Debug)]
pub(crate) struct Said<'a> {
    pub(crate) account: Symbol,
    pub(crate) kind: PrincipalKind,
    pub(crate) name: &'a str,
    pub(crate) uid: Option<&'a str>,
    pub(crate) policies: &'a [PolicyId],
    pub(crate) grouped: Box<[GroupGrants]>,
}

impl Principal {
    /// Its record.
    pub(crate) fn new(said: Said<'_>) -> Self {
        let Said {
            account,
            kind,
            name,
            uid,
            policies,
            grouped,
        } = said;
        // INVARIANT: no name is longer.
        let length = |text: &str| u32::try_from(text.len()).unwrap_or(u32::MAX);
        let ids = policies.iter().flat_map(|id| id.0.to_le_bytes());
        let texts = name.bytes().chain(uid.unwrap_or_default().bytes());
        Self {
            account,
            kind,
            grouped,
            name: length(name),
            uid: uid.map(length),
            record: texts.chain(ids).collect(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &[u8] {
        self.record.get(..place(self.name)).unwrap_or_default()
    }

    /// Its number, if it has one.
    pub fn uid(&self) -> Option<&[u8]> {
        let from = place(self.name);
        self.record.get(from..from + place(self.uid?))
    }

    /// Its policies and its groups' policies at account scope.
    #[inline]
    pub fn policies(&self) -> impl ExactSizeIterator<Item = PolicyId> + '_ {
        let from = place(self.name) + place(self.uid.unwrap_or_default());
        let (ids, _) = self.record.get(from..).unwrap_or_default().as_chunks();
        ids.iter().map(|id| PolicyId(u32::from_le_bytes(*id)))
    }
}

fn place(length: u32) -> usize {
    usize::try_from(length).unwrap_or(usize::MAX)
}

/// What a principal has at the scope of one resource group.
#[derive(Debug, Clone)]
pub struct GroupGrants {
    /// The resource group.
    pub group: Symbol,
    /// The policies.
    pub policies: Box<[PolicyId]>,
}

/// User or role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PrincipalKind {
    /// A RAM user.
    User,
    /// A RAM role.
    Role(RoleKind),
}

impl PrincipalKind {
    fn is_role(self) -> bool {
        match self {
            Self::User => false,
            Self::Role(_) => true,
        }
    }
}

/// All principals, in shards by the hash of account, kind and name.
#[derive(Debug, Clone)]
pub struct PrincipalTable {
    shards: Arc<[Arc<HashTable<Principal>>]>,
    hasher: foldhash::fast::RandomState,
    length: usize,
}

impl Default for PrincipalTable {
    fn default() -> Self {
        let empty = Arc::new(HashTable::new());
        Self {
            shards: vec![empty; SHARDS].into(),
            hasher: foldhash::fast::RandomState::default(),
            length: 0,
        }
    }
}

impl PrincipalTable {
    pub(super) fn copied_from(&self, other: &Self) -> usize {
        differing(&*self.shards, &*other.shards)
    }

    /// Finds a user by account and name.
    pub fn user(&self, account: &str, name: &str) -> Option<&Principal> {
        self.find(account, Sort::User, name)
    }

    /// Finds a role by account and name.
    pub fn role(&self, account: &str, name: &str) -> Option<&Principal> {
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

    fn find(&self, account: &str, sort: Sort, name: &str) -> Option<&Principal> {
        let hash = hash(&self.hasher, account, sort, name.as_bytes());
        self.shards.get(shard(hash))?.find(hash, |known| {
            known.name() == name.as_bytes()
                && *known.account == *account
                && Sort::of(known.kind) == sort
        })
    }

    /// Adds a principal, in place of one of the same name.
    pub(crate) fn insert(&mut self, principal: Principal) {
        let (hasher, sort) = (self.hasher.clone(), Sort::of(principal.kind));
        let key = hash(&hasher, &principal.account, sort, principal.name());
        let Some(shard) = Arc::make_mut(&mut self.shards).get_mut(shard(key)) else {
            return;
        };
        let same = |known: &Principal| {
            known.name() == principal.name()
                && known.account == principal.account
                && Sort::of(known.kind) == sort
        };
        let rehash =
            |known: &Principal| hash(&hasher, &known.account, Sort::of(known.kind), known.name());
        match Arc::make_mut(shard).entry(key, same, rehash) {
            hashbrown::hash_table::Entry::Occupied(mut entry) => *entry.get_mut() = principal,
            hashbrown::hash_table::Entry::Vacant(entry) => {
                entry.insert(principal);
                self.length += 1;
            }
        }
    }

    /// Removes a principal, if it is there.
    pub(crate) fn remove(&mut self, account: &str, sort: Sort, name: &str) {
        if self.find(account, sort, name).is_none() {
            return;
        }
        let key = hash(&self.hasher, account, sort, name.as_bytes());
        let Some(shard) = Arc::make_mut(&mut self.shards).get_mut(shard(key)) else {
            return;
        };
        let found = Arc::make_mut(shard).find_entry(key, |known| {
            known.name() == name.as_bytes()
                && *known.account == *account
                && Sort::of(known.kind) == sort
        });
        if let Ok(entry) = found {
            entry.remove();
            self.length -= 1;
        }
    }
}

/// Users and roles may bear one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Sort {
    User,
    Role,
}

impl Sort {
    fn of(kind: PrincipalKind) -> Self {
        if kind.is_role() {
            Self::Role
        } else {
            Self::User
        }
    }
}

fn hash(hasher: &foldhash::fast::RandomState, account: &str, sort: Sort, name: &[u8]) -> u64 {
    hasher.hash_one((account, sort, name))
}

/// The table inside a shard uses the low and the highest bits of the hash; the shard those between.
fn shard(hash: u64) -> usize {
    usize::try_from((hash >> 40) % SHARDS as u64).unwrap_or_default()
}
