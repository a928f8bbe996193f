//! Principals whose hashes are alike, in one piece of memory: slots, and behind them records.
//!
//! A slot is found by the hash: eight bytes with a part of it and the place of the record, or zeros.
//! There is always a free one, where a search ends. A shard is never changed but made anew.

use std::sync::Arc;

use hashbrown::HashTable;

use super::Identity;
use super::record::Principal;

/// Some principals.
#[derive(Debug, Clone, Default)]
pub(super) struct Shard {
    /// How many slots there are: a power of two, or none.
    slots: u32,
    /// How many principals.
    length: u32,
    bytes: Arc<[u8]>,
}

/// What is to become of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    Kept,
    Gone,
}

/// A principal that is said to be there, or to be gone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Touch<'a> {
    pub(super) hash: u64,
    pub(super) record: &'a [u8],
    pub(super) fate: Fate,
}

/// Where a record is.
#[derive(Debug, Clone, Copy)]
struct Slot {
    /// The lower half of the hash.
    mark: u32,
    /// INVARIANT: not 0, for slots stand before records.
    at: u32,
}

/// The bytes of a slot.
const SLOT: usize = 8;

impl Slot {
    /// `None`: it is free.
    #[inline]
    fn read(bytes: [u8; SLOT]) -> Option<Self> {
        let number = u64::from_le_bytes(bytes);
        let (mark, at) = (lower(number), lower(number >> 32));
        (at != 0).then_some(Self { mark, at })
    }

    fn write(self) -> [u8; SLOT] {
        (u64::from(self.at) << 32 | u64::from(self.mark)).to_le_bytes()
    }
}

/// The part of a hash that a slot keeps: from it follows where the search for it starts.
#[inline]
fn mark(hash: u64) -> u32 {
    lower(hash)
}

#[inline]
fn lower(number: u64) -> u32 {
    u32::try_from(number & u64::from(u32::MAX)).unwrap_or_default()
}

/// The places of slots in the order in which one is looked for.
#[inline]
fn search(mark: u32, slots: u32) -> impl Iterator<Item = usize> {
    let place = move |step| mark.wrapping_add(step) & slots.wrapping_sub(1);
    (0..slots).map(move |step| usize::try_from(place(step)).unwrap_or(usize::MAX))
}

impl Shard {
    /// How many principals there are.
    pub(super) fn len(&self) -> usize {
        usize::try_from(self.length).unwrap_or(usize::MAX)
    }

    /// The memory that snapshots share.
    pub(super) fn bytes(&self) -> &Arc<[u8]> {
        &self.bytes
    }

    /// Finds a principal.
    #[inline]
    pub(super) fn find(&self, hash: u64, identity: &Identity<'_>) -> Option<Principal<'_>> {
        let (slots, _) = self.bytes.as_chunks();
        for place in search(mark(hash), self.slots) {
            let slot = Slot::read(*slots.get(place)?)?;
            if slot.mark == mark(hash) {
                let found = self.record(slot)?;
                if found.identity() == *identity {
                    return Some(found);
                }
            }
        }
        None
    }

    #[inline]
    fn record(&self, slot: Slot) -> Option<Principal<'_>> {
        let at = usize::try_from(slot.at).ok()?;
        Principal::read(self.bytes.get(at..)?)
    }

    /// The principals that are here and untouched, and those that are touched and kept.
    pub(super) fn with(&self, touched: &[Touch<'_>]) -> Self {
        let mut seen = HashTable::with_capacity(self.len() + touched.len());
        let newest_first = touched.iter().rev().copied().chain(self.touches());
        let mut kept = Vec::with_capacity(self.len() + touched.len());
        for touch in newest_first {
            let Some(principal) = Principal::read(touch.record) else {
                continue;
            };
            let identity = principal.identity();
            let spread = |mark: u32| u64::from(mark) << 32 | u64::from(mark);
            let mark = mark(touch.hash);
            let entry = seen.entry(
                spread(mark),
                |known| *known == (mark, identity),
                |(mark, _)| spread(*mark),
            );
            if let hashbrown::hash_table::Entry::Vacant(entry) = entry {
                entry.insert((mark, identity));
                if touch.fate == Fate::Kept {
                    kept.push((mark, touch.record));
                }
            }
        }
        Self::of(&kept)
    }

    /// What is here, as if it were said anew.
    fn touches(&self) -> impl Iterator<Item = Touch<'_>> {
        let (slots, _) = self.bytes.as_chunks();
        let count = usize::try_from(self.slots).unwrap_or(usize::MAX);
        let slots = slots.iter().take(count);
        slots
            .filter_map(|slot| Slot::read(*slot))
            .filter_map(|slot| {
                let record = self.bytes.get(usize::try_from(slot.at).ok()?..)?;
                Some(Touch {
                    hash: slot.mark.into(),
                    record: record.get(..Principal::read(record)?.length())?,
                    fate: Fate::Kept,
                })
            })
    }

    /// A shard of records, each with its mark.
    fn of(records: &[(u32, &[u8])]) -> Self {
        if records.is_empty() {
            return Self::default();
        }
        // A quarter and more of the slots is free.
        let slots = (records.len() + records.len() / 3 + 1).next_power_of_two();
        let all = records.iter().map(|(_, record)| record.len());
        let mut bytes = Vec::with_capacity(slots * SLOT + all.sum::<usize>());
        bytes.resize(slots * SLOT, 0);
        // INVARIANT: no table is so large that a shard of it has more slots or bytes.
        let number = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        for (mark, record) in records {
            let at = number(bytes.len());
            let (known, _) = bytes.as_chunks_mut();
            let slot = Slot { mark: *mark, at };
            take_slot(known, number(slots), slot);
            bytes.extend_from_slice(record);
        }
        Self {
            slots: number(slots),
            length: number(records.len()),
            bytes: bytes.into(),
        }
    }
}

/// Puts a slot into the first place that is free for it.
fn take_slot(slots: &mut [[u8; SLOT]], count: u32, slot: Slot) {
    for place in search(slot.mark, count) {
        if let Some(free) = slots.get_mut(place)
            && Slot::read(*free).is_none()
        {
            *free = slot.write();
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Said;
    use super::super::{PrincipalKind, Sort};
    use super::*;

    fn record(name: &str, uid: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        let said = Said {
            uid: Some(uid),
            ..Said::bare("1", PrincipalKind::User, name)
        };
        said.write(&mut bytes);
        bytes
    }

    fn identity(name: &str) -> Identity<'_> {
        Identity {
            account: b"1",
            sort: Sort::User,
            name: name.as_bytes(),
        }
    }

    #[test]
    fn what_is_touched_last_counts_and_hashes_may_collide() {
        let names: Vec<String> = (0..100).map(|place| format!("user-{place}")).collect();
        // Four hashes, three of them neighbours: searches cross each other.
        let hash = |name: &str| {
            [u64::MAX, 0, 1, 40][(name.len() + usize::from(name.as_bytes()[name.len() - 1])) & 3]
        };
        let old: Vec<Vec<u8>> = names.iter().map(|name| record(name, "old")).collect();
        let new: Vec<Vec<u8>> = names.iter().map(|name| record(name, "new")).collect();
        let touch = |place: usize, record, fate| Touch {
            hash: hash(&names[place]),
            record,
            fate,
        };
        let all: Vec<Touch<'_>> = (0..100)
            .map(|place| touch(place, &*old[place], Fate::Kept))
            .collect();
        let first = Shard::default().with(&all);
        assert_eq!(first.len(), 100);
        let second = first.with(&[
            touch(3, &old[3], Fate::Gone),
            touch(4, &old[4], Fate::Gone),
            touch(4, &new[4], Fate::Kept),
            touch(5, &new[5], Fate::Kept),
            touch(6, &new[6], Fate::Kept),
            touch(6, &new[6], Fate::Gone),
        ]);
        assert_eq!(second.len(), 98);
        for (place, name) in names.iter().enumerate() {
            let uid = |shard: &Shard| {
                let found = shard.find(hash(name), &identity(name));
                found.map(|found| found.uid().unwrap().to_vec())
            };
            assert_eq!(uid(&first), Some(b"old".to_vec()), "{name}");
            let expected = match place {
                3 | 6 => None,
                4 | 5 => Some(b"new".to_vec()),
                _ => Some(b"old".to_vec()),
            };
            assert_eq!(uid(&second), expected, "{name}");
        }
        assert!(first.find(0, &identity("nobody")).is_none());
        assert!(Shard::default().find(0, &identity("nobody")).is_none());
        assert!(Arc::ptr_eq(first.bytes(), first.clone().bytes()));
    }
}
