//! The resources of a directory that is read: nobody sees one before all are there.

use std::io;
use std::panic::resume_unwind;
use std::sync::mpsc::sync_channel;
use std::thread;

use super::entry::{Entry, Record};
use super::index::Index;
use super::resources::Resources;
use crate::model::resource::{LiveResource, Version};

/// How many resources are handed over at once, and how often at most before they are put.
const BATCH: usize = 1_024;
const BATCHES: usize = 8;

/// What a directory is to hold.
#[derive(Debug, Default)]
pub struct Filling {
    resources: Resources,
    index: Index,
    newest: Version,
}

impl Filling {
    /// What `read` hands over, about so many resources and none twice. They are put by a thread of
    /// their own meanwhile.
    ///
    /// # Errors
    ///
    /// There is no thread.
    pub fn while_read<T>(
        count: usize,
        read: impl FnOnce(&mut dyn FnMut(LiveResource)) -> T,
    ) -> io::Result<(Self, T)> {
        let (batches, inbox) = sync_channel::<Vec<Record>>(BATCHES);
        thread::scope(|scope| {
            let putting = thread::Builder::new().spawn_scoped(scope, move || {
                let mut filling = Self {
                    resources: Resources::with_capacity(count),
                    ..Self::default()
                };
                inbox
                    .into_iter()
                    .flatten()
                    .for_each(|record| filling.put(record));
                filling
            })?;
            let mut batch = Vec::with_capacity(BATCH);
            let read = read(&mut |live| {
                batch.push(Record::from(&live));
                if batch.len() == BATCH {
                    let full = std::mem::replace(&mut batch, Vec::with_capacity(BATCH));
                    // Who puts them ends with the last batch, or by a panic that is told below.
                    let _ = batches.send(full);
                }
            });
            let _ = batches.send(batch);
            drop(batches);
            let filling = putting.join().unwrap_or_else(|panic| resume_unwind(panic));
            Ok((filling, read))
        })
    }

    /// Puts a resource that is not there.
    pub(super) fn put(&mut self, record: Record) {
        let entry = self.index.put(None, record);
        self.set(&entry);
    }

    /// Puts a resource at the slot that it had in the same place. Slots are settled by
    /// [`Self::settle`], before any other is put.
    pub(super) fn put_back(&mut self, was: &Entry, record: Record) {
        let entry = self.index.put_back(was, record);
        self.set(&entry);
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
