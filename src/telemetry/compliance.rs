//! How many resources come to what, by the key that a tag policy asks for and by type.
//!
//! So many pairs are counted by themselves, those that came first; all others together. A pair
//! keeps its place as long as the counters live, so that what was added is taken away where it
//! stands.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::model::compliance::KeyOutcome;
use crate::model::verdict::limits;

/// How many resources come to each outcome, by its place.
type Counts = [u64; KeyOutcome::ALL.len()];

/// Resources by key, type and outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ByKey {
    pairs: BTreeMap<Box<str>, BTreeMap<Box<str>, Counts>>,
    len: usize,
    other: Counts,
}

/// The resources of one key and type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyCounts<'c> {
    /// Key and type; `None`: all beyond the limit.
    pub pair: Option<(&'c str, &'c str)>,
    counts: &'c Counts,
}

impl KeyCounts<'_> {
    /// How many come to an outcome.
    pub fn of(&self, outcome: KeyOutcome) -> u64 {
        self.counts
            .get(outcome.place())
            .copied()
            .unwrap_or_default()
    }

    fn is_zero(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }
}

impl ByKey {
    /// Counts a resource.
    pub fn add(&mut self, key: &str, kind: &str, outcome: KeyOutcome) {
        if let Some(count) = self.place(key, kind).get_mut(outcome.place()) {
            *count = count.saturating_add(1);
        }
    }

    /// Takes away a resource that was counted.
    pub fn take(&mut self, key: &str, kind: &str, outcome: KeyOutcome) {
        if let Some(count) = self.place(key, kind).get_mut(outcome.place()) {
            *count = count.saturating_sub(1);
        }
    }

    /// What was counted, by key and type, and what is beyond the limit; without what is zero.
    pub fn iter(&self) -> impl Iterator<Item = KeyCounts<'_>> {
        let pairs = self.pairs.iter().flat_map(|(key, kinds)| {
            kinds.iter().map(|(kind, counts)| KeyCounts {
                pair: Some((&**key, &**kind)),
                counts,
            })
        });
        let other = KeyCounts {
            pair: None,
            counts: &self.other,
        };
        pairs.chain([other]).filter(|counted| !counted.is_zero())
    }

    /// How many come to an outcome, of all keys and types.
    pub fn total(&self, outcome: KeyOutcome) -> u64 {
        self.iter().map(|counted| counted.of(outcome)).sum()
    }

    fn place(&mut self, key: &str, kind: &str) -> &mut Counts {
        let is_known = self
            .pairs
            .get(key)
            .is_some_and(|kinds| kinds.contains_key(kind));
        if !is_known && self.len >= limits::SERIES {
            return &mut self.other;
        }
        self.len += usize::from(!is_known);
        let kinds = self.pairs.entry(key.into()).or_default();
        kinds.entry(kind.into()).or_default()
    }
}

/// The counters of all resources, as the directory's writer keeps them.
#[derive(Debug, Clone)]
pub struct Compliance(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    counts: ByKey,
    /// Since when they do not follow what is written; `None`: they do.
    stale_since: Option<Instant>,
}

/// Nothing was counted yet.
impl Default for Compliance {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(State {
            counts: ByKey::default(),
            stale_since: Some(Instant::now()),
        })))
    }
}

impl Compliance {
    /// The counters, and for how long they have not followed what is written.
    pub fn read(&self) -> (ByKey, Duration) {
        let state = self.state();
        let since = state.stale_since.map(|since| since.elapsed());
        (state.counts.clone(), since.unwrap_or_default())
    }

    /// Counts what was written.
    pub fn change(&self, change: impl FnOnce(&mut ByKey)) {
        change(&mut self.state().counts);
    }

    /// The counters do not follow from now on.
    pub fn stop(&self) {
        self.state().stale_since.get_or_insert_with(Instant::now);
    }

    /// Puts new counters in their place, which follow what is written.
    pub fn put(&self, counts: ByKey) {
        let mut state = self.state();
        state.counts = counts;
        state.stale_since = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each count is whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Key and type, and how many comply and lack the key.
    type Row<'c> = (Option<(&'c str, &'c str)>, u64, u64);

    fn told(counts: &ByKey) -> Vec<Row<'_>> {
        let told = counts.iter().map(|counted| {
            let (good, missing) = (KeyOutcome::Compliant, KeyOutcome::Missing);
            (counted.pair, counted.of(good), counted.of(missing))
        });
        told.collect()
    }

    #[test]
    fn what_is_taken_away_was_counted_in_the_same_place() {
        let mut counts = ByKey::default();
        counts.add("env", "ecs:disk", KeyOutcome::Missing);
        counts.add("env", "ecs:disk", KeyOutcome::Compliant);
        counts.add("env", "ecs:eni", KeyOutcome::Compliant);
        counts.take("env", "ecs:disk", KeyOutcome::Missing);
        counts.take("env", "ecs:eni", KeyOutcome::Compliant);
        assert_eq!(told(&counts), [(Some(("env", "ecs:disk")), 1, 0)]);
        assert_eq!(counts.total(KeyOutcome::Compliant), 1);
    }

    #[test]
    fn beyond_the_limit_pairs_are_counted_together() {
        let mut counts = ByKey::default();
        let kind = |number: usize| format!("a:{number:05}");
        for number in 0..limits::SERIES + 7 {
            counts.add("env", &kind(number), KeyOutcome::Missing);
        }
        assert_eq!(counts.iter().count(), limits::SERIES + 1);
        assert_eq!(told(&counts).last(), Some(&(None, 0, 7)));
        // A place that is empty by now is still taken: what came later stays with the others.
        counts.take("env", &kind(0), KeyOutcome::Missing);
        counts.take("env", &kind(limits::SERIES), KeyOutcome::Missing);
        counts.add("env", &kind(limits::SERIES + 1), KeyOutcome::Compliant);
        assert_eq!(told(&counts).last(), Some(&(None, 1, 6)));
        assert_eq!(counts.iter().count(), limits::SERIES);
    }
}
