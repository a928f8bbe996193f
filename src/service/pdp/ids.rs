//! Ids of decisions: unique, cheap, and made without asking the system.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// Makes ids that start with a random source and count up.
#[derive(Debug)]
pub(crate) struct DecisionIds {
    source: u64,
    next: AtomicU64,
}

impl Default for DecisionIds {
    /// A new source, from the process' random keys.
    fn default() -> Self {
        Self {
            source: RandomState::new().hash_one("decision"),
            next: AtomicU64::new(1),
        }
    }
}

impl DecisionIds {
    /// The next id: 16 hexadecimal digits of the source, `-`, and the count.
    pub(crate) fn next(&self) -> String {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}-{count:x}", self.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_within_a_source_and_between_sources() {
        let (one, other) = (DecisionIds::default(), DecisionIds::default());
        assert_ne!(one.next(), one.next());
        assert_ne!(one.next(), other.next());
        assert_ne!(one.source, other.source);
    }
}
