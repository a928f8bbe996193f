//! The resources of a partition by number, so that an index names one in four bytes.
//!
//! A resource keeps its slot as long as it is there; a free one goes to the next that comes. The
//! table grows by chunks: nothing that is there is moved.

use super::entry::Entry;

/// How many slots one chunk has.
const CHUNK: usize = 4_096;

/// Resources by slot.
#[derive(Debug, Default)]
pub(super) struct Slots {
    chunks: Vec<Vec<Option<Entry>>>,
    /// Slots below the end that are free.
    free: Vec<u32>,
    end: u32,
}

impl Slots {
    /// One after the last slot that was ever taken.
    pub(super) fn end(&self) -> u32 {
        self.end
    }

    /// A free slot, and it is taken.
    pub(super) fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            let slot = self.end;
            self.end = slot.saturating_add(1);
            slot
        })
    }

    /// Takes this slot, which is free. Slots below that nobody took are told by [`Self::settle`].
    pub(super) fn keep(&mut self, slot: u32) {
        self.end = self.end.max(slot.saturating_add(1));
    }

    /// Frees the slots below the end that hold nothing.
    pub(super) fn settle(&mut self) {
        let holds = |slot: &u32| self.get(*slot).is_some();
        self.free = (0..self.end).rev().filter(|slot| !holds(slot)).collect();
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Entry> {
        let (chunk, place) = split(slot);
        self.chunks.get(chunk)?.get(place)?.as_ref()
    }

    /// Puts a resource at a slot that was taken.
    pub(super) fn put(&mut self, slot: u32, entry: Entry) {
        let (chunk, place) = split(slot);
        while self.chunks.len() <= chunk {
            self.chunks.push(Vec::new());
        }
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            if chunk.is_empty() {
                chunk.resize(CHUNK, None);
            }
            if let Some(held) = chunk.get_mut(place) {
                *held = Some(entry);
            }
        }
    }

    /// Frees a slot.
    pub(super) fn free(&mut self, slot: u32) {
        let (chunk, place) = split(slot);
        let held = self.chunks.get_mut(chunk);
        if let Some(held) = held.and_then(|chunk| chunk.get_mut(place)) {
            *held = None;
            self.free.push(slot);
        }
    }
}

fn split(slot: u32) -> (usize, usize) {
    let slot = usize::try_from(slot).unwrap_or(usize::MAX);
    (slot / CHUNK, slot % CHUNK)
}
