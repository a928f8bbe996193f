//! What is committed: the directory as readers see it, and the work that is left.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::directory::{Directory, Filling};
use crate::model::arn::Arn;
use crate::model::resource::{Link, LiveResource};
use crate::model::tagging::{Forget, Work};
use crate::tagging::View;

/// The number of a piece of work: the order in which work was left.
pub(super) type WorkId = u64;

/// The committed state. The writer alone changes it.
#[derive(Debug)]
pub struct Base {
    pub(super) directory: Arc<Directory>,
    work: BTreeMap<WorkId, Work>,
    last_work: WorkId,
}

impl Base {
    pub(super) fn new(directory: Arc<Directory>) -> Self {
        Self {
            directory,
            work: BTreeMap::new(),
            last_work: 0,
        }
    }

    /// Puts resources that were read, before anything else is there.
    pub(super) fn fill(&mut self, resources: Filling) {
        self.directory.fill(resources);
    }

    /// Puts resources in place of all that are there. No work is left for those that were.
    pub(super) fn replace(&mut self, resources: Vec<LiveResource>) {
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
        self.directory.links(primary, after, most)
    }

    fn all_links(&self, after: Option<&Link>, most: usize) -> Vec<Link> {
        self.directory.all_links(after, most)
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
