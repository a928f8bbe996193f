//! What a bench tells: a line for each figure, its columns apart by tabs, `-` where there is none.

/// One figure.
#[derive(Debug, Clone, Default)]
pub struct Row<'a> {
    /// What was measured.
    pub figure: &'a str,
    /// The value.
    pub value: f64,
    /// Its unit.
    pub unit: &'a str,
    /// The most that it should be.
    pub target: Option<f64>,
    /// What it is compared with, and the value of that.
    pub anchor: Option<(&'a str, f64)>,
    /// The widest distance of two rounds, as a part of the median.
    pub spread: Option<f64>,
    /// How many distinct requests were asked.
    pub distinct: Option<usize>,
}

/// The names of the columns.
pub fn heading() {
    println!("figure\tvalue\tunit\ttarget\tanchor\tratio\tspread\tdistinct");
}

impl Row<'_> {
    /// Prints the line. The ratio is to the anchor, or else to the target.
    pub fn print(&self) {
        let Self {
            figure,
            value,
            unit,
            target,
            anchor,
            spread,
            distinct,
        } = self;
        let number = |number: &f64| format!("{number:.2}");
        let shown = |part: Option<String>| part.unwrap_or_else(|| "-".to_owned());
        let beside = anchor.map(|(_, value)| value).or(*target);
        println!(
            "{figure}\t{}\t{unit}\t{}\t{}\t{}\t{}\t{}",
            number(value),
            shown(target.as_ref().map(number)),
            shown(anchor.map(|(name, value)| format!("{name} {value:.2}"))),
            shown(beside.map(|beside| number(&(value / beside)))),
            shown(spread.as_ref().map(|part| format!("{:.0} %", part * 100.0))),
            shown(distinct.as_ref().map(ToString::to_string)),
        );
    }
}

/// The median of values, and how far apart they are as a part of it.
pub fn median(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    let least = values.first().copied().unwrap_or_default();
    let most = values.last().copied().unwrap_or_default();
    let median = values.get(values.len() / 2).copied().unwrap_or_default();
    (median, (most - least) / median.max(f64::MIN_POSITIVE))
}
