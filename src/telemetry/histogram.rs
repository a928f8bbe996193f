//! A histogram with fixed bounds: an array of counters.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Counts durations by bounds. What is above the last bound is counted beside them.
#[derive(Debug)]
pub struct Histogram<const N: usize> {
    /// In nanoseconds, rising.
    bounds: [u64; N],
    buckets: [AtomicU64; N],
    above: AtomicU64,
    /// In nanoseconds; enough for 584 years of them.
    sum: AtomicU64,
}

/// What a histogram holds.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Counted {
    /// The sum, in seconds.
    pub sum: f64,
    /// How many were counted.
    pub count: u64,
    /// The bounds in seconds, each with how many stand between it and the bound before. The last
    /// bound is infinite.
    pub buckets: Vec<(f64, u64)>,
}

impl<const N: usize> Histogram<N> {
    /// An empty histogram with bounds in nanoseconds, which rise.
    pub fn new(bounds: [u64; N]) -> Self {
        Self {
            bounds,
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            above: AtomicU64::new(0),
            sum: AtomicU64::new(0),
        }
    }

    /// Counts a duration.
    pub fn observe(&self, duration: Duration) {
        self.observe_together(duration, 1);
    }

    /// Counts so many of which only the whole duration is known: each as their mean.
    pub fn observe_together(&self, whole: Duration, count: u64) {
        let whole = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
        let Some(each) = whole.checked_div(count) else {
            return;
        };
        let place = self.bounds.partition_point(|bound| *bound < each);
        let bucket = self.buckets.get(place).unwrap_or(&self.above);
        bucket.fetch_add(count, Ordering::Relaxed);
        self.sum.fetch_add(whole, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub fn read(&self) -> Counted {
        let counts = self.buckets.iter().chain([&self.above]);
        let bounds = self
            .bounds
            .iter()
            .copied()
            .map(seconds)
            .chain([f64::INFINITY]);
        let buckets: Vec<(f64, u64)> = bounds
            .zip(counts.map(|count| count.load(Ordering::Relaxed)))
            .collect();
        Counted {
            sum: seconds(self.sum.load(Ordering::Relaxed)),
            count: buckets.iter().map(|(_, count)| count).sum(),
            buckets,
        }
    }
}

impl Counted {
    /// Adds what another histogram of the same bounds holds.
    pub fn add(&mut self, other: &Self) {
        self.sum += other.sum;
        self.count += other.count;
        if self.buckets.is_empty() {
            self.buckets.clone_from(&other.buckets);
            return;
        }
        for ((_, own), (_, further)) in self.buckets.iter_mut().zip(&other.buckets) {
            *own += further;
        }
    }
}

fn seconds(nanoseconds: u64) -> f64 {
    Duration::from_nanos(nanoseconds).as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_counted_at_their_bounds() {
        let histogram = Histogram::new([1_000, 2_000]);
        for nanoseconds in [0, 1_000, 1_001, 2_000, 2_001, u64::MAX / 2] {
            histogram.observe(Duration::from_nanos(nanoseconds));
        }
        let mut counted = histogram.read();
        let counts: Vec<u64> = counted.buckets.iter().map(|(_, count)| *count).collect();
        assert_eq!((counted.count, &*counts), (6, &[2, 2, 2][..]));
        counted.add(&histogram.read());
        assert_eq!((counted.count, counted.buckets[0].1), (12, 4));
    }

    #[test]
    fn what_is_known_together_is_counted_by_its_mean() {
        let histogram = Histogram::new([1_000, 2_000]);
        histogram.observe_together(Duration::from_nanos(4_500), 3);
        histogram.observe_together(Duration::from_nanos(9), 0);
        let counted = histogram.read();
        let counts: Vec<u64> = counted.buckets.iter().map(|(_, count)| *count).collect();
        assert_eq!((counted.count, &*counts), (3, &[0, 3, 0][..]));
        assert!((counted.sum - 4.5e-6).abs() < 1e-12);
    }
}
