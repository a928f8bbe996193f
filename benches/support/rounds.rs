//! What many rounds add up to.

/// The median of values, and the least and the most of them.
pub(crate) fn median(mut values: Vec<f64>) -> (f64, [f64; 2]) {
    values.sort_unstable_by(f64::total_cmp);
    let at = |place: usize| values.get(place).copied().unwrap_or_default();
    (
        at(values.len() / 2),
        [at(0), at(values.len().saturating_sub(1))],
    )
}
