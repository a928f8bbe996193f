//! What tag policies say about a write: of a user, of inheritance, of a repair.

use std::sync::Arc;

use super::Law;
use crate::engine::compliance::{Rules, can_intercept, capabilities, validate};
use crate::engine::request::KnownGroup;
use crate::engine::tagging::{Inheritance, Operation, Question, Tagging, Tags};
use crate::model::catalog::TagCapabilities;
use crate::model::compliance::{TagHistory, ViolationCode};
use crate::model::resource::{LiveResource, Provenance};
use crate::model::tag::TagRef;
use crate::model::tag_policy::{EffectivePolicy, Section};
use crate::model::tagging::FailureCode;

/// What a repair does with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tagging) struct Repair {
    pub(in crate::tagging) key: Arc<str>,
    /// The new value, and what brings it; `None`: the tag is removed.
    pub(in crate::tagging) tag: Option<(Arc<str>, Provenance)>,
}

/// How tag policies bind a resource.
enum Binding<'s> {
    /// Nobody has any.
    Free,
    /// These do.
    By {
        policy: &'s EffectivePolicy,
        capabilities: TagCapabilities,
    },
    /// They might, and what is not known counts against the write (security 6.6).
    Closed(FailureCode),
}

impl Law<'_> {
    /// Whether inheritance or correction may write a value: no statement of what enforces finds
    /// anything wrong with it (security 5.2 and 5.3).
    pub(in crate::tagging) fn admits(&self, resource: &LiveResource, tag: TagRef<'_>) -> bool {
        let set = [tag];
        let operation = Operation::Write {
            set: &set,
            removed: &[],
        };
        let is_about = |code| match code {
            ViolationCode::KeyCase
            | ViolationCode::OverLimit
            | ViolationCode::Value
            | ViolationCode::ValueRegex => true,
            ViolationCode::Missing | ViolationCode::RgTagNotInherited => false,
        };
        let found = self.judge(resource, operation, Inheritance::Unknown, |verdict| {
            let mut found = verdict.violations.iter();
            found.any(|one| is_about(one.code) && (one.key == tag.key || one.value.is_none()))
        });
        matches!(found, Ok(Some(false) | None))
    }

    /// Whether a tag policy intercepts a user's write; the tags are those before it.
    pub(in crate::tagging) fn intercepts(
        &self,
        resource: &LiveResource,
        set: &[TagRef<'_>],
        removed: &[&str],
    ) -> Result<(), FailureCode> {
        let operation = Operation::Write { set, removed };
        let judged = self.judge(resource, operation, Inheritance::Unknown, |verdict| {
            verdict.is_intercepted()
        });
        match judged? {
            Some(true) => Err(FailureCode::TagPolicy),
            Some(false) | None => Ok(()),
        }
    }

    /// What inheritance from the group and then correction write on top of the tags that a resource
    /// has.
    pub(in crate::tagging) fn repairs(
        &self,
        resource: &LiveResource,
        group: Option<&LiveResource>,
    ) -> Vec<Repair> {
        let group = group.filter(|_| !self.is_excluded(resource));
        let group_tags: Vec<TagRef<'_>> = group.iter().flat_map(|group| group.tag_refs()).collect();
        let inheritance = match group {
            Some(_) => Inheritance::Group(Tags::Sent(&group_tags)),
            None => Inheritance::Unknown,
        };
        let repairs = self.judge(resource, Operation::Detect, inheritance, |verdict| {
            let rewrites = verdict.corrected.iter();
            let repair = |key: &str, value: Option<&str>| Repair {
                key: Arc::from(key),
                tag: value.map(|value| {
                    let by = self.bringer(resource, group, key, value);
                    (Arc::from(value), by)
                }),
            };
            rewrites.map(|one| repair(one.key, one.value)).collect()
        });
        repairs.ok().flatten().unwrap_or_default()
    }

    /// What brings a value of a repair: the group, where it has the value and its key is inherited.
    fn bringer(
        &self,
        resource: &LiveResource,
        group: Option<&LiveResource>,
        key: &str,
        value: &str,
    ) -> Provenance {
        let inherits = match self.binding(resource) {
            Binding::By { policy, .. } => policy.statements.iter().any(|statement| {
                statement.section == Section::RgInherit && *statement.tag_key == *key
            }),
            Binding::Free | Binding::Closed(_) => false,
        };
        let has = group.is_some_and(|group| group.get(key) == Some(value));
        match &resource.group {
            Some(name) if inherits && has => Provenance::Group(name.clone()),
            Some(_) | None => Provenance::Correction,
        }
    }

    /// tag-policy 3.4: "Excluded ids".
    fn is_excluded(&self, resource: &LiveResource) -> bool {
        let own = self.snapshot.inheritance.of(resource.owner());
        own.is_some_and(|own| own.excluded.contains(&resource.arn))
    }

    fn binding(&self, resource: &LiveResource) -> Binding<'_> {
        let tags = &self.snapshot.tags;
        let Some(node) = resource.owner().and_then(|owner| tags.account(owner)) else {
            return if tags.accounts().len() == 0 {
                Binding::Free
            } else {
                // security 6.6: "an account outside the organization is refused".
                Binding::Closed(FailureCode::AccountOutsideOrganization)
            };
        };
        let policy = &*node.policies.enforce.policy;
        let known = capabilities(&self.snapshot.catalog, policy, &self.kind(resource));
        if known.is_none() && can_intercept(policy) {
            return Binding::Closed(FailureCode::ResourceTypeUnknown);
        }
        Binding::By {
            policy,
            capabilities: known.unwrap_or(TagCapabilities::ALL),
        }
    }

    /// Puts an operation on a resource to the engine; `None`: nobody has a tag policy.
    fn judge<T>(
        &self,
        resource: &LiveResource,
        operation: Operation<'_>,
        inheritance: Inheritance<'_>,
        then: impl FnOnce(&crate::engine::compliance::Verdict<'_>) -> T,
    ) -> Result<Option<T>, FailureCode> {
        let (policy, capabilities) = match self.binding(resource) {
            Binding::Free => return Ok(None),
            Binding::Closed(code) => return Err(code),
            Binding::By {
                policy,
                capabilities,
            } => (policy, capabilities),
        };
        let kind = self.kind(resource);
        let current: Vec<TagRef<'_>> = resource.tag_refs().collect();
        let question = Question {
            resource_type: &kind,
            region: resource.region(),
            group: match &resource.group {
                Some(group) => KnownGroup::Some(group.as_str()),
                None => KnownGroup::None,
            },
            current: Tags::Sent(&current),
            operation,
            inheritance,
            history: TagHistory::Unknown,
        };
        let rules = Rules {
            policy,
            settings: &self.snapshot.settings,
            capabilities,
        };
        let tagging = Tagging::new(question).map_err(|_| FailureCode::QuotaExceeded)?;
        Ok(Some(then(&validate(&rules, &tagging))))
    }
}
