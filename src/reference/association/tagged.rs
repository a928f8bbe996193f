//! What the inventory tells and what users write: a resource comes, goes, moves, is tagged and
//! repaired.

use std::collections::{BTreeMap, BTreeSet};

use super::{Directory, Event, Failures, News, Resource, Source, Tags, custom};
use crate::model::compliance::TaggingOperation;
use crate::model::settings::is_reserved_key;
use crate::model::tag::TagRef;
use crate::model::tagging::FailureCode;

impl Directory<'_> {
    /// The inventory tells the tags and the group of a resource.
    pub fn put(&mut self, arn: &str, resource: &Resource) -> Failures {
        let mut event = Event::default();
        let before = self.resources.get(arn).cloned();
        let mut next = resource.clone();
        let known = before.as_ref().map(|before| before.tags.clone());
        let known = known.unwrap_or_default();
        for (key, (value, source)) in &mut next.tags {
            match known.get(key) {
                Some((same, by)) if same == value => *source = by.clone(),
                Some(_) | None => *source = Source::Own,
            }
        }
        next.primaries = before
            .as_ref()
            .map(|one| one.primaries.clone())
            .unwrap_or_default();
        let more = custom(&next) > before.as_ref().map_or(0, custom);
        if more && custom(&next) > self.limits(&next).tags {
            let failure = (arn.to_owned(), None, FailureCode::QuotaExceeded);
            return [failure].into();
        }
        let keys: BTreeSet<String> = known.keys().chain(next.tags.keys()).cloned().collect();
        let value = |tags: &BTreeMap<String, (String, Source)>, key: &String| {
            tags.get(key).map(|(value, _)| value.clone())
        };
        let changed = keys.into_iter();
        let mut changed: BTreeSet<String> = changed
            .filter(|key| value(&known, key) != value(&next.tags, key))
            .collect();
        // tag-policy 3.4: "Resources created in or moved into a group get the group's tags".
        let came = next.group.is_some() && next.group != before.and_then(|before| before.group);
        self.resources.insert(arn.to_owned(), next);
        if came {
            changed.extend(self.pass(arn, &[], None, &mut event));
        }
        event.edited(arn, changed, Vec::new());
        self.carry(event)
    }

    /// The inventory tells that a resource is no more.
    pub fn remove(&mut self, arn: &str) -> Failures {
        let mut event = Event::default();
        if self.resources.remove(arn).is_none() {
            return [(arn.to_owned(), None, FailureCode::ResourceNotFound)].into();
        }
        event
            .waiting
            .push((arn.to_owned(), News::Removed, Vec::new()));
        self.carry(event)
    }

    /// A resource moves between groups.
    pub fn move_to(&mut self, arn: &str, group: Option<&str>) -> Failures {
        let mut event = Event {
            checked: true,
            ..Event::default()
        };
        self.whole(|directory| {
            let Some(resource) = directory.resources.get_mut(arn) else {
                return [(arn.to_owned(), None, FailureCode::ResourceNotFound)].into();
            };
            if resource.group.as_deref() == group {
                return Failures::new();
            }
            resource.group = group.map(str::to_owned);
            if group.is_some() {
                let changed = directory.checked_pass(arn, &[], None, &mut event);
                event.edited(arn, changed, Vec::new());
            }
            directory.carry(event)
        })
    }

    /// A user adds or overwrites tags.
    pub fn tag(&mut self, arn: &str, set: &Tags) -> Failures {
        let fail = |code| -> Failures { [(arn.to_owned(), None, code)].into() };
        let Some(resource) = self.resources.get(arn).cloned() else {
            return fail(FailureCode::ResourceNotFound);
        };
        let limits = self.limits(&resource);
        for (key, value) in set {
            if limits.check(TagRef { key, value }).is_err() {
                let code = FailureCode::MalformedValue;
                return [(arn.to_owned(), Some(key.clone()), code)].into();
            }
        }
        if self.closed.contains(arn) {
            return fail(FailureCode::NoPermission);
        }
        let write = TaggingOperation::Write {
            set: set.clone().into_iter().collect(),
            removed: Vec::new(),
        };
        if self.judge(&resource, write).intercepted {
            return fail(FailureCode::TagPolicy);
        }
        let mut next = resource.clone();
        for (key, value) in set {
            next.tags.insert(key.clone(), (value.clone(), Source::Own));
        }
        // security 5.4: places are kept "for inheritance and administrators".
        let own = next
            .tags
            .iter()
            .filter(|(key, tag)| tag.1 == Source::Own && !is_reserved_key(key));
        let own = own.count();
        let kept = self.settings.reserve_tags.0.max(custom(&next) - own);
        if custom(&next) > custom(&resource) && own + kept > limits.tags {
            return fail(FailureCode::QuotaExceeded);
        }
        self.resources.insert(arn.to_owned(), next);
        let mut event = Event::default();
        event.edited(arn, set.keys().cloned().collect(), Vec::new());
        self.carry(event)
    }

    /// A user removes tags; `None`: all.
    pub fn untag(&mut self, arn: &str, keys: Option<&BTreeSet<String>>) -> Failures {
        let fail = |code| -> Failures { [(arn.to_owned(), None, code)].into() };
        let Some(resource) = self.resources.get(arn).cloned() else {
            return fail(FailureCode::ResourceNotFound);
        };
        let all = resource.tags.keys().filter(|key| !is_reserved_key(key));
        let keys = keys.cloned().unwrap_or_else(|| all.cloned().collect());
        if self.closed.contains(arn) {
            return fail(FailureCode::NoPermission);
        }
        let write = TaggingOperation::Write {
            set: Vec::new(),
            removed: keys.iter().cloned().collect(),
        };
        if self.judge(&resource, write).intercepted {
            return fail(FailureCode::TagPolicy);
        }
        if let Some(resource) = self.resources.get_mut(arn) {
            resource.tags.retain(|key, _| !keys.contains(key));
        }
        let mut event = Event::default();
        event.edited(arn, keys, Vec::new());
        self.carry(event)
    }

    /// A resource is repaired.
    pub fn remediate(&mut self, arn: &str) -> Failures {
        let mut event = Event::default();
        if !self.resources.contains_key(arn) {
            return [(arn.to_owned(), None, FailureCode::ResourceNotFound)].into();
        }
        let changed = self.checked_pass(arn, &[], None, &mut event);
        event.edited(arn, changed, Vec::new());
        self.carry(event)
    }
}
