//! Decisions, counted for each worker by itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::histogram::{Counted, Histogram};
use crate::model::caller::Rpc;

/// The bounds of the times that decisions take, in nanoseconds.
const BOUNDS: [u64; 19] = [
    1_000,
    2_000,
    5_000,
    10_000,
    20_000,
    50_000,
    100_000,
    200_000,
    500_000,
    1_000_000,
    2_000_000,
    5_000_000,
    10_000_000,
    20_000_000,
    50_000_000,
    100_000_000,
    200_000_000,
    500_000_000,
    1_000_000_000,
];

/// What a decision came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// ALLOW.
    Allow,
    /// DENY.
    Deny,
    /// None: the request was refused.
    Error,
}

impl Effect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Allow, Self::Deny, Self::Error];

    /// The value of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Error => "error",
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Allow => 0,
            Self::Deny => 1,
            Self::Error => 2,
        }
    }
}

/// How many decisions came to what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Made([u64; Effect::ALL.len()]);

impl Made {
    /// Adds one.
    pub fn add(&mut self, effect: Effect) {
        if let Some(count) = self.0.get_mut(effect.place()) {
            *count += 1;
        }
    }
}

/// What the tags of an operation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerdictOutcome {
    /// Nothing is wrong.
    Compliant,
    /// Something is wrong, and the operation goes on.
    Reported,
    /// The operation is intercepted.
    Intercepted,
    /// None: the request was refused.
    Error,
}

impl VerdictOutcome {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Compliant,
        Self::Reported,
        Self::Intercepted,
        Self::Error,
    ];

    /// The value of the label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compliant => "compliant",
            Self::Reported => "reported",
            Self::Intercepted => "intercepted",
            Self::Error => "error",
        }
    }

    fn place(self) -> usize {
        match self {
            Self::Compliant => 0,
            Self::Reported => 1,
            Self::Intercepted => 2,
            Self::Error => 3,
        }
    }
}

/// The counters of one worker. The alignment keeps those of two workers off one cache line.
#[derive(Debug)]
#[repr(align(128))]
pub struct Tally {
    decisions: [[AtomicU64; Effect::ALL.len()]; Rpc::ALL.len()],
    duration: Histogram<{ BOUNDS.len() }>,
    verdicts: [[AtomicU64; VerdictOutcome::ALL.len()]; Rpc::ALL.len()],
    verdict_duration: Histogram<{ BOUNDS.len() }>,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            decisions: Default::default(),
            duration: Histogram::new(BOUNDS),
            verdicts: Default::default(),
            verdict_duration: Histogram::new(BOUNDS),
        }
    }
}

impl Tally {
    /// Counts a decision.
    pub fn count(&self, rpc: Rpc, effect: Effect, duration: Duration) {
        if let Some(counter) = self.counter(rpc, effect) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        self.duration.observe(duration);
    }

    /// Counts decisions that were made one right after the other, and took so long in all.
    pub fn count_together(&self, rpc: Rpc, made: Made, whole: Duration) {
        for (effect, count) in Effect::ALL.into_iter().zip(made.0) {
            if count > 0
                && let Some(counter) = self.counter(rpc, effect)
            {
                counter.fetch_add(count, Ordering::Relaxed);
            }
        }
        self.duration.observe_together(whole, made.0.iter().sum());
    }

    /// Counts a verdict on tags.
    pub fn count_verdict(&self, rpc: Rpc, outcome: VerdictOutcome, duration: Duration) {
        self.count_outcome(rpc, outcome);
        self.verdict_duration.observe(duration);
    }

    /// Counts a verdict that is a part of something longer.
    pub fn count_outcome(&self, rpc: Rpc, outcome: VerdictOutcome) {
        if let Some(counter) = self.outcome(rpc, outcome) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn outcome(&self, rpc: Rpc, outcome: VerdictOutcome) -> Option<&AtomicU64> {
        self.verdicts
            .get(rpc.place())
            .and_then(|outcomes| outcomes.get(outcome.place()))
    }

    fn counter(&self, rpc: Rpc, effect: Effect) -> Option<&AtomicU64> {
        self.decisions
            .get(rpc.place())
            .and_then(|effects| effects.get(effect.place()))
    }
}

/// The counters of all workers.
#[derive(Debug, Clone, Default)]
pub struct Tallies(Arc<Mutex<Vec<Arc<Tally>>>>);

impl Tallies {
    /// New counters, for one worker.
    pub fn add(&self) -> Arc<Tally> {
        let tally = Arc::new(Tally::default());
        self.with(|all| all.push(Arc::clone(&tally)));
        tally
    }

    /// How many decisions of a call came to something.
    pub fn decisions(&self, rpc: Rpc, effect: Effect) -> u64 {
        self.with(|all| {
            let counters = all.iter().filter_map(|tally| tally.counter(rpc, effect));
            counters
                .map(|counter| counter.load(Ordering::Relaxed))
                .sum()
        })
    }

    /// How many verdicts of a call came to something.
    pub fn verdicts(&self, rpc: Rpc, outcome: VerdictOutcome) -> u64 {
        self.with(|all| {
            let counters = all.iter().filter_map(|tally| tally.outcome(rpc, outcome));
            counters
                .map(|counter| counter.load(Ordering::Relaxed))
                .sum()
        })
    }

    /// How long decisions took.
    pub fn durations(&self) -> Counted {
        self.sum(|tally| &tally.duration)
    }

    /// How long verdicts took.
    pub fn verdict_durations(&self) -> Counted {
        self.sum(|tally| &tally.verdict_duration)
    }

    fn sum(&self, of: impl Fn(&Tally) -> &Histogram<{ BOUNDS.len() }>) -> Counted {
        self.with(|all| {
            let mut sum = Counted::default();
            for tally in all.iter() {
                sum.add(&of(tally).read());
            }
            sum
        })
    }

    fn with<T>(&self, work: impl FnOnce(&mut Vec<Arc<Tally>>) -> T) -> T {
        // The list is whole at any time.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
