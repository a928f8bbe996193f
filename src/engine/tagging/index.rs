//! Which of a few tags may have a key, without a look at all of them.
//!
//! Keys that are equal after folding share a bucket, unless one of them has characters beyond
//! ASCII: those stand apart, and are near to every key. Nothing is allocated.

use std::ops::Range;

/// The most places that an index can hold.
pub(super) const MOST: usize = 254;

const BUCKETS: usize = 128;

/// Places 0, 1, 2 … in the order in which their keys were added.
#[derive(Debug)]
pub(super) struct Index {
    buckets: [Link; BUCKETS],
    beyond: Link,
    next: [Link; MOST],
    count: usize,
}

/// One more than a place; 0: the end.
type Link = u8;

impl Default for Index {
    fn default() -> Self {
        Self {
            buckets: [0; BUCKETS],
            beyond: 0,
            next: [0; MOST],
            count: 0,
        }
    }
}

impl Index {
    /// Gives a key the next place. A key without a place is near to none: the caller holds no more
    /// than [`MOST`].
    pub(super) fn add(&mut self, key: &str) {
        let head = match bucket(key) {
            Some(bucket) => self.buckets.get_mut(bucket),
            None => Some(&mut self.beyond),
        };
        if let (Some(head), Some(next)) = (head, self.next.get_mut(self.count))
            && let Ok(link) = u8::try_from(self.count + 1)
        {
            *next = std::mem::replace(head, link);
            self.count += 1;
        }
    }

    /// The places of all keys that may be equal to a key after folding.
    pub(super) fn near(&self, key: &str) -> Near<'_> {
        let (own, beyond, all) = match bucket(key) {
            Some(bucket) => (self.buckets.get(bucket).copied(), self.beyond, 0),
            None => (None, 0, self.count),
        };
        Near {
            next: &self.next,
            own: own.unwrap_or(0),
            beyond,
            all: 0..all,
        }
    }
}

/// Places that are left to be told: two chains, then all.
pub(super) struct Near<'i> {
    next: &'i [Link; MOST],
    own: Link,
    beyond: Link,
    all: Range<usize>,
}

impl Iterator for Near<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        if self.own == 0 {
            self.own = std::mem::take(&mut self.beyond);
        }
        let Some(place) = usize::from(self.own).checked_sub(1) else {
            return self.all.next();
        };
        self.own = self.next.get(place).copied().unwrap_or(0);
        Some(place)
    }
}

/// What folded keys have in common, at a glance: their length and four of their characters, the
/// last two among them, by which numbered keys differ. `None`: the key is not ASCII alone.
fn bucket(key: &str) -> Option<usize> {
    let bytes = key.as_bytes();
    if bytes.is_empty() || !bytes.is_ascii() {
        return None;
    }
    let length = bytes.len();
    let mut hash = u32::try_from(length).ok()?;
    for place in [0, length / 2, length.saturating_sub(2), length - 1] {
        let byte = bytes.get(place)?.to_ascii_lowercase();
        hash = (hash ^ u32::from(byte)).wrapping_mul(0x9e37_79b1);
    }
    // The upper bits of the product depend on all of the lower ones.
    usize::try_from(hash >> (32 - BUCKETS.ilog2())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::text::eq_fold;

    #[test]
    fn every_equal_key_is_near() {
        let keys = [
            "Env",
            "env",
            "ENV",
            "kind",
            "\u{212a}ind",
            "äpp",
            "Äpp",
            "",
            "e",
            "team",
        ];
        let mut index = Index::default();
        for key in keys {
            index.add(key);
        }
        for (place, key) in keys.iter().enumerate() {
            for other in keys {
                let near = index.near(other).any(|found| found == place);
                assert!(near || !eq_fold(key, other), "{key} {other}");
            }
        }
        assert!(index.near("team").count() < keys.len());
    }

    #[test]
    fn all_places_are_found_and_no_more_are_taken() {
        let mut index = Index::default();
        for _ in 0..MOST + 10 {
            index.add("same");
        }
        assert_eq!(index.near("SAME").count(), MOST);
        assert_eq!(index.near("other").count(), 0);
    }
}
