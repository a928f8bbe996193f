//! Ids of decisions: unique, cheap, and made without asking the system.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use arrayvec::ArrayString;

use crate::wire::encode::hex;

/// The id of one decision: 16 hexadecimal digits of the source, `-`, and the count.
pub(crate) type DecisionId = ArrayString<33>;

/// Makes ids that start with a random source and count up.
#[derive(Debug)]
pub(crate) struct DecisionIds {
    /// The source and what stands before the count.
    start: DecisionId,
    next: AtomicU64,
}

impl Default for DecisionIds {
    /// A new source, from the process' random keys.
    fn default() -> Self {
        Self {
            start: start(RandomState::new().hash_one("decision")),
            next: AtomicU64::new(1),
        }
    }
}

impl DecisionIds {
    /// The next id.
    pub(crate) fn next(&self) -> DecisionId {
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let mut id = self.start;
        let digits = hex(count);
        // At least the last digit is written.
        let zeros = (count | 1).leading_zeros() / 4;
        let written = usize::try_from(zeros)
            .ok()
            .and_then(|zeros| digits.get(zeros..));
        // INVARIANT: digits are ASCII.
        id.push_str(
            written
                .and_then(|written| std::str::from_utf8(written).ok())
                .unwrap_or("0"),
        );
        id
    }
}

fn start(source: u64) -> DecisionId {
    let mut start = DecisionId::new();
    // INVARIANT: 16 digits and a dash are 17 bytes.
    let _ = write!(start, "{source:016x}-");
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_within_a_source_and_between_sources() {
        let (one, other) = (DecisionIds::default(), DecisionIds::default());
        assert_ne!(one.next(), one.next());
        assert_ne!(one.next(), other.next());
        assert_ne!(one.start, other.start);
    }

    #[test]
    fn counts_are_written_in_hexadecimal() {
        let check = |count: u64| {
            let ids = DecisionIds {
                start: start(7),
                next: AtomicU64::new(count),
            };
            assert_eq!(*ids.next(), format!("{:016x}-{count:x}", 7));
        };
        check(0);
        check(1);
        check(0x10);
        check(0xabc_def0);
        check(u64::MAX);
    }
}
