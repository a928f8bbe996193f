//! Wildcards, by following every place of the pattern where a reader may stand.

use std::collections::BTreeSet;

/// A character that neither patterns nor ARNs can hold: it stands for any other.
const FRESH: char = '\u{0}';

/// Whether the pattern matches the whole text: `*` any number of characters, `?` exactly one
/// (ram 1.4).
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let places = read(&pattern, start(&pattern), text.chars());
    places.contains(&pattern.len())
}

/// Whether the pattern matches some text that begins with `prefix`.
pub(super) fn may_begin(pattern: &str, prefix: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    !read(&pattern, start(&pattern), prefix.chars()).is_empty()
}

/// Whether the pattern matches every text that begins with `prefix` and goes on.
pub(super) fn covers(pattern: &str, prefix: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let mut places = read(&pattern, start(&pattern), prefix.chars());
    for _ in 0..=pattern.len() {
        places = read(&pattern, places, std::iter::once(FRESH));
        if !places.contains(&pattern.len()) {
            return false;
        }
    }
    true
}

fn start(pattern: &[char]) -> BTreeSet<usize> {
    pass_stars(pattern, BTreeSet::from([0]))
}

fn read(
    pattern: &[char],
    mut places: BTreeSet<usize>,
    text: impl Iterator<Item = char>,
) -> BTreeSet<usize> {
    for character in text {
        let mut next = BTreeSet::new();
        for place in places {
            match pattern.get(place) {
                Some('*') => next.insert(place),
                Some('?') => next.insert(place + 1),
                Some(written) if *written == character => next.insert(place + 1),
                Some(_) | None => false,
            };
        }
        places = pass_stars(pattern, next);
    }
    places
}

fn pass_stars(pattern: &[char], mut places: BTreeSet<usize>) -> BTreeSet<usize> {
    for (place, written) in pattern.iter().enumerate() {
        if *written == '*' && places.contains(&place) {
            places.insert(place + 1);
        }
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition itself, for short texts.
    fn slow(pattern: &[char], text: &[char]) -> bool {
        match (pattern, text) {
            ([], []) => true,
            (['*', rest @ ..], []) => slow(rest, text),
            (['*', rest @ ..], [_, tail @ ..]) => slow(rest, text) || slow(pattern, tail),
            (['?', rest @ ..], [_, tail @ ..]) => slow(rest, tail),
            ([written, rest @ ..], [read, tail @ ..]) => written == read && slow(rest, tail),
            (_, _) => false,
        }
    }

    fn words(alphabet: &[char], longest: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..longest {
            last = last
                .iter()
                .flat_map(|word| alphabet.iter().map(move |c| format!("{word}{c}")))
                .collect();
            all.extend(last.clone());
        }
        all
    }

    #[test]
    fn every_short_pattern_on_every_short_text() {
        for pattern in words(&['a', '*', '?'], 4) {
            let written: Vec<char> = pattern.chars().collect();
            for text in words(&['a', 'b'], 4) {
                let read: Vec<char> = text.chars().collect();
                assert_eq!(
                    matches(&pattern, &text),
                    slow(&written, &read),
                    "{pattern} {text}"
                );
            }
        }
    }

    #[test]
    fn what_stands_below_a_prefix() {
        for (pattern, covered, touched) in [
            ("*", true, true),
            ("i/*", true, true),
            ("i/?*", true, true),
            ("i/a*", false, true),
            ("i/a", false, true),
            ("i*", true, true),
            ("*a", false, true),
            ("j/*", false, false),
            ("i", false, false),
        ] {
            assert_eq!(covers(pattern, "i/"), covered, "{pattern}");
            assert_eq!(may_begin(pattern, "i/"), touched, "{pattern}");
        }
    }
}
