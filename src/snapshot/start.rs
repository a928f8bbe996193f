//! How texts start: their first eight bytes in one number, compared before any text is read.
//!
//! The names of actions that wildcards match start with a verb, and most of those that do not match
//! start with another one: for nearly all, the pattern's text is never read.

use super::matcher::{Matcher, Shape};

/// The first bytes of a text, zeros behind a shorter one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start(u64);

/// How many bytes a start has.
const BYTES: usize = 8;

impl Start {
    /// The start of a text.
    #[inline]
    pub fn of(text: &str) -> Self {
        let bytes = text.as_bytes();
        let short = || {
            let each = bytes.iter().rev();
            each.fold(0, |start, byte| start << 8 | u64::from(*byte))
        };
        Self(
            bytes
                .first_chunk()
                .map_or_else(short, |first| u64::from_le_bytes(*first)),
        )
    }
}

/// A pattern of texts behind the bytes that all that match start with.
#[derive(Debug, Clone)]
pub struct Started {
    start: Start,
    /// Which bits of a start are compared.
    mask: u64,
    pattern: Matcher,
}

impl Started {
    /// A pattern with its start.
    pub(crate) fn new(pattern: Matcher) -> Self {
        let text = pattern.as_ref().text;
        let fixed = match pattern.as_ref().shape {
            Shape::Any => "",
            Shape::Exact | Shape::Prefix => text,
            Shape::Glob => text.split(['*', '?']).next().unwrap_or_default(),
        };
        let compared = fixed.as_bytes().iter().take(BYTES);
        let mask = compared.fold(0, |mask, _| mask << 8 | 0xff);
        Self {
            start: Start(Start::of(fixed).0 & mask),
            mask,
            pattern,
        }
    }

    /// Whether a text matches, given its start. The text itself is asked for where that does not tell.
    #[inline]
    pub fn matches<'t>(&self, start: Start, text: impl FnOnce() -> &'t str) -> bool {
        start.0 & self.mask == self.start.0 && (self.is_start() || self.pattern.matches(text()))
    }

    /// Whether whatever starts so matches.
    #[inline]
    fn is_start(&self) -> bool {
        let pattern = self.pattern.as_ref();
        pattern.shape == Shape::Prefix && pattern.text.len() <= BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_changes_nothing_of_what_matches() {
        let patterns = [
            (Shape::Any, ""),
            (Shape::Exact, "list"),
            (Shape::Exact, "describeinstances"),
            (Shape::Prefix, "l"),
            (Shape::Prefix, "describe"),
            (Shape::Prefix, "describei"),
            (Shape::Glob, "*instances"),
            (Shape::Glob, "describe?nst*"),
            (Shape::Glob, "l?st"),
            (Shape::Glob, "部*x"),
        ];
        let texts = [
            "",
            "l",
            "list",
            "lists",
            "lost",
            "describe",
            "describ",
            "describei",
            "describeinstances",
            "describeimages",
            "部门x",
            "部x",
            "郠x",
        ];
        for (shape, pattern) in patterns {
            let matcher = Matcher::new(shape, pattern.into());
            let started = Started::new(matcher.clone());
            for text in texts {
                let found = started.matches(Start::of(text), || text);
                assert_eq!(found, matcher.matches(text), "{pattern} {text}");
            }
        }
    }

    #[test]
    fn a_pattern_of_actions_is_small() {
        assert!(size_of::<super::super::policy::ActionMatcher>() <= 56);
    }
}
