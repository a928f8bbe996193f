//! The resources of a directory that is read: nobody sees one before all are there.

use super::entry::Entry;
use super::index::Index;
use super::resources::Resources;
use crate::model::resource::{LiveResource, Version};

/// What a directory is to hold.
#[derive(Debug, Default)]
pub struct Filling {
    resources: Resources,
    index: Index,
    newest: Version,
}

impl Filling {
    /// Puts a resource. Of two with one ARN the later stays.
    pub fn put(&mut self, live: &LiveResource) {
        let old = self.resources.find(live.arn.as_str());
        let entry = self.index.put(old.as_ref(), live);
        self.set(&entry);
    }

    /// Puts a resource at the slot that it had, if it had one in the same place; tells whether it
    /// did. Slots are settled by [`Self::settle`], before any other is put.
    pub(super) fn put_back(&mut self, was: &Entry, live: &LiveResource) -> bool {
        let entry = self.index.put_back(was, live);
        entry.is_some_and(|entry| {
            self.set(&entry);
            true
        })
    }

    /// Frees the slots that nobody was put back to.
    pub(super) fn settle(&mut self) {
        self.index.settle();
    }

    /// The resources, their index and the greatest version.
    pub(super) fn into_parts(self) -> (Resources, Index, Version) {
        let Self {
            resources,
            index,
            newest,
        } = self;
        (resources, index, newest)
    }

    fn set(&mut self, entry: &Entry) {
        self.newest = self.newest.max(entry.version());
        self.resources.put(entry);
    }
}
