//! What the bench tells: a row for each figure. A ratio is the median of the ratios of the rounds, but
//! for tails, which are of the histograms of all rounds.

use super::point::point;
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
    let voids = match voids {
        0 => String::new(),
        some => format!("; {some} of {} rounds are void", rounds.len()),
    };
    Row {
        figure: &format!("grpc: {name}"),
        value: own,
        unit,
        target,
        anchor: &format!("{other:.digits$} {unit}{voids}"),
        ratio: Some(median(&ratios)),
        spread: Some([least, most]),
        distinct: served::DISTINCT,
    }
    .print();
}

/// Prints a tail of the merged histograms of ours and of what it stands beside; the spread is that of
/// the ratios of the rounds.
pub(crate) fn merged(figure: &str, [own, other]: [f64; 2], rounds: &[(f64, f64)], target: &str) {
    let ratios = rounds.iter().map(|round| round.0 / round.1);
    let least = ratios.clone().fold(f64::INFINITY, f64::min);
    let most = ratios.fold(0.0, f64::max);
    let (name, unit) = figure.rsplit_once(", ").unwrap_or((figure, ""));
    Row {
        figure: &format!("grpc: {name}"),
        value: own,
        unit,
        target,
        anchor: &format!("{other:.1} {unit}"),
        ratio: Some(own / other),
        spread: Some([least, most]),
        distinct: served::DISTINCT,
    }
    .print();
}

/// Prints the points of rounds: calls a second of ours and of the bare method.
pub(crate) fn rounds(socket: &str, rounds: &[(Load, Load)]) {
    for (place, (own, floor)) in rounds.iter().enumerate() {
        let round = place as f64 + 1.0;
        point("rounds", &format!("tagwarden, {socket}"), round, own.rate);
        point(
            "rounds",
            &format!("bare tonic, {socket}"),
            round,
            floor.rate,
        );
    }
}
