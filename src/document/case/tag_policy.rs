//! Cases of tag policies: what a chain comes to, and whether a document is admitted.

use serde_json::Value;

use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::error::DocumentErrors;
use crate::document::position::Source;
use crate::document::tag_policy::{dialect, read_tag_policy, tag_policy};
use crate::model::tag_policy::{Dialect, TagPolicy};

/// One case.
#[derive(Debug, Clone, PartialEq)]
pub struct TagPolicyCase {
    /// Its name in the file.
    pub id: String,
    /// The line that it stands on.
    pub line: usize,
    /// What is asked, and the answer.
    pub question: TagPolicyQuestion,
}

/// What is asked of tag policies.
#[derive(Debug, Clone, PartialEq)]
pub enum TagPolicyQuestion {
    /// What does this chain come to?
    Effective {
        /// The syntax of all its policies.
        dialect: Dialect,
        /// The nodes, Root first; or why one of the policies is refused.
        chain: Result<Vec<ChainNode>, DocumentErrors>,
        /// The canonical form of the effective policy.
        expected: Value,
    },
    /// Is this document admitted?
    Admission {
        /// Why it is not.
        refused: Option<DocumentErrors>,
        /// Whether it should be.
        expected: Admission,
    },
}

/// One node of a chain, with its policies in attach order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainNode {
    /// Its name.
    pub name: String,
    /// The policies.
    pub policies: Vec<TagPolicy>,
}

/// Whether a document is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// It is.
    Accept,
    /// It is refused.
    Reject,
}

/// Reads a case with `chain` and `expect_effective`.
pub(super) fn effective(
    at: &Cursor<'_, '_>,
    source: Source<'_>,
    sink: &mut Sink<'_>,
) -> Result<TagPolicyCase, Told> {
    let known = [
        "id",
        "name",
        "source",
        "evidence",
        "why",
        "dialect",
        "chain",
        "expect_effective",
    ];
    let members = at.members(&known, sink)?;
    let (id, asked) = head(&members, sink);
    let expected = members.required("expect_effective", sink);
    let chain = members.required("chain", sink);
    let (expected, dialect) = (expected?, asked?);
    expected.entries(sink)?;
    let mut policies = Sink::new(source);
    let chain = cursor::all(chain?.items(sink)?, |at| {
        node(&at, dialect, &mut policies, sink)
    })?;
    let question = TagPolicyQuestion::Effective {
        dialect,
        chain: policies
            .finish(cursor::all(chain, |node| node))
            .map(|read| read.value),
        expected: member(source, "expect_effective"),
    };
    Ok(TagPolicyCase {
        id: id?,
        line: source.first_line,
        question,
    })
}

/// The errors of a node's policies go to `policies`: they are an outcome.
fn node(
    at: &Cursor<'_, '_>,
    dialect: Dialect,
    policies: &mut Sink<'_>,
    sink: &mut Sink<'_>,
) -> Result<Result<ChainNode, Told>, Told> {
    let members = at.members(&["node", "policies"], sink)?;
    let name = members
        .required("node", sink)
        .and_then(|at| text(&at, sink));
    let list = members.required("policies", sink)?;
    let read = cursor::all(list.items(sink)?, |at| tag_policy(&at, dialect, policies));
    let name = name?;
    Ok(read.map(|policies| ChainNode { name, policies }))
}

/// Reads a case with `document` and `recommended`.
pub(super) fn admission(
    at: &Cursor<'_, '_>,
    source: Source<'_>,
    sink: &mut Sink<'_>,
) -> Result<TagPolicyCase, Told> {
    let known = [
        "id",
        "name",
        "source",
        "evidence",
        "why",
        "dialect",
        "document",
        "expect",
        "recommended",
    ];
    let members = at.members(&known, sink)?;
    let (id, asked) = head(&members, sink);
    let words = [("accept", Admission::Accept), ("reject", Admission::Reject)];
    let expected = members
        .required("recommended", sink)
        .and_then(|at| at.word("`accept` or `reject`", &words, sink));
    let document = members
        .required("document", sink)
        .and_then(|at| text(&at, sink));
    let question = TagPolicyQuestion::Admission {
        refused: read_tag_policy(&document?, Some(asked?)).err(),
        expected: expected?,
    };
    Ok(TagPolicyCase {
        id: id?,
        line: source.first_line,
        question,
    })
}

/// What every case has: its id and the dialect of its documents.
fn head(
    members: &Members<'_, '_>,
    sink: &mut Sink<'_>,
) -> (Result<String, Told>, Result<Dialect, Told>) {
    let id = members.required("id", sink).and_then(|at| text(&at, sink));
    let asked = members.required("dialect", sink);
    (id, asked.and_then(|at| dialect(&at, sink)))
}

fn text(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<String, Told> {
    at.text(sink).map(str::to_owned)
}

/// INVARIANT: the text was read as an object with this member before.
fn member(source: Source<'_>, name: &str) -> Value {
    let case: Value = serde_json::from_str(source.text).unwrap_or_default();
    case.get(name).cloned().unwrap_or_default()
}
