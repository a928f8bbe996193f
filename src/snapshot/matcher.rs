//! Compiled wildcards. Matching is linear in the text for any given pattern, and allocates nothing.
//!
//! Most patterns are exact, a prefix or everything; only the rest walk the general matcher.

use std::fmt;

use super::symbol::Symbol;

/// One part of an action, or one operand of `StringLike`.
#[derive(Clone, PartialEq, Eq)]
pub struct Matcher {
    shape: Shape,
    text: Symbol,
}

/// How a text is matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `*`; there is no text.
    Any,
    /// No wildcard.
    Exact,
    /// Text and a final `*`; the text is kept without it.
    Prefix,
    /// Anything else, as written.
    Glob,
}

/// A matcher whose text stands elsewhere.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MatcherRef<'a> {
    /// How it matches.
    pub shape: Shape,
    /// What it matches.
    pub text: &'a str,
}

impl Matcher {
    /// Of a shape and its text.
    pub(crate) fn new(shape: Shape, text: Symbol) -> Self {
        Self { shape, text }
    }

    /// The same, borrowed.
    #[inline]
    pub fn as_ref(&self) -> MatcherRef<'_> {
        let Self { shape, text } = self;
        MatcherRef {
            shape: *shape,
            text,
        }
    }

    /// Whether the text matches.
    #[inline]
    pub fn matches(&self, text: &str) -> bool {
        self.as_ref().matches(text)
    }
}

impl MatcherRef<'_> {
    /// Everything.
    pub const ANY: Self = Self {
        shape: Shape::Any,
        text: "",
    };

    /// Whether the text matches.
    #[inline]
    pub fn matches(self, text: &str) -> bool {
        matches(self.shape, self.text.as_bytes(), text.as_bytes())
    }

    /// Whether every text that starts with `prefix` certainly matches.
    pub fn covers(self, prefix: &str) -> bool {
        match self.shape {
            Shape::Any => true,
            Shape::Exact => false,
            Shape::Prefix => prefix.starts_with(self.text),
            Shape::Glob => {
                self.text.ends_with('*') && glob(self.text.as_bytes(), prefix.as_bytes())
            }
        }
    }

    /// Whether some text that starts with `prefix` matches.
    pub fn overlaps(self, prefix: &str) -> bool {
        match self.shape {
            Shape::Any => true,
            Shape::Exact => self.text.starts_with(prefix),
            Shape::Prefix => self.text.starts_with(prefix) || prefix.starts_with(self.text),
            Shape::Glob => overlaps(self.text, prefix),
        }
    }
}

/// As it would be written, in quotes.
impl fmt::Debug for MatcherRef<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shape {
            Shape::Any => formatter.write_str("\"*\""),
            Shape::Exact | Shape::Glob => write!(formatter, "{:?}", self.text),
            Shape::Prefix => write!(formatter, "\"{}*\"", self.text.escape_debug()),
        }
    }
}

impl fmt::Debug for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(formatter)
    }
}

/// Whether a text matches. Both are the bytes of texts: where one is cut out of a longer text, nobody
/// has to look whether it is one.
#[inline]
pub(super) fn matches(shape: Shape, pattern: &[u8], text: &[u8]) -> bool {
    match shape {
        Shape::Any => true,
        Shape::Exact => pattern == text,
        Shape::Prefix => text.starts_with(pattern),
        Shape::Glob => glob(pattern, text),
    }
}

/// `*` is any number of characters, `?` exactly one. Falls back to the last star alone, which is
/// enough: an earlier star can take nothing that the last one could not.
#[inline(never)]
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while let Some(&byte) = text.get(read) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at + 1, read));
                at += 1;
            }
            Some(b'?') => {
                at += 1;
                read += width(byte);
            }
            Some(&expected) if expected == byte => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((after, taken)) = star else {
                    return false;
                };
                let next = taken + text.get(taken).map_or(1, |&byte| width(byte));
                star = Some((after, next));
                (at, read) = (after, next);
            }
        }
    }
    pattern
        .get(at..)
        .is_some_and(|rest| rest.iter().all(|&byte| byte == b'*'))
}

/// The bytes of the character that starts with this byte.
fn width(lead: u8) -> usize {
    match lead {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

/// Whether the pattern can match a text that starts with `prefix`: whether, after the prefix was
/// read, some place in the pattern is still reached. From any place the rest can be completed.
fn overlaps(pattern: &str, prefix: &str) -> bool {
    let mut places = Places::start(pattern);
    for character in prefix.chars() {
        places = places.step(pattern, character);
        if places.is_empty() {
            return false;
        }
    }
    true
}

/// The places of a pattern that a text has reached: a bit for each byte, and one for its end.
#[derive(Clone)]
struct Places([u64; WORDS]);

const WORDS: usize = crate::model::arn::MAX_ARN_BYTES / 64 + 1;

impl Places {
    fn start(pattern: &str) -> Self {
        let mut places = Self([0; WORDS]);
        places.reach(pattern, 0);
        places
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    fn has(&self, place: usize) -> bool {
        self.0
            .get(place / 64)
            .is_some_and(|word| word & (1 << (place % 64)) != 0)
    }

    /// Marks a place, and those behind the stars that stand there: a star may take nothing.
    fn reach(&mut self, pattern: &str, place: usize) {
        let stars = pattern
            .as_bytes()
            .iter()
            .skip(place)
            .take_while(|&&byte| byte == b'*')
            .count();
        for place in place..=place + stars {
            if let Some(word) = self.0.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
        }
    }

    fn step(&self, pattern: &str, read: char) -> Self {
        let mut next = Self([0; WORDS]);
        for (place, expected) in pattern.char_indices() {
            if !self.has(place) {
                continue;
            }
            match expected {
                '*' => next.reach(pattern, place),
                '?' => next.reach(pattern, place + 1),
                expected if expected == read => next.reach(pattern, place + expected.len_utf8()),
                _ => {}
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slow(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('*', rest)) => (0..=text.len()).any(|taken| slow(rest, &text[taken..])),
            Some(('?', rest)) => !text.is_empty() && slow(rest, &text[1..]),
            Some((first, rest)) => text.first() == Some(first) && slow(rest, &text[1..]),
        }
    }

    fn glob_of(text: &str) -> MatcherRef<'_> {
        let shape = Shape::Glob;
        MatcherRef { shape, text }
    }

    fn words(alphabet: &'static str) -> impl Strategy<Value = String> {
        prop::collection::vec(
            prop::sample::select(alphabet.chars().collect::<Vec<_>>()),
            0..9,
        )
        .prop_map(|letters| letters.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn glob_equals_the_slow_matcher(pattern in words("ab部*?"), text in words("ab部")) {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            let found = glob(pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(found, slow(&chars(&pattern), &chars(&text)));
        }

        #[test]
        fn a_match_below_a_prefix_is_foreseen(pattern in words("ab部*?"), text in words("ab部")) {
            let matcher = glob_of(&pattern);
            for (cut, _) in text.char_indices() {
                if matcher.matches(&text) {
                    prop_assert!(matcher.overlaps(&text[..cut]));
                }
                if matcher.covers(&text[..cut]) {
                    prop_assert!(matcher.matches(&text));
                }
            }
        }
    }

    #[test]
    fn overlap_is_exact() {
        let check = |pattern: &str, prefix: &str, expected: bool| {
            let found = glob_of(pattern).overlaps(prefix);
            assert_eq!(found, expected, "{pattern} {prefix}");
        };
        check("instance/i-*x", "instance/", true);
        check("disk/*x", "instance/", false);
        check("*/i-prod?", "instance/", true);
        check("inst?nce/a*b", "instance/", true);
        check("i?", "instance/", false);
    }
}
