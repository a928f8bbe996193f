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

/// How many shards a map has: enough that the writer rarely has the one that a reader wants, and few
/// enough that their heads, 128 bytes each, stay in the nearest caches: a look-up begins there.
const SHARDS: usize = 256;

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
        Self::with_capacity(0)
    }
}

impl Resources {
    /// An empty one with place for so many.
    pub(super) fn with_capacity(count: usize) -> Self {
        let hasher = RandomState::default;
        let map = || DashMap::with_capacity_and_hasher_and_shard_amount(count, hasher(), SHARDS);
        Self {
            maps: [map(), map()],
        }
    }

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::super::Directory;
    use crate::model::resource::{LiveResource, Version, Write};

    fn write(number: u64, version: u64) -> Write {
        let arn = format!("acs:ecs:cn-a:1:instance/{number}");
        let next = LiveResource {
            arn: arn.as_str().try_into().unwrap(),
            account: None,
            region: None,
            kind: None,
            group: None,
            version: Version(version),
            tags: BTreeMap::new(),
            primaries: Vec::new(),
        };
        Write {
            arn: next.arn.clone(),
            expected: None,
            next: Some(next),
        }
    }

    #[test]
    fn a_reader_does_not_wait_for_a_lock() {
        let directory = Directory::default();
        directory.apply(&[write(0, 1)]);
        let resources = directory.resources.load();
        let arn = "acs:ecs:cn-a:1:instance/0";
        for map in &resources.maps {
            let held = map.get_mut(arn.as_bytes()).unwrap();
            let found = resources.find(arn).unwrap();
            assert_eq!((found.arn(), found.version()), (arn, Version(1)));
            drop(held);
        }
    }

    #[test]
    fn a_reader_finds_what_stays_and_never_goes_back() {
        let (directory, done) = (Directory::default(), AtomicBool::new(false));
        directory.apply(&[write(0, 1)]);
        let read = || {
            let (mut newest, mut times) = (Version(0), 0_u64);
            while !done.load(Ordering::Relaxed) || times == 0 {
                let found = directory.find("acs:ecs:cn-a:1:instance/0").unwrap();
                assert!(found.version() >= newest);
                newest = found.version();
                times += 1;
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(read);
            scope.spawn(read);
            for version in 2..3_000 {
                // Shards grow beside it.
                directory.apply(&[write(version, version), write(0, version)]);
            }
            done.store(true, Ordering::Relaxed);
        });
    }
}
