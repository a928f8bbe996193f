//! The resources of one account in one region, and who carries which tag: tags are isolated by both
//! (tag-policy 5.1).
//!
//! The index is where texts of tags are shared: a tag that nobody carries any more is in no table,
//! and its text goes with the last reader of the last resource that had it.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::entry::{About, Entry};
use super::posting::Posting;
use super::slots::Slots;
use crate::model::account::Name;
use crate::model::arn::ArnRef;
use crate::model::resource::LiveResource;
use crate::model::tag::{Tag, TagSet};

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
    pub(super) values: BTreeMap<Arc<str>, Carried>,
}

/// How many resources a service has.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub(super) resources: u64,
    /// Those whose ARNs do not name account and region.
    pub(super) unnamed: u64,
}

/// A tag, and who carries it.
#[derive(Debug)]
pub(super) struct Carried {
    tag: Tag,
    pub(super) by: Posting,
}

impl OfKey {
    fn insert(&mut self, slot: u32, key: &Arc<str>, value: &Arc<str>) -> Tag {
        self.any.insert(slot);
        if let Some(carried) = self.values.get_mut(value) {
            carried.by.insert(slot);
            return carried.tag.clone();
        }
        let tag = Tag::new(Arc::clone(key), Arc::clone(value));
        let carried = Carried {
            tag: tag.clone(),
            by: Posting::One(slot),
        };
        self.values.insert(Arc::clone(value), carried);
        tag
    }

    fn remove(&mut self, value: &str, slot: u32) {
        self.any.remove(slot);
        let Some(carried) = self.values.get_mut(value) else {
            return;
        };
        carried.by.remove(slot);
        if carried.by.is_empty() {
            self.values.remove(value);
        }
    }
}

impl Partition {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Puts a resource at a slot that was taken for it, in the place of what was there.
    pub(super) fn put(&mut self, live: &LiveResource, about: Arc<About>, slot: u32) -> Arc<Entry> {
        let old = self.slots.get(slot).cloned();
        let none = TagSet::default();
        let before = old.as_ref().map_or(&none, |old| old.tags());
        let stays = |key: &str, value: &str| before.get(key) == Some(value);
        for tag in before.iter() {
            if live.get(tag.key) != Some(tag.value) {
                self.untag(tag.key, tag.value, slot);
            }
        }
        let mut tags = Vec::with_capacity(live.tags.len());
        for (key, tag) in &live.tags {
            let kept = before.tags().iter().find(|kept| kept.key() == key);
            match kept.filter(|_| stays(key, &tag.value)) {
                Some(kept) => tags.push(kept.clone()),
                None => tags.push(self.tag(key, &tag.value, slot)),
            }
        }
        let entry = Arc::new(Entry::new(live, tags.into_iter(), about, slot));
        match old {
            Some(old) => self.reclassify(&old, &entry),
            None => self.classify(&entry),
        }
        self.slots.put(slot, Arc::clone(&entry));
        entry
    }

    /// Takes a resource out.
    pub(super) fn remove(&mut self, entry: &Entry) {
        for tag in entry.tags().iter() {
            self.untag(tag.key, tag.value, entry.slot());
        }
        self.declassify(entry);
        self.slots.free(entry.slot());
    }

    fn tag(&mut self, key: &Arc<str>, value: &Arc<str>, slot: u32) -> Tag {
        if let Some(of_key) = self.keys.get_mut(key) {
            return of_key.insert(slot, key, value);
        }
        let of_key = self.keys.entry(Arc::clone(key)).or_default();
        of_key.insert(slot, key, value)
    }

    fn untag(&mut self, key: &str, value: &str, slot: u32) {
        let Some(of_key) = self.keys.get_mut(key) else {
            return;
        };
        of_key.remove(value, slot);
        if of_key.values.is_empty() {
            self.keys.remove(key);
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
