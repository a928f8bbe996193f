//! Live resources: what decisions know of them, and what they are searched by.
//!
//! A reader copies one pointer and waits for nobody; values are never changed in place. Whoever
//! writes puts a resource after it is durable, so that no reader sees what could be lost. Searches
//! hold the index for one step at a time, and a write for one resource.
//!
//! Not here: who may change or see a resource, and what a decision does with an unknown one.

mod carriers;
mod compliance;
mod counts;
mod entry;
mod filling;
mod index;
mod links;
mod partition;
mod posting;
mod query;
mod resources;
mod search;
mod slots;
mod values;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use arc_swap::ArcSwap;

pub use self::compliance::{Detected, Detector};
pub use self::counts::{Listed, Served, Texts, Turn};
pub use self::entry::Entry;
use self::entry::Record;
pub use self::filling::Filling;
use self::index::Index;
pub use self::query::{Filter, Kinds, Query, Scope, Sense, TextMatch};
use self::resources::Resources;
pub use self::search::{Position, Reach, Step};
use crate::model::arn::{AccountId, Arn};
use crate::model::resource::{Link, LiveResource, Resource, Version, Write};
use crate::model::tagging::{PredefinedValues, PredefinedWrite};

/// The resources that are known.
#[derive(Debug, Default)]
pub struct Directory {
    resources: ArcSwap<Resources>,
    index: RwLock<Index>,
    /// The greatest version that was put; held by who writes.
    newest: Mutex<Version>,
}

impl Directory {
    /// What is known of a resource, by its ARN as written.
    pub fn find(&self, arn: &str) -> Option<Entry> {
        self.resources.load().find(arn)
    }

    /// All that is kept of a resource.
    pub fn live(&self, arn: &str) -> Option<LiveResource> {
        self.find(arn).map(|entry| entry.to_live())
    }

    /// Puts what was committed, one by one. There is one writer, and it has checked what it expected
    /// to be there.
    pub fn apply(&self, writes: &[Write]) {
        let mut newest = self.write();
        for Write { arn, next, .. } in writes {
            match next {
                Some(live) => {
                    *newest = live.version.max(*newest);
                    self.put(live);
                }
                None => self.remove(arn),
            }
        }
    }

    fn put(&self, live: &LiveResource) {
        let old = self.find(live.arn.as_str());
        let record = Record::from(live);
        let entry = self.index_mut().put(old.as_ref(), record);
        self.resources.load().put(&entry);
    }

    fn remove(&self, arn: &Arn) {
        let removed = self.resources.load().remove(arn.as_str());
        if let Some(entry) = removed {
            self.index_mut().remove(&entry);
        }
    }

    /// Replaces all resources by those of a bundle, of which nothing but the tags is known. Those
    /// that do not change keep their versions. Else as [`Self::replace_live`].
    pub fn replace(&self, resources: impl IntoIterator<Item = Resource>) {
        let version = Version(self.newest().0.saturating_add(1));
        let resources = resources.into_iter().map(|resource| {
            let mut live = LiveResource::from(resource);
            let was = self.live(live.arn.as_str());
            live.version = was.as_ref().map_or(version, |was| was.version);
            if was.is_some_and(|was| was != live) {
                live.version = version;
            }
            live
        });
        self.replace_live(resources.collect());
    }

    /// Replaces all resources. Of two with one ARN the later stays.
    ///
    /// Decisions see all of the old state or all of the new, and what stays keeps its place among
    /// pages. Blocks until no reader is left on the old state, so that none of them has to free it:
    /// call it on a thread that may wait.
    pub fn replace_live(&self, mut resources: Vec<LiveResource>) {
        let mut newest = self.write();
        resources.sort_by(|left, right| left.arn.cmp(&right.arn));
        resources.reverse();
        resources.dedup_by(|earlier, later| earlier.arn == later.arn);
        let mut filling = Filling::default();
        let mut new = Vec::new();
        while let Some(live) = resources.pop() {
            let record = Record::from(&live);
            match self.find(live.arn.as_str()) {
                Some(was) if was.place() == record.place() => filling.put_back(&was, record),
                Some(_) | None => new.push(record),
            }
        }
        filling.settle();
        for record in new {
            filling.put(record);
        }
        self.take(filling, &mut newest);
    }

    /// Replaces all resources by those that were read one by one. Else as [`Self::replace_live`].
    pub fn fill(&self, filling: Filling) {
        self.take(filling, &mut self.write());
    }

    fn take(&self, filling: Filling, newest: &mut Version) {
        let (resources, mut index, version) = filling.into_parts();
        *newest = version.max(*newest);
        let old = self.resources.swap(Arc::new(resources));
        let mut held = self.index_mut();
        index.predefined = std::mem::take(&mut held.predefined);
        let former = std::mem::replace(&mut *held, index);
        drop(held);
        drop(former);
        while Arc::strong_count(&old) > 1 {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// One step of a search.
    pub fn step(&self, query: &Query, from: &Position, reach: Reach) -> Step {
        self.index().step(query, from, reach)
    }

    /// The first account with resources after one, in the order of their names; empty is what has
    /// no owner.
    pub fn next_account(&self, after: Option<&str>) -> Option<Arc<str>> {
        self.index().next_account(after)
    }

    /// A page of the keys or values that the resources of a scope carry.
    pub fn texts(&self, scope: &Scope, listed: Listed<'_>, turn: Turn<'_>) -> Texts {
        self.index().texts(scope, listed, turn)
    }

    /// How many resources a scope means.
    pub fn extent(&self, scope: &Scope) -> u64 {
        self.index().extent(scope)
    }

    /// The services with resources in a scope, region by region; its types and groups do not count.
    pub fn served(&self, scope: &Scope) -> Vec<Served> {
        self.index().served(scope)
    }

    /// The predefined keys or values of an account, of a page and of later ones, in order.
    pub fn predefined(&self, account: &str, listed: Listed<'_>, turn: Turn<'_>) -> Vec<Arc<str>> {
        self.index().predefined(account, listed, turn)
    }

    /// The values of a predefined key; `None`: it is not predefined.
    pub fn predefined_values(&self, account: &AccountId, key: &str) -> Option<PredefinedValues> {
        let index = self.index();
        index.predefined.get(account.as_str())?.get(key).cloned()
    }

    /// How many keys an account has predefined.
    pub fn predefined_keys(&self, account: &AccountId) -> usize {
        let index = self.index();
        let keys = index.predefined.get(account.as_str());
        keys.map_or(0, BTreeMap::len)
    }

    /// Predefines keys with values, each in the place of those that it had; or no more.
    pub fn predefine(&self, writes: &[PredefinedWrite]) {
        let mut index = self.index_mut();
        for write in writes {
            index.predefine(write);
        }
    }

    /// Predefines keys in the place of all that are predefined.
    pub fn replace_predefined(&self, writes: &[PredefinedWrite]) {
        let mut next = Index::default();
        for write in writes {
            next.predefine(write);
        }
        let former = std::mem::replace(&mut self.index_mut().predefined, next.predefined);
        drop(former);
    }

    /// The associations of a primary that come after a place, at most so many, in order.
    pub fn links(&self, primary: &Arn, after: Option<&Link>, most: usize) -> Vec<Link> {
        self.index().links.of(primary, after).take(most).collect()
    }

    /// All associations that come after a place, at most so many, in order.
    pub fn all_links(&self, after: Option<&Link>, most: usize) -> Vec<Link> {
        self.index().links.all(after).take(most).collect()
    }

    /// How many resources are known.
    pub fn len(&self) -> usize {
        self.resources.load().len()
    }

    /// Whether none is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The version that the last change had.
    pub fn newest(&self) -> Version {
        *self.write()
    }

    fn write(&self) -> MutexGuard<'_, Version> {
        self.newest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn index_mut(&self) -> RwLockWriteGuard<'_, Index> {
        self.index.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
