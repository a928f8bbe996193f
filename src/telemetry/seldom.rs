//! Lines of the log that anybody can cause: at most one a second.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// Lets one through in each second, and counts the others.
#[derive(Debug)]
pub struct Seldom {
    start: Instant,
    /// The second after `start` in which the last went through, from 1; 0 before the first.
    last: AtomicU64,
    skipped: AtomicU64,
}

impl Default for Seldom {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            last: AtomicU64::new(0),
            skipped: AtomicU64::new(0),
        }
    }
}

impl Seldom {
    /// How many were held back since the last that went through, if this one goes through.
    pub fn pass(&self) -> Option<u64> {
        let now = self.start.elapsed().as_secs().saturating_add(1);
        if self.last.swap(now, Ordering::Relaxed) == now {
            self.skipped.fetch_add(1, Ordering::Relaxed);
            None
        } else {
            Some(self.skipped.swap(0, Ordering::Relaxed))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_one() {
        let seldom = Seldom::default();
        let passed = (0..1_000).filter(|_| seldom.pass().is_some()).count();
        let seconds = usize::try_from(seldom.start.elapsed().as_secs()).unwrap();
        assert!((1..=seconds + 1).contains(&passed), "{passed}");
    }
}
