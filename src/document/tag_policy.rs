//! Tag policies of three dialects: JSON to [`TagPolicy`] (tag-policy 1 and 7).
//!
//! A document is native, or wrapped with its dialect. Each dialect has its own sections, settings
//! and values; what another one has is refused. Effective policies as JSON, the canonical form, are
//! read and written here too.
//!
//! Not here: what a chain of policies comes to (`compiler::effective`), and lints that need one.

mod admission;
mod canonical;
mod correction;
mod effective;
mod error;
mod kind;
mod name;
mod operator;
mod service;
mod statement;
mod value;

pub use canonical::canonical;
pub use effective::effective_policy;
pub use error::{TagPolicyErrorKind, TagPolicyLint};
pub use kind::{DocumentSort, sort_of};

use super::cursor::{self, Cursor, Parsed, Sink, Told};
use super::error::DocumentErrors;
use super::json::{Member, Node};
use super::position::Source;
use crate::model::tag_policy::{Dialect, TagPolicy};

/// The most bytes of one document, whatever its dialect.
pub const MAX_DOCUMENT_BYTES: usize = 128 * 1024;
/// The most characters of a document of Huawei and AWS (tag-policy 1.2, 1.3).
pub const MAX_CHARS: usize = 10_000;
/// The most resource groups of a scope (tag-policy 1.1).
pub const MAX_GROUPS: usize = 20;
/// The most regular expressions of a statement (security 6.7).
pub const MAX_REGEXES: usize = 20;

/// Reads a native document, or one that is wrapped with its dialect.
///
/// ```
/// use tagwarden::document::tag_policy::read_tag_policy;
/// use tagwarden::model::tag_policy::Dialect;
///
/// let text = r#"{"tags": {"Env": {"tag_value": {"@@append": ["a*b*"]}}}}"#;
/// let errors = read_tag_policy(text, Some(Dialect::Huawei)).unwrap_err();
/// let expected = "1:46: /tags/Env/tag_value/@@append/0: more than one `*` in a value";
/// assert_eq!(errors.to_string(), expected);
/// ```
///
/// # Errors
///
/// All errors of the document. `dialect`, where it is given, is the only one that is taken.
pub fn read_tag_policy(
    text: &str,
    dialect: Option<Dialect>,
) -> Result<Parsed<TagPolicy>, DocumentErrors> {
    cursor::read(Source::new(text), MAX_DOCUMENT_BYTES, |at, sink| {
        let read = match sort_of(text) {
            DocumentSort::WrappedTagPolicy => wrapped(at, sink)?,
            DocumentSort::TagPolicy(_) | DocumentSort::RamPolicy | DocumentSort::Unknown => {
                let told = dialect.unwrap_or_else(|| kind::dialect_of(text));
                check_length(text, at, told, sink)?;
                tag_policy(at, told, sink)?
            }
        };
        match dialect {
            Some(asked) if asked != read.dialect => {
                let found = read.dialect;
                Err(at.refuse(TagPolicyErrorKind::OtherDialect { asked, found }, sink))
            }
            _ => Ok(read),
        }
    })
}

/// Reads `{"dialect": …, "policy": {…}}`.
///
/// # Errors
///
/// When an error was told.
pub fn wrapped(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<TagPolicy, Told> {
    let members = at.members(&["dialect", "policy"], sink)?;
    let dialect = members
        .required("dialect", sink)
        .and_then(|at| self::dialect(&at, sink));
    let policy = members.required("policy", sink);
    tag_policy(&policy?, dialect?, sink)
}

/// Reads the name of a dialect.
///
/// # Errors
///
/// When it is none.
pub fn dialect(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Dialect, Told> {
    let words = Dialect::ALL.map(|dialect| (dialect.as_str(), dialect));
    at.word("`alibaba`, `huawei` or `aws`", &words, sink)
}

/// Reads a native document that may stand in a larger one; positions are that document's.
///
/// # Errors
///
/// When an error was told.
pub fn tag_policy(
    at: &Cursor<'_, '_>,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<TagPolicy, Told> {
    let chars = compact_chars(at.node());
    let statements = statement::statements(at, dialect, sink)?;
    match dialect {
        Dialect::Huawei | Dialect::Aws if chars > MAX_CHARS => {
            return Err(at.refuse(TagPolicyErrorKind::TooLong, sink));
        }
        Dialect::Alibaba | Dialect::Huawei | Dialect::Aws => {}
    }
    Ok(TagPolicy {
        dialect,
        statements,
    })
}

/// The characters of a document without white space, but for escapes: what stands in a larger one
/// is measured so.
fn compact_chars(node: &Node<'_>) -> usize {
    match node {
        Node::Null | Node::Bool(_) => 4,
        Node::Number(number) => number.to_string().len(),
        Node::String(text) => text.chars().count() + 2,
        Node::Array(items) => {
            items
                .iter()
                .map(|item| compact_chars(item) + 1)
                .sum::<usize>()
                + 1
        }
        Node::Object(members) => {
            let member = |(name, node): &Member<'_>| name.chars().count() + 4 + compact_chars(node);
            members.iter().map(member).sum::<usize>() + 1
        }
    }
}

/// Huawei and AWS count the characters of a native document, white space too.
fn check_length(
    text: &str,
    at: &Cursor<'_, '_>,
    dialect: Dialect,
    sink: &mut Sink<'_>,
) -> Result<(), Told> {
    let limit = match dialect {
        Dialect::Alibaba => return Ok(()),
        Dialect::Huawei | Dialect::Aws => MAX_CHARS,
    };
    match text.chars().nth(limit) {
        None => Ok(()),
        Some(_) => Err(at.refuse(TagPolicyErrorKind::TooLong, sink)),
    }
}
