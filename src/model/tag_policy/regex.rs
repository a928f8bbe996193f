//! A regular expression for tag values: linear in the value, bounded in size (security 6.7).
//!
//! The expression is parsed alone, so that nothing in it can close a group around it, and then
//! made to match whole values only. It becomes a table without look-around or back-references.

use std::fmt;
use std::sync::Arc;

use regex_automata::dfa::{Automaton as _, StartKind, dense};
use regex_automata::nfa::thompson;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Hir, Look};

/// The most bytes of one expression.
pub const MAX_REGEX_BYTES: usize = 1_000;
/// The most bytes that one expression may compile to.
pub const MAX_REGEX_SIZE: usize = 64 * 1024;

/// The bytes that may be used while compiling.
const MAX_WORK_BYTES: usize = 512 * 1024;

/// A compiled expression. Two are equal when their texts are.
#[derive(Clone)]
pub struct ValueRegex {
    text: Arc<str>,
    table: Arc<dense::DFA<Vec<u32>>>,
}

/// Why a text is no expression that is taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRegex {
    /// Too long.
    #[error("longer than {MAX_REGEX_BYTES} bytes, the most of a regular expression")]
    TooLong,
    /// No expression.
    #[error("not a regular expression: {cause}")]
    Syntax {
        /// What the parser says.
        cause: String,
    },
    /// It needs too large a table, or what no table can do.
    #[error("compiles to more than {MAX_REGEX_SIZE} bytes, or needs a Unicode word boundary")]
    TooLarge,
}

impl ValueRegex {
    /// Compiles an expression.
    ///
    /// # Errors
    ///
    /// When it is none, or over a limit.
    pub fn new(text: &str) -> Result<Self, InvalidRegex> {
        if text.len() > MAX_REGEX_BYTES {
            return Err(InvalidRegex::TooLong);
        }
        let parsed = parse(text)?;
        // Security 6.7: `\A(?:…)\z`, built from the parsed form.
        let whole = Hir::concat(vec![Hir::look(Look::Start), parsed, Hir::look(Look::End)]);
        let table = table(&whole).ok_or(InvalidRegex::TooLarge)?;
        Ok(Self {
            text: Arc::from(text),
            table: Arc::new(table),
        })
    }

    /// As written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole value matches.
    pub fn matches(&self, value: &str) -> bool {
        let input = Input::new(value).anchored(Anchored::Yes);
        matches!(self.table.try_search_fwd(&input), Ok(Some(_)))
    }
}

fn parse(text: &str) -> Result<Hir, InvalidRegex> {
    let mut parser = regex_syntax::ParserBuilder::new().nest_limit(50).build();
    parser.parse(text).map_err(|error| {
        let cause = match &error {
            regex_syntax::Error::Parse(error) => error.kind().to_string(),
            regex_syntax::Error::Translate(error) => error.kind().to_string(),
            other => other.to_string(),
        };
        let cause = cause.lines().next().unwrap_or_default().to_owned();
        InvalidRegex::Syntax { cause }
    })
}

fn table(whole: &Hir) -> Option<dense::DFA<Vec<u32>>> {
    let automaton = thompson::Compiler::new()
        .configure(
            thompson::Config::new()
                .nfa_size_limit(Some(MAX_WORK_BYTES))
                .which_captures(thompson::WhichCaptures::None),
        )
        .build_from_hir(whole)
        .ok()?;
    dense::Builder::new()
        .configure(
            dense::Config::new()
                .start_kind(StartKind::Anchored)
                .accelerate(false)
                .dfa_size_limit(Some(MAX_REGEX_SIZE))
                .determinize_size_limit(Some(MAX_WORK_BYTES)),
        )
        .build_from_nfa(&automaton)
        .ok()
}

impl PartialEq for ValueRegex {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for ValueRegex {}

impl fmt::Debug for ValueRegex {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ValueRegex")
            .field(&self.text)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_match_as_a_whole() {
        let check = |regex: &str, value: &str, expected: bool| {
            let found = ValueRegex::new(regex).unwrap().matches(value);
            assert_eq!(found, expected, "{regex} {value}");
        };
        check("^[0-9]+$", "12", true);
        check("^[0-9]+$", "12\n", false);
        check("abc-.*", "abc-x", true);
        check("abc-.*", "xabc-x", false);
        check("a|ab", "ab", true);
        check("(?m)^a$", "a\nb", false);
        check("", "", true);
        check("(?x)a # b", "a", true);
        check(r"\d{4}", "2026", true);
    }

    #[test]
    fn bad_or_large_expressions_are_refused() {
        let check = |regex: &str, expected: &str| {
            let found = ValueRegex::new(regex).unwrap_err().to_string();
            assert!(found.starts_with(expected), "{regex}: {found}");
        };
        check("a)|(b", "not a regular expression: unopened group");
        check("(?=a)", "not a regular expression: look-around");
        check(r"(a)\1", "not a regular expression: backreferences");
        check(&"a".repeat(1_001), "longer than 1000 bytes");
        check("(a|b)*a(a|b){16}", "compiles to more than");
        check(r"(\w{40}){40}", "compiles to more than");
        check(&"(".repeat(900), "not a regular expression");
    }
}
