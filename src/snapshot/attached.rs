//! Policies attached to resources: found for a resource and for what stands above it.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{HashMap, HashTable};

use super::copied::differing;
use super::symbol::Symbol;
use super::table::PolicyId;
use crate::model::arn::ArnRef;

/// The deepest that a policy may be attached, in segments of the relative id.
pub const MAX_DEPTH: usize = 16;

/// How many copy-on-write shards the resources of a service have.
const SHARDS: usize = 256;

/// Resource-based and trust policies, by what they are attached to (security 2.8).
#[derive(Debug, Clone, Default)]
pub struct AttachedTable {
    services: Arc<HashMap<Symbol, Shards>>,
    hasher: foldhash::fast::RandomState,
    /// No policy is attached deeper.
    depth: usize,
    /// How many policies are attached.
    length: usize,
}

/// The resources of one service, by relative id.
type Shards = Arc<[Arc<HashTable<Resource>>]>;

/// A resource, with what is attached to it.
type Resource = (Symbol, Arc<[Attached]>);

/// One policy on one resource.
#[derive(Debug, Clone)]
pub struct Attached {
    /// The owner of the resource; empty: any.
    pub account: Symbol,
    /// The region of the resource; empty or `*`: any.
    pub region: Symbol,
    /// The name of the policy, as answers tell it.
    pub name: Symbol,
    /// The policy.
    pub policy: PolicyId,
}

impl AttachedTable {
    pub(super) fn copied_from(&self, other: &Self) -> usize {
        let own = self.services.iter().map(|(service, shards)| {
            let others = other.services.get(service);
            differing(&**shards, others.into_iter().flat_map(|shards| &**shards))
        });
        own.sum()
    }

    /// Whether nothing is attached to any resource.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Whether anything is attached to a resource of a service.
    pub fn has_service(&self, service: &str) -> bool {
        let shards = self.services.get(service);
        shards.is_some_and(|shards| shards.iter().any(|shard| !shard.is_empty()))
    }

    /// The policies on a resource of `owner`, and on what stands above it.
    pub fn find<'a>(
        &'a self,
        arn: ArnRef<'a>,
        owner: &'a str,
    ) -> impl Iterator<Item = PolicyId> + 'a {
        let service = self.services.get(arn.service());
        let depth = self.depth;
        service
            .into_iter()
            .flat_map(move |shards| {
                prefixes(arn.id())
                    .take(depth)
                    .filter_map(move |id| self.on(shards, id))
            })
            .flat_map(|list| list.iter())
            .filter(move |attached| attached.covers(arn.region(), owner))
            .map(|attached| attached.policy)
    }

    fn on<'a>(&self, shards: &'a Shards, id: &str) -> Option<&'a Arc<[Attached]>> {
        let hash = self.hasher.hash_one(id);
        let shard = shards.get(shard(hash))?;
        shard
            .find(hash, |(known, _)| **known == *id)
            .map(|(_, list)| list)
    }

    /// Attaches a policy. Those of one resource are in the order of their sorts, accounts and names,
    /// whatever came first.
    pub(crate) fn insert(&mut self, service: &Symbol, id: Symbol, attached: Attached) {
        self.depth = self.depth.max(id.split('/').count());
        self.change(service, id, |list| {
            let place = list.partition_point(|known| known.order() < attached.order());
            list.insert(place, attached);
        });
    }

    /// Takes a policy off a resource.
    pub(crate) fn remove(&mut self, service: &Symbol, id: Symbol, policy: PolicyId) {
        self.change(service, id, |list| {
            list.retain(|known| known.policy != policy);
        });
    }

    fn change(&mut self, service: &Symbol, id: Symbol, change: impl FnOnce(&mut Vec<Attached>)) {
        let services = Arc::make_mut(&mut self.services);
        let empty = || vec![Arc::default(); SHARDS].into();
        let shards: &mut Shards = services.entry(Arc::clone(service)).or_insert_with(empty);
        let (hasher, hash) = (&self.hasher, self.hasher.hash_one(&*id));
        let Some(shard) = Arc::make_mut(shards).get_mut(shard(hash)) else {
            return;
        };
        let shard = Arc::make_mut(shard);
        let found = shard.find_entry(hash, |(known, _)| *known == id);
        let mut list = Vec::new();
        if let Ok(entry) = found {
            let ((_, known), _) = entry.remove();
            list.extend(known.iter().cloned());
        }
        self.length -= list.len();
        change(&mut list);
        self.length += list.len();
        if !list.is_empty() {
            let rehash = |(known, _): &Resource| hasher.hash_one(&**known);
            shard.insert_unique(hash, (id, list.into()), rehash);
        }
    }
}

/// The table inside a shard uses the low and the highest bits of the hash; the shard those between.
fn shard(hash: u64) -> usize {
    usize::try_from((hash >> 40) % SHARDS as u64).unwrap_or_default()
}

impl Attached {
    /// Trust policies before resource-based ones; then by account and name.
    fn order(&self) -> (bool, &str, &str) {
        let is_trust = self.name.starts_with("trust:");
        (!is_trust, &self.account, &self.name)
    }

    fn covers(&self, region: &str, owner: &str) -> bool {
        let open = |text: &str| matches!(text, "" | "*");
        (open(&self.region) || open(region) || *self.region == *region)
            && (self.account.is_empty() || *self.account == *owner)
    }
}

/// `a`, `a/b`, `a/b/c` of `a/b/c`.
fn prefixes(id: &str) -> impl Iterator<Item = &str> {
    id.match_indices('/')
        .filter_map(|(cut, _)| id.get(..cut))
        .chain(std::iter::once(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_policy_stands_for_its_objects_too() {
        let mut table = AttachedTable::default();
        let attached = |policy| Attached {
            account: "1".into(),
            region: "*".into(),
            name: format!("resource:{policy}").into(),
            policy: PolicyId(policy),
        };
        table.insert(&"oss".into(), "bucket".into(), attached(0));
        table.insert(&"oss".into(), "bucket/dir".into(), attached(1));
        let check = |arn: &str, owner: &str, expected: &[u32]| {
            let found: Vec<u32> = table
                .find(ArnRef::parse(arn).unwrap(), owner)
                .map(|policy| policy.0)
                .collect();
            assert_eq!(found, expected, "{arn}");
        };
        check("acs:oss:cn-hangzhou:1:bucket", "1", &[0]);
        check("acs:oss:*:1:bucket/dir/a", "1", &[0, 1]);
        check("acs:oss:*:1:bucket2", "1", &[]);
        check("acs:oss:*:2:bucket", "2", &[]);
        check("acs:ecs:*:1:bucket", "1", &[]);
    }
}
