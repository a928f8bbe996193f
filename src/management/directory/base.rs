//! What is committed: the directory as readers see it, the associations by their primaries, and the
//! work that is left.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use crate::directory::Directory;
use crate::model::arn::Arn;
use crate::model::resource::{Link, LiveResource, Write};
use crate::model::tagging::{Forget, Work};
use crate::tagging::View;

/// The number of a piece of work: the order in which work was left.
pub(super) type WorkId = u64;

/// The committed state. The writer alone changes it.
#[derive(Debug)]
pub struct Base {
    pub(super) directory: Arc<Directory>,
    links: BTreeMap<Arn, BTreeSet<Link>>,
    work: BTreeMap<WorkId, Work>,
    last_work: WorkId,
}

impl Base {
    pub(super) fn new(directory: Arc<Directory>) -> Self {
        Self {
            directory,
            links: BTreeMap::new(),
            work: BTreeMap::new(),
            last_work: 0,
        }
    }

    /// Puts what was committed, so that everybody sees it.
    pub(super) fn apply(&mut self, writes: &[Write]) {
        for write in writes {
            let before = self.directory.live(write.arn.as_str());
            before
                .iter()
                .flat_map(LiveResource::links)
                .for_each(|link| self.unlink(&link));
            write
                .next
                .iter()
                .flat_map(LiveResource::links)
                .for_each(|link| self.link(link));
        }
        self.directory.apply(writes);
    }

    fn link(&mut self, link: Link) {
        let of_it = self.links.entry(link.primary.clone()).or_default();
        of_it.insert(link);
    }

    fn unlink(&mut self, link: &Link) {
        if let Some(of_it) = self.links.get_mut(&link.primary) {
            of_it.remove(link);
            if of_it.is_empty() {
                self.links.remove(&link.primary);
            }
        }
    }

    /// Puts resources in place of all that are there. No work is left for those that were.
    pub(super) fn replace(&mut self, resources: Vec<LiveResource>) {
        self.links.clear();
        resources
            .iter()
            .flat_map(LiveResource::links)
            .for_each(|link| self.link(link));
        self.work.clear();
        self.directory.replace_live(resources);
    }

    /// Keeps a piece of work under its number.
    pub(super) fn keep(&mut self, id: WorkId, work: Option<Work>) {
        self.last_work = self.last_work.max(id);
        match work {
            Some(work) => self.work.insert(id, work),
            None => self.work.remove(&id),
        };
    }

    /// The oldest work.
    pub(super) fn next_work(&self) -> Option<(WorkId, &Work)> {
        self.work.first_key_value().map(|(id, work)| (*id, work))
    }

    /// The number of the newest work.
    pub(super) fn last_work(&self) -> WorkId {
        self.last_work
    }

    /// The numbers of all work.
    pub(super) fn work_ids(&self) -> impl Iterator<Item = WorkId> {
        self.work.keys().copied()
    }
}

impl View for Base {
    fn find(&self, arn: &str) -> Option<LiveResource> {
        self.directory.live(arn)
    }

    fn links(&self, primary: &Arn, after: Option<&Link>, most: usize) -> Vec<Link> {
        let of_it = self.links.get(primary).into_iter();
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let links = of_it.flat_map(|links| links.range((from, Bound::Unbounded)));
        links.take(most).cloned().collect()
    }

    fn all_links(&self, after: Option<&Link>, most: usize) -> Vec<Link> {
        let first = after.map_or(Bound::Unbounded, |after| Bound::Included(&after.primary));
        let all = self.links.range((first, Bound::Unbounded));
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let links = all.flat_map(|(_, links)| links.range((from, Bound::Unbounded)));
        links.take(most).cloned().collect()
    }

    fn forgets(&self) -> Vec<Forget> {
        let forgets = self.work.values().filter_map(|work| match work {
            Work::Forget(forget) => Some(forget.clone()),
            Work::Sweep(_) | Work::Backfill(_) => None,
        });
        forgets.collect()
    }

    fn is_ending(&self, arn: &Arn) -> bool {
        self.work.values().any(|work| work.ends(arn))
    }
}
