//! One point of a plot as a bench tells it: a line on standard output that `scripts/bench.sh` reads.
//!
//! ```text
//! point<TAB>plot<TAB>series<TAB>x<TAB>y
//! ```
//!
//! | plot | a series | x | y |
//! |---|---|---|---|
//! | `growth` | what was measured | policies | ns a decision |
//! | `engines` | an engine | policies | ns a decision |
//! | `latency` | profile, draw | percentile | ns |
//! | `rounds` | server, socket | round | calls a second |
//! | `compile` | a step | policies | ms |
//! | `size` | what is kept | policies | bytes a policy |
//! | `swap` | what was measured, quantile | round | ratio to the same without swaps |
//! | `writes` | what is written | writers at once | writes a second |
//! | `grouped` | what is written | writers at once | writes in one sync |
//!
//! Series with the same text before the first comma have one colour. How a plot looks stands in
//! `scripts/plots.py`.

/// Prints the line.
pub(crate) fn point(plot: &str, series: &str, x: f64, y: f64) {
    assert!(
        [plot, series]
            .iter()
            .all(|text| !text.contains(['\t', '\n']))
    );
    println!("point\t{plot}\t{series}\t{x}\t{y}");
}
