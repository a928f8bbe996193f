//! What governs writes of tags at one moment: rules in force, limits, tag policies. Everything is
//! read from one snapshot.

mod policy;

pub(super) use policy::Repair;

use std::cell::OnceCell;
use std::collections::HashSet;

use crate::engine::compliance::{TypeSources, resource_type};
use crate::model::arn::ResourceName;
use crate::model::inheritance::{RuleDefinition, RuleId, RuleSetting};
use crate::model::resource::LiveResource;
use crate::model::settings::TypeLimits;
use crate::snapshot::Snapshot;
use crate::snapshot::condition::Key;

/// What one snapshot says about writing tags.
#[derive(Debug)]
pub struct Law<'s> {
    snapshot: &'s Snapshot,
    /// The keys that policies name; collected when a resource first overflows.
    named: OnceCell<HashSet<&'s str>>,
}

impl<'s> Law<'s> {
    /// What a snapshot says.
    pub fn new(snapshot: &'s Snapshot) -> Self {
        Self {
            snapshot,
            named: OnceCell::new(),
        }
    }

    /// The type of a resource, in lower case; empty: nobody tells it.
    pub fn kind(&self, resource: &LiveResource) -> String {
        let sources = TypeSources {
            name: ResourceName::Arn(resource.arn.fields()),
            stored: resource.kind.as_deref(),
            sent: "",
        };
        let kind = resource_type(&self.snapshot.catalog, &[], &sources);
        kind.ok().flatten().unwrap_or_default().into_owned()
    }

    /// What a rule is.
    pub fn definition(&self, rule: &RuleId) -> Option<&'s RuleDefinition> {
        self.snapshot.inheritance.definitions.get(rule)
    }

    /// The setting of a rule for a resource that would inherit, where it is in force: the feature
    /// is on in the account that owns it, the rule is enabled, and it works in the region.
    pub(super) fn in_force(&self, rule: &RuleId, associated: &LiveResource) -> Option<InForce<'s>> {
        let own = self.snapshot.inheritance.of(associated.owner())?;
        let setting = own.in_force(rule)?;
        let region = associated.region()?;
        // tag-policy 8: "it works only in the regions of the catalog's list".
        let mut listed = self.snapshot.catalog.regions.iter();
        let works = listed.any(|known| **known == *region)
            && own
                .regions
                .as_deref()
                .is_none_or(|own| own.iter().any(|known| **known == *region));
        let definition = self.definition(rule)?;
        works.then_some(InForce {
            definition,
            setting,
        })
    }

    /// What tags a resource may carry.
    pub fn limits(&self, resource: &LiveResource) -> TypeLimits {
        let limits = &self.snapshot.settings.tag_limits;
        limits.of(&self.kind(resource))
    }

    /// How many places of a resource are kept for inheritance and administrators.
    pub(super) fn reserve(&self) -> usize {
        self.snapshot.settings.reserve_tags.0
    }

    /// security 5.2: "Keys in `protected_tag_keys` are never overwritten or removed by them".
    pub(super) fn is_protected(&self, key: &str) -> bool {
        self.snapshot.settings.protected_tag_keys.holds(key)
    }

    /// Whether a RAM policy or a tag policy names a key (security 5.4). Whose policy it is does not
    /// matter: that somebody relies on a key is enough to keep a place for it.
    pub(super) fn is_named(&self, key: &str) -> bool {
        let named = self.named.get_or_init(|| self.collect_named());
        named.contains(key)
    }

    fn collect_named(&self) -> HashSet<&'s str> {
        let statements = self.snapshot.policies.iter();
        let statements = statements.flat_map(|policy| policy.statements().iter());
        let conditions = statements.flat_map(|statement| statement.conditions.iter());
        let by_ram = conditions.filter_map(|condition| match &condition.key {
            Key::Tag(tag) => Some(&*tag.key),
            Key::CurrentTime
            | Key::SourceIp
            | Key::SecureTransport
            | Key::MfaPresent
            | Key::PrincipalArn
            | Key::ResourceGroupId
            | Key::Action
            | Key::Resource
            | Key::Context(_) => None,
        });
        let accounts = self.snapshot.tags.accounts();
        let by_tag_policy = accounts.flat_map(|node| {
            let statements = node.policies.report.policy.statements.iter();
            statements.map(|statement| &*statement.tag_key)
        });
        by_ram.chain(by_tag_policy).collect()
    }
}

/// A rule that is in force for one resource.
#[derive(Debug, Clone, Copy)]
pub(super) struct InForce<'s> {
    pub(super) definition: &'s RuleDefinition,
    pub(super) setting: &'s RuleSetting,
}
