//! Writes of the directory: how many, how many together, and how long the disk takes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::histogram::{Counted, Histogram};

/// The bounds of the times of a sync, in nanoseconds.
const SYNC_BOUNDS: [u64; 12] = [
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    500_000_000,
    2_500_000_000,
];

/// The bounds of how many changes are one group.
const GROUP_BOUNDS: [usize; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];

/// Counters of the directory's writer.
#[derive(Debug, Clone)]
pub struct DirectoryWrites(Arc<Counters>);

#[derive(Debug)]
struct Counters {
    changes: AtomicU64,
    resources: AtomicU64,
    /// Groups by how many changes they hold; the last beyond all bounds.
    groups: [AtomicU64; GROUP_BOUNDS.len() + 1],
    sync: Histogram<{ SYNC_BOUNDS.len() }>,
    failing: AtomicBool,
}

impl Default for DirectoryWrites {
    fn default() -> Self {
        Self(Arc::new(Counters {
            changes: AtomicU64::new(0),
            resources: AtomicU64::new(0),
            groups: Default::default(),
            sync: Histogram::new(SYNC_BOUNDS),
            failing: AtomicBool::new(false),
        }))
    }
}

impl DirectoryWrites {
    /// Counts a group that was committed: its changes, and the resources that they wrote.
    pub fn grouped(&self, changes: usize, resources: usize) {
        if changes == 0 {
            return;
        }
        let add = |counter: &AtomicU64, count| {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            counter.fetch_add(count, Ordering::Relaxed);
        };
        add(&self.0.changes, changes);
        add(&self.0.resources, resources);
        let place = GROUP_BOUNDS.partition_point(|bound| *bound < changes);
        if let Some(counter) = self.0.groups.get(place) {
            add(counter, 1);
        }
    }

    /// Notes how long the disk took for a group.
    pub fn synced(&self, duration: Duration) {
        self.0.sync.observe(duration);
    }

    /// Notes whether the file cannot be written.
    pub fn set_failing(&self, failing: bool) {
        self.0.failing.store(failing, Ordering::Relaxed);
    }

    /// Whether the file cannot be written.
    pub fn is_failing(&self) -> bool {
        self.0.failing.load(Ordering::Relaxed)
    }

    /// How many changes were committed.
    pub fn changes(&self) -> u64 {
        self.0.changes.load(Ordering::Relaxed)
    }

    /// How many resources they wrote.
    pub fn resources(&self) -> u64 {
        self.0.resources.load(Ordering::Relaxed)
    }

    /// How many changes were one group: each bound with the groups up to it, and the sum.
    #[expect(
        clippy::cast_precision_loss,
        reason = "a metric: no server writes more than a float counts"
    )]
    pub fn groups(&self) -> Counted {
        let bounds = GROUP_BOUNDS.iter().map(|bound| *bound as f64);
        let counts = self
            .0
            .groups
            .iter()
            .map(|count| count.load(Ordering::Relaxed));
        let buckets: Vec<(f64, u64)> = bounds.chain([f64::INFINITY]).zip(counts).collect();
        Counted {
            sum: self.changes() as f64,
            count: buckets.iter().map(|(_, count)| count).sum(),
            buckets,
        }
    }

    /// How long the disk took.
    pub fn syncs(&self) -> Counted {
        self.0.sync.read()
    }
}
