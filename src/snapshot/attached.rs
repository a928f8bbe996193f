//! Policies attached to resources: found for a resource and for what stands above it.

use hashbrown::HashMap;

use super::symbol::Symbol;
use super::table::PolicyId;
use crate::model::arn::ArnRef;

/// The deepest that a policy may be attached, in segments of the relative id.
pub const MAX_DEPTH: usize = 16;

/// Resource-based and trust policies, by what they are attached to (security 2.8).
#[derive(Debug, Clone, Default)]
pub struct AttachedTable {
    services: HashMap<Symbol, HashMap<Symbol, Box<[Attached]>>>,
    depth: usize,
}

/// One policy on one resource.
#[derive(Debug, Clone)]
pub struct Attached {
    /// The owner of the resource; empty: any.
    pub account: Symbol,
    /// The region of the resource; empty or `*`: any.
    pub region: Symbol,
    /// The policy.
    pub policy: PolicyId,
}

impl AttachedTable {
    /// Whether nothing is attached to any resource.
    pub fn is_empty(&self) -> bool {
        self.services.is_empty()
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
            .flat_map(move |ids| {
                prefixes(arn.id())
                    .take(depth)
                    .filter_map(move |id| ids.get(id))
            })
            .flat_map(|list| list.iter())
            .filter(move |attached| attached.covers(arn.region(), owner))
            .map(|attached| attached.policy)
    }

    pub(crate) fn insert(&mut self, service: Symbol, id: Symbol, attached: Attached) {
        self.depth = self.depth.max(id.split('/').count());
        let list = self
            .services
            .entry(service)
            .or_default()
            .entry(id)
            .or_default();
        *list = list.iter().cloned().chain([attached]).collect();
    }
}

impl Attached {
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
            policy: PolicyId(policy),
        };
        table.insert("oss".into(), "bucket".into(), attached(0));
        table.insert("oss".into(), "bucket/dir".into(), attached(1));
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
