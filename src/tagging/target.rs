//! One pass over one resource: association, then `rg_inherit`, then correction (security 5.3).
//!
//! Whatever writes tags without being a user goes through here, and so do its limits: a value that
//! a tag policy forbids is not written, a protected key is neither overwritten nor removed, and new
//! keys are taken while there are places. What is left out is reported, never dropped.

use std::sync::Arc;

use super::law::{Law, Repair};
use crate::model::inheritance::TagScope;
use crate::model::resource::{Association, LiveResource, LiveTag, Provenance};
use crate::model::settings::{InvalidTag, TypeLimits, is_reserved_key};
use crate::model::tag::TagRef;
use crate::model::tagging::{Failure, FailureCode};

/// What an association brings to one key.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub(super) key: Arc<str>,
    /// The value; `None`: the tag goes.
    pub(super) value: Option<Arc<str>>,
}

/// A resource whose tags are being worked out.
#[derive(Debug)]
pub(super) struct Target<'t, 's> {
    law: &'t Law<'s>,
    limits: TypeLimits,
    /// The resource as it will be.
    pub(super) next: LiveResource,
    /// The keys that were written or removed: what an edit of this resource names.
    pub(super) touched: Vec<Arc<str>>,
    /// What could not be written.
    pub(super) held_back: Vec<Failure>,
}

impl<'t, 's> Target<'t, 's> {
    pub(super) fn new(law: &'t Law<'s>, resource: LiveResource) -> Self {
        Self {
            law,
            limits: law.limits(&resource),
            next: resource,
            touched: Vec::new(),
            held_back: Vec::new(),
        }
    }

    /// The tags that an association brings or takes. Removals make room, overwriting needs none, and
    /// new keys fill up what is left.
    pub(super) fn associate(
        &mut self,
        wanted: Vec<Wanted>,
        association: &Association,
        scope: &TagScope,
    ) {
        let mut new = Vec::new();
        for Wanted { key, value } in wanted {
            match value {
                None => self.remove(&key),
                Some(value) if self.next.tags.contains_key(&key) => {
                    self.overwrite(key, value, Provenance::Inherited(association.clone()));
                }
                Some(value) => new.push((key, value)),
            }
        }
        // security 5.4: "keys named in the rule's scope, then keys that RAM or tag policies name,
        // then byte order".
        let free = self.free();
        if new.len() > free {
            new.sort_by_cached_key(|(key, _)| {
                let is_named = self.law.is_named(key);
                (!scope.names(key), !is_named, Arc::clone(key))
            });
        }
        for (key, value) in new {
            self.add(key, value, Provenance::Inherited(association.clone()));
        }
    }

    /// What the resource group and tag policies bring on top.
    pub(super) fn repair(&mut self, group: Option<&LiveResource>) {
        let repairs = self.law.repairs(&self.next, group);
        let (removed, written): (Vec<Repair>, Vec<Repair>) =
            repairs.into_iter().partition(|repair| repair.tag.is_none());
        for repair in removed {
            self.remove(&repair.key);
        }
        let mut new = Vec::new();
        for Repair { key, tag } in written {
            match tag {
                Some((value, by)) if self.next.tags.contains_key(&key) => {
                    self.overwrite(key, value, by);
                }
                Some((value, by)) => new.push((key, value, by)),
                None => {}
            }
        }
        for (key, value, by) in new {
            self.add(key, value, by);
        }
    }

    fn remove(&mut self, key: &Arc<str>) {
        if self.law.is_protected(key) {
            self.hold_back(key, FailureCode::InheritanceBlocked);
        } else if self.next.tags.remove(key).is_some() {
            self.touched.push(Arc::clone(key));
        }
    }

    fn overwrite(&mut self, key: Arc<str>, value: Arc<str>, by: Provenance) {
        if self.law.is_protected(&key) {
            if self.next.get(&key) != Some(&*value) {
                self.hold_back(&key, FailureCode::InheritanceBlocked);
            }
        } else if self.may_write(&key, &value) {
            self.write(key, value, by);
        }
    }

    /// tag-policy 7, rule 41: "new keys … until full; rest reported per key".
    fn add(&mut self, key: Arc<str>, value: Arc<str>, by: Provenance) {
        if !self.may_write(&key, &value) {
            return;
        }
        if self.free() == 0 {
            self.hold_back(&key, FailureCode::QuotaExceeded);
        } else {
            self.write(key, value, by);
        }
    }

    fn may_write(&mut self, key: &Arc<str>, value: &str) -> bool {
        let tag = TagRef { key, value };
        let code = match self.limits.check(tag) {
            Err(InvalidTag::Key(_)) => FailureCode::MalformedKey,
            Err(InvalidTag::Value(_)) => FailureCode::MalformedValue,
            Ok(()) if self.law.admits(&self.next, tag) => return true,
            Ok(()) => FailureCode::InheritanceBlocked,
        };
        self.hold_back(key, code);
        false
    }

    fn write(&mut self, key: Arc<str>, value: Arc<str>, provenance: Provenance) {
        let tag = LiveTag { value, provenance };
        self.next.tags.insert(Arc::clone(&key), tag);
        self.touched.push(key);
    }

    fn free(&self) -> usize {
        self.limits.tags.saturating_sub(count(&self.next))
    }

    fn hold_back(&mut self, key: &Arc<str>, code: FailureCode) {
        self.held_back.push(Failure {
            arn: self.next.arn.clone(),
            key: Some(Arc::clone(key)),
            code,
        });
    }
}

/// How many tags of a resource count: those of the system do not.
pub(super) fn count(resource: &LiveResource) -> usize {
    let keys = resource.tags.keys();
    keys.filter(|key| !is_reserved_key(key)).count()
}
