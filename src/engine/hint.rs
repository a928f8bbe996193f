//! The allowed value that is nearest to a wrong one: a hint for people, with bounded work.

use arrayvec::ArrayVec;

use crate::model::tag_policy::AllowedValues;

/// The most values that are compared, and the most characters of each.
const VALUES: usize = 64;
const CHARS: usize = 64;

/// The listed value that is nearest; `None`: none is near.
///
/// Values that differ in case alone are the nearest. Otherwise up to a third of the characters may
/// differ.
pub fn nearest<'a>(values: &'a AllowedValues, value: &str) -> Option<&'a str> {
    let patterns = match values {
        AllowedValues::Listed(patterns) => patterns,
        AllowedValues::Unset | AllowedValues::Matched(_) => return None,
    };
    let value = lower(value)?;
    let mut best: Option<(usize, &str)> = None;
    for pattern in patterns.iter().take(VALUES) {
        if pattern.is_wildcard() {
            continue;
        }
        let Some(allowed) = lower(pattern.as_str()) else {
            continue;
        };
        let found = distance(&value, &allowed);
        let near = found <= value.len().max(allowed.len()) / 3;
        if near && best.is_none_or(|(least, _)| found < least) {
            best = Some((found, pattern.as_str()));
        }
    }
    best.map(|(_, text)| text)
}

type Chars = ArrayVec<char, CHARS>;

fn lower(text: &str) -> Option<Chars> {
    let mut chars = Chars::new();
    for character in text.chars().flat_map(char::to_lowercase) {
        chars.try_push(character).ok()?;
    }
    Some(chars)
}

/// How many characters must be put in, taken out or replaced.
fn distance(left: &[char], right: &[char]) -> usize {
    let mut row: ArrayVec<usize, { CHARS + 1 }> = (0..=right.len()).collect();
    for (place, one) in left.iter().enumerate() {
        let mut before = place;
        let mut last = place + 1;
        for (cost, other) in row.iter_mut().skip(1).zip(right) {
            let above = *cost;
            let replaced = before + usize::from(one != other);
            *cost = replaced.min(above + 1).min(last + 1);
            before = above;
            last = *cost;
        }
        if let Some(first) = row.first_mut() {
            *first = place + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::tag_policy::ValuePattern;

    #[test]
    fn the_nearest_is_told_and_nothing_far() {
        let texts = ["Beijing", "Shanghai", "*@x", "prod"];
        let patterns = texts.map(|text| ValuePattern::from(Arc::from(text)));
        let values = AllowedValues::Listed(patterns.into());
        let check = |value: &str, expected| assert_eq!(nearest(&values, value), expected);
        check("beijing", Some("Beijing"));
        check("Bejing", Some("Beijing"));
        check("Shangai", Some("Shanghai"));
        check("prd", Some("prod"));
        check("Tokyo", None);
        check("", None);
        check(&"x".repeat(300), None);
    }
}
