//! One figure as a bench tells it: a line on standard output that `scripts/bench.sh` reads.
//!
//! ```text
//! figure<TAB>name<TAB>value<TAB>unit<TAB>target<TAB>anchor<TAB>ratio<TAB>spread<TAB>distinct
//! ```
//!
//! What does not apply is empty. A target bounds the value (`<= 250`, `>= 10`) or the ratio
//! (`ratio <= 3`, `ratio >= 1`); the reader of the row tells whether it is met. Other lines of a
//! bench are for people.

/// One figure.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Row<'a> {
    /// What was measured, with its corpus: the key of the row. `bench: what, of what`.
    pub(crate) figure: &'a str,
    /// The median.
    pub(crate) value: f64,
    /// Its unit.
    pub(crate) unit: &'a str,
    /// `<= 250`, `>= 10`, `ratio <= 3`, `ratio >= 1`, or empty.
    pub(crate) target: &'a str,
    /// What it is compared with, and that one's value: `serde_json into Value, 7.1 ms`.
    pub(crate) anchor: &'a str,
    /// Against the anchor, the median over rounds: value by anchor, or the other way round where
    /// the anchor's text says so.
    pub(crate) ratio: Option<f64>,
    /// The least and the most of the rounds: of the ratio where there is one, else of the value.
    pub(crate) spread: Option<[f64; 2]>,
    /// How many distinct requests were used; 0 where none were.
    pub(crate) distinct: usize,
}

impl Row<'_> {
    /// Prints the line.
    pub(crate) fn print(&self) {
        let ratio = self.ratio.map_or_else(String::new, number);
        let spread = self.spread.map_or_else(String::new, |[least, most]| {
            format!("{} to {}", number(least), number(most))
        });
        let distinct = match self.distinct {
            0 => String::new(),
            some => some.to_string(),
        };
        let value = number(self.value);
        let cells = [
            self.figure,
            &value,
            self.unit,
            self.target,
            self.anchor,
            &ratio,
            &spread,
            &distinct,
        ];
        assert!(cells.iter().all(|cell| !cell.contains(['\t', '\n'])));
        println!("figure\t{}", cells.join("\t"));
    }
}

/// Digits enough to compare by.
fn number(value: f64) -> String {
    match value.abs() {
        large if large >= 1_000.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.3}"),
    }
}
