//! One point of a plot as a bench tells it: a line on standard output that `scripts/bench.sh` reads.
//!
//! ```text
//! point<TAB>plot<TAB>series<TAB>x<TAB>y
//! ```
//!
//! | plot | a series | x | y |
//! |---|---|---|---|
//! | `growth` | an engine | policies | ns a decision |
//! | `latency` | profile and draw | percentile | ns |
//! | `rounds` | socket and what was measured | round | ratio to the bare method |
//! | `swap` | what was measured | round | ratio to the same without swaps |

/// Prints the line.
pub(crate) fn point(plot: &str, series: &str, x: f64, y: f64) {
    assert!(
        [plot, series]
            .iter()
            .all(|text| !text.contains(['\t', '\n']))
    );
    println!("point\t{plot}\t{series}\t{x}\t{y}");
}
