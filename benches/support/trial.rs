//! Single calls, one at a time and in a row, in rounds of which each has another order.

use std::hint::black_box;
use std::time::Instant;

use hdrhistogram::Histogram;
use tagwarden::engine::decide;
use tagwarden::engine::request::Request;
use tagwarden::snapshot::Snapshot;

use super::profiles::Shares;
use super::profiles::random::Random;
use super::rounds::median;
use super::row::Row;

/// The most that the median and the 99th percentile should be, in nanoseconds.
pub(crate) type Targets = (&'static str, &'static str);

/// Places in an order that changes from round to round.
pub(crate) struct Order {
    places: Vec<usize>,
    random: Random,
}

impl Order {
    pub(crate) fn new(count: usize, seed: u64) -> Self {
        Self {
            places: (0..count).collect(),
            random: Random::new(seed),
        }
    }

    /// The next order.
    pub(crate) fn next(&mut self) -> &[usize] {
        for place in (1..self.places.len()).rev() {
            self.places.swap(place, self.random.below(place + 1));
        }
        &self.places
    }
}

/// What is asked of a snapshot, and what it took until now.
pub(crate) struct Trial<'a> {
    snapshot: &'a Snapshot,
    requests: &'a [Request<'a>],
    order: Order,
    clock: u64,
    histogram: Histogram<u64>,
    medians: Vec<f64>,
    means: Vec<f64>,
}

impl<'a> Trial<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, requests: &'a [Request<'a>]) -> Self {
        Self {
            snapshot,
            requests,
            order: Order::new(requests.len(), 7),
            clock: clock(),
            histogram: Histogram::new(3).unwrap(),
            medians: Vec::new(),
            means: Vec::new(),
        }
    }

    /// Asks all: in a row, and then each by itself.
    pub(crate) fn round(&mut self) {
        let order = self.order.next();
        let (snapshot, requests) = (self.snapshot, self.requests);
        let ask = |place: usize| decide(snapshot, black_box(&requests[place]));
        self.means.push(in_a_row(order, ask));
        let mut round = Histogram::<u64>::new(3).unwrap();
        for &place in order {
            let start = Instant::now();
            let _ = black_box(ask(place));
            let spent = u64::try_from(start.elapsed().as_nanos()).unwrap();
            round.record(spent.saturating_sub(self.clock)).unwrap();
        }
        self.medians.push(round.value_at_quantile(0.5) as f64);
        self.histogram.add(round).unwrap();
    }

    /// The median of each round.
    pub(crate) fn medians(&self) -> &[f64] {
        &self.medians
    }

    /// Medians are of the rounds, tails of all calls.
    pub(crate) fn measured(&self) -> Measured {
        let (p50, p50_spread) = median(self.medians.clone());
        let (mean, mean_spread) = median(self.means.clone());
        Measured {
            histogram: self.histogram.clone(),
            p50,
            p50_spread,
            mean,
            mean_spread,
            distinct: self.requests.len(),
            shares: Shares::of(self.snapshot, self.requests),
        }
    }
}

/// The mean time of a call, in nanoseconds.
pub(crate) fn in_a_row<T>(order: &[usize], mut call: impl FnMut(usize) -> T) -> f64 {
    let start = Instant::now();
    for &place in order {
        black_box(call(place));
    }
    start.elapsed().as_nanos() as f64 / order.len() as f64
}

/// What two readings of the clock cost.
pub(crate) fn clock() -> u64 {
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    for _ in 0..10_000 {
        let start = Instant::now();
        histogram
            .record(u64::try_from(start.elapsed().as_nanos()).unwrap())
            .unwrap();
    }
    histogram.value_at_quantile(0.5)
}

/// Single calls, and calls in a row, in nanoseconds.
pub(crate) struct Measured {
    histogram: Histogram<u64>,
    pub(crate) p50: f64,
    p50_spread: [f64; 2],
    mean: f64,
    mean_spread: [f64; 2],
    distinct: usize,
    shares: Shares,
}

impl Measured {
    /// A percentile of all calls.
    pub(crate) fn at(&self, percentile: f64) -> f64 {
        self.histogram.value_at_percentile(percentile) as f64
    }

    pub(crate) fn tell(&self, name: &str, (p50, p99): Targets) {
        let row = |figure: &str, value, target, spread| {
            Row {
                figure: &format!("latency: {name}, {figure}"),
                value,
                unit: "ns",
                target,
                spread,
                distinct: self.distinct,
                ..Row::default()
            }
            .print();
        };
        row("p50", self.p50, p50, Some(self.p50_spread));
        row("p99", self.at(99.0), p99, None);
        row("p99.9", self.at(99.9), "", None);
        row("mean in a row", self.mean, "", Some(self.mean_spread));
        eprintln!("{name}: {}", self.shares);
    }
}
