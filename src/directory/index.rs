//! What the directory is searched by: accounts and regions, tags, associations, predefined tags.
//!
//! It follows the resources one by one, so that every count is that of the moment. It lives in memory
//! only.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::sync::Arc;

use foldhash::fast::RandomState;

use super::entry::{About, Entry, Record};
use super::links::Links;
use super::partition::Partition;
use super::query::Scope;

type Regions = BTreeMap<Arc<str>, Partition>;

/// The index over all resources.
#[derive(Debug, Default)]
pub(super) struct Index {
    accounts: BTreeMap<Arc<str>, Regions>,
    /// What resources have in common, and how many.
    abouts: HashMap<Arc<About>, usize, RandomState>,
    pub(super) links: Links,
    pub(super) predefined: BTreeMap<Arc<str>, Predefined>,
}

/// The predefined tags of one account: keys with their values. They are of every region.
pub(super) type Predefined = BTreeMap<Arc<str>, BTreeSet<Arc<str>>>;

impl Index {
    /// Puts a resource, in the place of the one that it was.
    pub(super) fn put(&mut self, old: Option<&Entry>, record: Record) -> Entry {
        let (moved, stays) = match old {
            Some(old) if old.place() == record.place() => (None, Some(old)),
            other => (other, None),
        };
        if let Some(old) = moved {
            self.take_out(old);
        }
        let about = self.share(record.about());
        let partition = self.partition(&record);
        let slot = match stays {
            Some(old) => old.slot(),
            None => partition.slots.take(),
        };
        let entry = partition.put(record, about, slot);
        if let Some(old) = stays {
            self.unshare(old.about());
        }
        self.link(old, Some(&entry));
        entry
    }

    /// Puts a resource at the slot that it had in the same place. Slots are settled by
    /// [`Self::settle`], before any other is put.
    pub(super) fn put_back(&mut self, was: &Entry, record: Record) -> Entry {
        let about = self.share(record.about());
        let partition = self.partition(&record);
        partition.slots.keep(was.slot());
        let entry = partition.put(record, about, was.slot());
        self.link(None, Some(&entry));
        entry
    }

    /// Frees the slots that nobody was put back to.
    pub(super) fn settle(&mut self) {
        let partitions = self.accounts.values_mut().flat_map(Regions::values_mut);
        for partition in partitions {
            partition.slots.settle();
        }
    }

    /// Takes a resource out.
    pub(super) fn remove(&mut self, entry: &Entry) {
        self.take_out(entry);
        self.link(Some(entry), None);
    }

    fn take_out(&mut self, entry: &Entry) {
        let (account, region) = entry.place();
        if let Some(regions) = self.accounts.get_mut(account) {
            if let Some(partition) = regions.get_mut(region) {
                partition.remove(entry);
                if partition.is_empty() {
                    regions.remove(region);
                }
            }
            if regions.is_empty() {
                self.accounts.remove(account);
            }
        }
        self.unshare(entry.about());
    }

    fn partition(&mut self, record: &Record) -> &mut Partition {
        let (account, region) = record.place();
        let account = shared(&self.accounts, account);
        let regions = self.accounts.entry(account).or_default();
        let region = shared(regions, region);
        regions.entry(region).or_default()
    }

    fn share(&mut self, about: &About) -> Arc<About> {
        let known = self.abouts.get_key_value(about);
        let about = known.map_or_else(|| Arc::new(about.clone()), |(known, _)| Arc::clone(known));
        *self.abouts.entry(Arc::clone(&about)).or_default() += 1;
        about
    }

    fn unshare(&mut self, about: &Arc<About>) {
        if let Some(count) = self.abouts.get_mut(about) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.abouts.remove(about);
            }
        }
    }

    fn link(&mut self, old: Option<&Entry>, new: Option<&Entry>) {
        let primaries =
            |entry: Option<&Entry>| entry.map_or(Vec::new(), |one| one.primaries().to_vec());
        let (before, after) = (primaries(old), primaries(new));
        if before == after {
            return;
        }
        if let Some(old) = old {
            self.links.remove(old, &before);
        }
        if let Some(new) = new {
            self.links.insert(new, &after);
        }
    }

    /// The regions of a scope from one on, in their order.
    pub(super) fn regions<'i>(
        &'i self,
        scope: &'i Scope,
        from: &str,
    ) -> impl Iterator<Item = (&'i Arc<str>, &'i Partition)> {
        let asked = |region: &str| {
            scope.regions.is_empty() || scope.regions.iter().any(|one| **one == *region)
        };
        let from = (Bound::Included(from), Bound::Unbounded);
        let regions = self.accounts.get(&*scope.account).into_iter();
        let found = regions.flat_map(move |regions| regions.range::<str, _>(from));
        found.filter(move |(region, _)| asked(region))
    }
}

/// A key, in the place where it is already.
fn shared<T>(known: &BTreeMap<Arc<str>, T>, key: &str) -> Arc<str> {
    let known = known.get_key_value(key);
    known.map_or_else(|| Arc::from(key), |(known, _)| Arc::clone(known))
}
