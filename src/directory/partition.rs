//! The resources of one account in one region, and who carries which tag: tags are isolated by both
//! (tag-policy 5.1).
//!
//! A tag that nobody carries any more is in no table.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::entry::{About, Entry, Record};
use super::posting::Posting;
use super::slots::Slots;
use super::values::{Single, Values};
use crate::model::account::Name;
use crate::model::arn::ArnRef;
use crate::model::tag::TagRef;

/// The resources of one account in one region.
#[derive(Debug, Default)]
pub(super) struct Partition {
    pub(super) slots: Slots,
    pub(super) all: RoaringBitmap,
    pub(super) keys: BTreeMap<Arc<str>, OfKey>,
    /// By the type that is kept.
    pub(super) kept_kinds: BTreeMap<Box<str>, Posting>,
    /// By `service:first-segment`, in lower case.
    pub(super) told_kinds: BTreeMap<Box<str>, Posting>,
    pub(super) groups: BTreeMap<Name, Posting>,
    pub(super) services: BTreeMap<Box<str>, Service>,
}

/// Who carries a key.
#[derive(Debug, Default)]
pub(super) struct OfKey {
    /// Whatever the value.
    pub(super) any: Posting,
    pub(super) values: Values,
}

/// How many resources a service has.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub(super) resources: u64,
    /// Those whose ARNs do not name account and region.
    pub(super) unnamed: u64,
}

impl Partition {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Puts a resource at a slot that was taken for it, in the place of what was there.
    pub(super) fn put(&mut self, record: Record, about: Arc<About>, slot: u32) -> Entry {
        let old = self.slots.get(slot).cloned();
        let entry = Entry::new(record, about, slot);
        let before = old.as_ref().map(Entry::tags).unwrap_or_default();
        let after = entry.tags();
        for tag in before {
            if after.get(tag.key) != Some(tag.value) {
                self.untag(tag, slot);
            }
        }
        for (tag, place) in entry.tags_with_places() {
            let carrier = Single::new(&entry, place);
            if before.get(tag.key) == Some(tag.value) {
                self.renew(tag.key, carrier);
            } else {
                self.tag(tag, carrier, slot);
            }
        }
        match &old {
            Some(old) => self.reclassify(old, &entry),
            None => self.classify(&entry),
        }
        self.slots.put(slot, entry.clone());
        entry
    }

    /// Takes a resource out.
    pub(super) fn remove(&mut self, entry: &Entry) {
        for tag in entry.tags() {
            self.untag(tag, entry.slot());
        }
        self.declassify(entry);
        self.slots.free(entry.slot());
    }

    fn tag(&mut self, tag: TagRef<'_>, carrier: Single, slot: u32) {
        if !self.keys.contains_key(tag.key) {
            self.keys.insert(Arc::from(tag.key), OfKey::default());
        }
        if let Some(of_key) = self.keys.get_mut(tag.key) {
            of_key.any.insert(slot);
            of_key.values.insert(tag.value, carrier);
        }
    }

    fn renew(&mut self, key: &str, carrier: Single) {
        if let Some(of_key) = self.keys.get_mut(key) {
            of_key.values.renew(carrier);
        }
    }

    fn untag(&mut self, tag: TagRef<'_>, slot: u32) {
        let Some(of_key) = self.keys.get_mut(tag.key) else {
            return;
        };
        of_key.any.remove(slot);
        of_key.values.remove(tag.value, slot);
        if of_key.values.is_empty() {
            self.keys.remove(tag.key);
        }
    }

    fn reclassify(&mut self, old: &Entry, new: &Entry) {
        if !Arc::ptr_eq(old.about(), new.about()) {
            self.declassify(old);
            self.classify(new);
        }
    }

    fn classify(&mut self, entry: &Entry) {
        let slot = entry.slot();
        self.all.insert(slot);
        match entry.kind() {
            Some(kind) => insert(&mut self.kept_kinds, kind, slot),
            None => insert(&mut self.told_kinds, &told_kind(entry.fields()), slot),
        }
        if let Some(group) = entry.about().group() {
            match self.groups.get_mut(group) {
                Some(posting) => posting.insert(slot),
                None => {
                    self.groups.insert(group.clone(), Posting::One(slot));
                }
            }
        }
        let service = entry.fields().service();
        if !self.services.contains_key(service) {
            self.services.insert(service.into(), Service::default());
        }
        if let Some(served) = self.services.get_mut(service) {
            served.resources += 1;
            served.unnamed += u64::from(!entry.is_plain());
        }
    }

    fn declassify(&mut self, entry: &Entry) {
        let slot = entry.slot();
        self.all.remove(slot);
        match entry.kind() {
            Some(kind) => remove(&mut self.kept_kinds, kind, slot),
            None => remove(&mut self.told_kinds, &*told_kind(entry.fields()), slot),
        }
        if let Some(group) = entry.about().group() {
            remove(&mut self.groups, group, slot);
        }
        let service = entry.fields().service();
        if let Some(served) = self.services.get_mut(service) {
            served.resources = served.resources.saturating_sub(1);
            served.unnamed -= u64::from(!entry.is_plain());
            if served.resources == 0 {
                self.services.remove(service);
            }
        }
    }
}

fn insert(postings: &mut BTreeMap<Box<str>, Posting>, name: &str, slot: u32) {
    match postings.get_mut(name) {
        Some(posting) => posting.insert(slot),
        None => {
            postings.insert(name.into(), Posting::One(slot));
        }
    }
}

/// Takes a slot out, and with the last one the name.
fn remove<K, Q>(postings: &mut BTreeMap<K, Posting>, name: &Q, slot: u32)
where
    K: Ord + Borrow<Q>,
    Q: Ord + ?Sized,
{
    let Some(posting) = postings.get_mut(name) else {
        return;
    };
    posting.remove(slot);
    if posting.is_empty() {
        postings.remove(name);
    }
}

/// `service:first-segment` of an ARN, in lower case.
pub(super) fn told_kind(fields: ArnRef<'_>) -> String {
    let first = fields.id().split('/').next().unwrap_or_default();
    let mut kind = format!("{}:{first}", fields.service());
    kind.make_ascii_lowercase();
    kind
}
