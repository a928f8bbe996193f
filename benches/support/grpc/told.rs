//! What the bench tells: a row for each figure. A ratio is the median of the ratios of the rounds.

use super::row::Row;
use super::served;

/// Calls a second, and processor time of the server a call.
#[derive(Clone, Copy)]
pub(crate) struct Load {
    pub(crate) rate: f64,
    pub(crate) cost: f64,
    pub(crate) is_void: bool,
}

/// Prints what calls of many questions came to beside single calls.
pub(crate) fn beside_single(name: &str, rounds: &[(Load, Load)]) {
    let voids = rounds
        .iter()
        .filter(|(one, other)| one.is_void || other.is_void);
    let rates: Vec<(f64, f64)> = rounds
        .iter()
        .map(|(one, other)| (one.rate, other.rate))
        .collect();
    row(name, &rates, "ratio >= 10", 0, voids.count());
    let costs: Vec<(f64, f64)> = rounds
        .iter()
        .map(|(one, other)| (one.cost * 1e6, other.cost * 1e6))
        .collect();
    let name = name.replace(", decisions/s", ": server's time a decision, µs");
    row(&name, &costs, "ratio <= 0.1", 2, 0);
}

/// Prints a figure: the medians of ours and of what it stands beside, and of their ratios.
pub(crate) fn row(figure: &str, rounds: &[(f64, f64)], target: &str, digits: usize, voids: usize) {
    let sorted = |mut values: Vec<f64>| {
        values.sort_by(f64::total_cmp);
        values
    };
    let median = |values: &[f64]| values[values.len() / 2];
    let own = median(&sorted(rounds.iter().map(|round| round.0).collect()));
    let other = median(&sorted(rounds.iter().map(|round| round.1).collect()));
    let ratios = sorted(rounds.iter().map(|round| round.0 / round.1).collect());
    let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
    let (name, unit) = figure.rsplit_once(", ").unwrap_or((figure, ""));
    Row {
        figure: &format!("grpc: {name}"),
        value: own,
        unit,
        target,
        anchor: &format!("{other:.digits$} {unit}"),
        ratio: Some(median(&ratios)),
        spread: Some([least, most]),
        distinct: served::DISTINCT,
    }
    .print();
    if voids > 0 {
        println!("{name}: {voids} of {} rounds are void", rounds.len());
    }
}
