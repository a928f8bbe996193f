//! Answers compared, then decisions timed in rounds in which the engines take turns.
//!
//! Time is what this thread had of a processor: whoever shares the machine takes time from an engine
//! whose turn is long and none from one whose turn fits between two others, which no ratio survives.

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Engine;

/// How much is asked.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// The most distinct requests.
    pub requests: usize,
    /// The most time that comparing an engine's answers takes.
    pub comparing: Duration,
    /// How many rounds.
    pub rounds: usize,
    /// How long an engine's turn takes.
    pub turn: Duration,
}

/// The most requests of a turn: the processor's time is told by ticks of milliseconds, so that an
/// engine whose answers were compared between two ticks seems to need none.
const MOST: usize = 1_000_000;

/// An engine and how its requests were timed.
pub struct Runner {
    engine: Box<dyn Engine>,
    /// How many distinct requests were compared, and are timed.
    pub distinct: usize,
    /// Requests of a turn.
    turn: usize,
    next: usize,
    /// Nanoseconds a decision, by round.
    pub nanos: Vec<f64>,
}

/// Compares the answers of all engines with those of the first.
///
/// # Panics
///
/// When two differ: nothing is measured then.
#[must_use]
pub fn compared(engines: Vec<Box<dyn Engine>>, effort: &Effort) -> Vec<Runner> {
    let mut engines = engines.into_iter();
    let mut first = engines.next().expect("an engine");
    let all: Vec<bool> = (0..effort.requests)
        .map(|place| first.allows(place))
        .collect();
    let allowed = all.iter().filter(|allowed| **allowed).count();
    assert!(0 < allowed && allowed < all.len(), "one sort of answers");
    println!("{allowed} of {} requests are allowed", all.len());
    let mut runners = vec![Runner::new(first, &all, effort)];
    runners.extend(engines.map(|engine| Runner::new(engine, &all, effort)));
    runners
}

/// Times rounds.
pub fn time(runners: &mut [Runner], effort: &Effort) {
    for _ in 0..effort.rounds {
        for runner in &mut *runners {
            let warm = runner.turn / 4;
            runner.ask(warm);
            let begin = used();
            runner.ask(runner.turn);
            let spent = used().saturating_sub(begin);
            runner
                .nanos
                .push(spent.as_nanos() as f64 / runner.turn as f64);
        }
    }
}

impl Runner {
    /// Compares as many answers as there is time for.
    fn new(mut engine: Box<dyn Engine>, answers: &[bool], effort: &Effort) -> Self {
        let (begin, began) = (Instant::now(), used());
        let mut distinct = 0;
        for (place, expected) in answers.iter().enumerate() {
            let found = engine.allows(place);
            assert_eq!(found, *expected, "{}: request {place}", engine.name());
            distinct += 1;
            if begin.elapsed() > effort.comparing {
                break;
            }
        }
        let one = used().saturating_sub(began).as_nanos() / distinct as u128;
        let turn = effort.turn.as_nanos() / one.max(1);
        println!("{}: {distinct} answers agree", engine.name());
        Self {
            engine,
            distinct,
            turn: usize::try_from(turn).expect("fits").clamp(4, MOST),
            next: 0,
            nanos: Vec::new(),
        }
    }

    /// The engine's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.engine.name()
    }

    /// The median over rounds.
    #[must_use]
    pub fn median(&self) -> f64 {
        median(self.nanos.clone())
    }

    /// Goes on where the last turn ended.
    fn ask(&mut self, count: usize) {
        for _ in 0..count {
            black_box(self.engine.allows(self.next));
            self.next += 1;
            if self.next == self.distinct {
                self.next = 0;
            }
        }
    }
}

/// The time that this thread had of a processor so far.
fn used() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let nanos = text.split(' ').next().expect("a first number");
    Duration::from_nanos(nanos.parse().expect("a number"))
}

/// The middle one.
#[must_use]
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The least and the most.
#[must_use]
pub fn spread(values: &[f64]) -> [f64; 2] {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(0.0, f64::max);
    [least, most]
}
