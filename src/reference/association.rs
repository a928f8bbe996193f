//! Associated inheritance and the tag directory, as the specification says it: everything is done at
//! once, over maps of text, and nothing is left for later.
//!
//! Each branch names its sentence: `tag-policy n`, or `security n.m`, which stands over it.

mod governed;
mod pass;
mod spread;
mod tagged;

use std::collections::{BTreeMap, BTreeSet};

use super::compliance::{TagRules, comply};
use crate::model::catalog::TagCapabilities;
use crate::model::compliance::{
    Inheritance as FromGroup, TagHistory, TaggingAnswer, TaggingOperation, TaggingQuestion,
};
use crate::model::inheritance::{
    Authority, Inheritance, OnAssociate, RuleDefinition, RuleSetting, Status, TagScope,
};
use crate::model::settings::{Settings, TypeLimits, is_reserved_key};
use crate::model::tag_policy::EffectivePolicy;
use crate::model::tagging::FailureCode;

/// A directory, and everything that governs it.
#[derive(Debug, Clone)]
pub struct Directory<'p> {
    /// The resources, by ARN.
    pub resources: BTreeMap<String, Resource>,
    /// The tags of resource groups, by name.
    pub groups: BTreeMap<String, BTreeMap<String, String>>,
    /// The rules.
    pub inheritance: Inheritance,
    /// The switches.
    pub settings: Settings,
    /// The regions in which inheritance works.
    pub regions: BTreeSet<String>,
    /// What enforces in every account, and what it can do with every type; `None`: nobody has tag
    /// policies.
    pub policy: Option<(&'p EffectivePolicy, TagCapabilities)>,
    /// The resources whose tags the principal may not write.
    pub closed: BTreeSet<String>,
}

/// One resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// The account that owns it.
    pub account: String,
    /// Its region.
    pub region: String,
    /// Its type.
    pub kind: String,
    /// The resource group that it is in.
    pub group: Option<String>,
    /// Its tags, with where they came from.
    pub tags: BTreeMap<String, (String, Source)>,
    /// The resources that it takes tags from, with the rule.
    pub primaries: BTreeSet<(String, String)>,
}

/// Where a tag came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A user or the inventory.
    Own,
    /// A primary, by a rule.
    Primary(String, String),
    /// A resource group.
    Group(String),
    /// A correction.
    Correction,
}

/// What could not be written: resource, key and reason.
pub type Failures = BTreeSet<(String, Option<String>, FailureCode)>;

type Tags = BTreeMap<String, String>;

/// What is carried from a primary to those associated with it.
#[derive(Debug, Clone)]
enum News {
    Edited(BTreeSet<String>),
    Removed,
}

/// One event on its way.
#[derive(Debug, Default)]
struct Event {
    /// Primaries whose news are not carried yet, with the resources that they came through.
    waiting: Vec<(String, News, Vec<String>)>,
    /// tag-policy 7, rule 39: "each (resource, key) at most once per event".
    done: BTreeSet<(String, String)>,
    failures: Failures,
    /// Whether every write needs the principal's permission.
    checked: bool,
    denied: bool,
}

impl Directory<'_> {
    /// An association is made.
    pub fn associate(&mut self, primary: &str, associated: &str, rule: &str) -> Failures {
        let mut event = Event {
            checked: true,
            ..Event::default()
        };
        self.whole(|directory| {
            let link = (primary.to_owned(), rule.to_owned());
            let unknown = |arn: &str| {
                let failure = (arn.to_owned(), None, FailureCode::ResourceNotFound);
                Failures::from([failure])
            };
            if !directory.resources.contains_key(primary) {
                return unknown(primary);
            }
            let Some(resource) = directory.resources.get_mut(associated) else {
                return unknown(associated);
            };
            // security 5.1: "tag writes on every resource that they change".
            if directory.closed.contains(associated) {
                return [(associated.to_owned(), None, FailureCode::NoPermission)].into();
            }
            if !resource.primaries.insert(link) {
                return Failures::new();
            }
            let definition = directory.definition(rule);
            let inherits = definition.is_some_and(|rule| rule.on_associate == OnAssociate::Inherit);
            if inherits {
                directory.fill(primary, associated, rule, &mut event);
            }
            directory.carry(event)
        })
    }

    /// An association ends.
    pub fn dissociate(&mut self, primary: &str, associated: &str, rule: &str) -> Failures {
        let mut event = Event {
            checked: true,
            ..Event::default()
        };
        self.whole(|directory| {
            let link = (primary.to_owned(), rule.to_owned());
            let Some(resource) = directory.resources.get(associated) else {
                let failure = (associated.to_owned(), None, FailureCode::ResourceNotFound);
                return [failure].into();
            };
            if resource.primaries.contains(&link) {
                directory.end(primary, associated, rule, &mut event);
            }
            directory.carry(event)
        })
    }

    /// All associations: primary, associated and rule, in order.
    pub fn links(&self) -> BTreeSet<(String, String, String)> {
        let resources = self.resources.iter();
        let links = resources.flat_map(|(arn, resource)| {
            let primaries = resource.primaries.iter();
            primaries.map(|(primary, rule)| (primary.clone(), arn.clone(), rule.clone()))
        });
        links.collect()
    }

    /// security 5.1: "one refused makes the call fail".
    fn whole(&mut self, change: impl FnOnce(&mut Self) -> Failures) -> Failures {
        let before = self.resources.clone();
        let failures = change(self);
        let denied: Failures = failures
            .iter()
            .filter(|(_, key, code)| {
                key.is_none()
                    && matches!(
                        code,
                        FailureCode::NoPermission | FailureCode::ResourceNotFound
                    )
            })
            .cloned()
            .collect();
        if denied.is_empty() {
            return failures;
        }
        self.resources = before;
        denied
    }

    fn definition(&self, rule: &str) -> Option<&RuleDefinition> {
        let mut rules = self.inheritance.definitions.iter();
        let found = rules.find(|(id, _)| id.as_str() == rule);
        found.map(|(_, definition)| definition)
    }

    /// The setting of a rule that works for a resource.
    fn in_force(&self, rule: &str, resource: &Resource) -> Option<&RuleSetting> {
        let works = self.regions.contains(&resource.region);
        setting(&self.inheritance, &resource.account, rule).filter(|_| works)
    }

    fn limits(&self, resource: &Resource) -> TypeLimits {
        self.settings.tag_limits.of(&resource.kind)
    }

    /// What the tag policy says of an operation.
    fn judge(&self, resource: &Resource, operation: TaggingOperation) -> TaggingAnswer {
        let Some((policy, capabilities)) = self.policy else {
            return TaggingAnswer::default();
        };
        let rules = TagRules {
            policy,
            settings: &self.settings,
            capabilities,
        };
        let group_tags = resource
            .group
            .as_ref()
            .and_then(|group| self.groups.get(group));
        let question = TaggingQuestion {
            resource_type: resource.kind.clone(),
            region: Some(resource.region.clone()),
            group: Some(resource.group.clone()),
            current: values(resource).into_iter().collect(),
            operation,
            inheritance: match group_tags {
                Some(tags) => FromGroup::Group(tags.clone().into_iter().collect()),
                None => FromGroup::Unknown,
            },
            history: TagHistory::Unknown,
        };
        comply(&rules, &question)
    }
}

impl Event {
    fn edited(&mut self, arn: &str, keys: BTreeSet<String>, path: Vec<String>) {
        for key in &keys {
            self.done.insert((arn.to_owned(), key.clone()));
        }
        if !keys.is_empty() {
            self.waiting
                .push((arn.to_owned(), News::Edited(keys), path));
        }
    }
}

fn setting<'i>(inheritance: &'i Inheritance, account: &str, rule: &str) -> Option<&'i RuleSetting> {
    let mut accounts = inheritance.accounts.iter();
    let (_, own) = accounts.find(|(id, _)| id.as_str() == account)?;
    let mut rules = own.rules.iter();
    let (_, setting) = rules.find(|(id, _)| id.as_str() == rule)?;
    let on = own.feature == Status::Enabled && setting.status == Status::Enabled;
    on.then_some(setting)
}

/// How many tags count against the quota: those of the system do not.
fn custom(resource: &Resource) -> usize {
    let keys = resource.tags.keys();
    keys.filter(|key| !is_reserved_key(key)).count()
}

fn values(resource: &Resource) -> Tags {
    let tags = resource.tags.iter();
    tags.map(|(key, (value, _))| (key.clone(), value.clone()))
        .collect()
}

/// Whether a rule is checked like a tag write (security 5.1).
fn is_checked(setting: Option<&RuleSetting>) -> bool {
    setting.is_some_and(|setting| setting.authority == Authority::Principal)
}

/// The keys that a rule names.
fn scope_of(setting: Option<&RuleSetting>) -> TagScope {
    setting.map_or(TagScope::All, |setting| setting.scope.clone())
}
