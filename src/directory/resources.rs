//! The resources by their ARNs, for readers who wait for nobody.
//!
//! There are two maps that hold the same. The one writer changes the first, lets it go, and changes
//! the second, so that it never holds a lock in both: where a reader finds a shard of the first
//! locked it looks into the second. So a reader waits neither while a shard grows nor while the
//! writer is held up by the system in the middle of a change.
//!
//! What a reader finds never goes back: the second map has every change that the first had before
//! the one that locks it.

use std::borrow::Borrow;
use std::hash::{Hash, Hasher};

use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Place;
use dashmap::try_result::TryResult;
use foldhash::fast::RandomState;

use super::entry::Entry;

/// How many shards a map has: enough that readers do not meet, few enough that an empty directory
/// is small.
const SHARDS: usize = 2_048;

/// The resources of a directory.
#[derive(Debug)]
pub(super) struct Resources {
    maps: [Map; 2],
}

type Map = DashMap<ByArn, (), RandomState>;

/// An entry by its ARN as written.
#[derive(Debug)]
struct ByArn(Entry);

impl Borrow<[u8]> for ByArn {
    fn borrow(&self) -> &[u8] {
        self.0.arn_bytes()
    }
}

impl PartialEq for ByArn {
    fn eq(&self, other: &Self) -> bool {
        self.0.arn_bytes() == other.0.arn_bytes()
    }
}

impl Eq for ByArn {}

impl Hash for ByArn {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        self.0.arn_bytes().hash(hasher);
    }
}

impl Default for Resources {
    fn default() -> Self {
        let map = || DashMap::with_hasher_and_shard_amount(RandomState::default(), SHARDS);
        Self {
            maps: [map(), map()],
        }
    }
}

impl Resources {
    /// What is known of a resource.
    pub(super) fn find(&self, arn: &str) -> Option<Entry> {
        // It ends: of two maps that were locked one after the other the writer has left the first.
        loop {
            for map in &self.maps {
                match map.try_get(arn.as_bytes()) {
                    TryResult::Present(found) => return Some(found.key().0.clone()),
                    TryResult::Absent => return None,
                    TryResult::Locked => {}
                }
            }
            std::hint::spin_loop();
        }
    }

    /// Puts an entry where a reader finds the one before it, or this one, and never none. There is
    /// one writer.
    pub(super) fn put(&self, entry: &Entry) {
        for map in &self.maps {
            match map.entry(ByArn(entry.clone())) {
                Place::Occupied(place) => drop(place.replace_entry(())),
                Place::Vacant(place) => drop(place.insert(())),
            }
        }
    }

    /// Takes an entry out.
    pub(super) fn remove(&self, arn: &str) -> Option<Entry> {
        let mut removed = None;
        for map in &self.maps {
            removed = map.remove(arn.as_bytes());
        }
        removed.map(|(ByArn(entry), ())| entry)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        let [first, _] = &self.maps;
        first.len()
    }
}
