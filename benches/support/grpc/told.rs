//! What the bench tells: a line for each figure, its columns apart by tabs.

use super::served;

/// The names of the columns. A ratio is the median of the ratios of the rounds.
pub(crate) fn heading() {
    println!("figure\tvalue\tunit\ttarget\tanchor\tratio\tspread\tdistinct\tvoid");
}

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
    row(name, &rates, ">= 10 of single calls", 0, voids.count());
    let costs: Vec<(f64, f64)> = rounds
        .iter()
        .map(|(one, other)| (one.cost * 1e6, other.cost * 1e6))
        .collect();
    let name = name.replace(", decisions/s", ": server's time a decision, µs");
    row(&name, &costs, "<= 0.1 of single calls", 2, 0);
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
    let (figure, unit) = figure.rsplit_once(", ").unwrap_or((figure, "-"));
    println!(
        "{figure}\t{own:.digits$}\t{unit}\t{target}\t{other:.digits$}\t{:.3}\t{least:.3} to {most:.3}\t{}\t{voids} of {}",
        median(&ratios),
        served::DISTINCT,
        rounds.len()
    );
}
