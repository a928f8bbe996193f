//! What a case expects.

use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::error::ShapeErrorKind;
use crate::model::verdict::{ObligationKind, Outcome, RefusalReason};

/// The answer that a case expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expectation {
    /// What is answered.
    pub expected: Expected,
    /// What evaluation came to, behind an empty result.
    pub decision: Option<Outcome>,
    /// Obligations that the answer must hold; it may hold others.
    pub obligations: Vec<ObligationKind>,
}

/// What is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// A decision that is shown as what it is.
    Decision(Outcome),
    /// A refusal that is shown as an empty result.
    EmptyResult,
    /// No decision, for this reason.
    Error(RefusalReason),
}

const OUTCOMES: [(&str, Outcome); 3] = [
    ("ALLOW", Outcome::Allow),
    ("IMPLICIT_DENY", Outcome::ImplicitDeny),
    ("EXPLICIT_DENY", Outcome::ExplicitDeny),
];

/// Reads `expect`, `expect_error`, `decision` and `obligations`.
pub(super) fn read(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<Expectation, Told> {
    let expected = expected(members, sink);
    let decision = members
        .optional("decision")
        .map(|at| at.word("an outcome", &OUTCOMES, sink))
        .transpose();
    let obligations = match members.optional("obligations") {
        None => Ok(Vec::new()),
        Some(at) => {
            let items = at.items(sink)?;
            cursor::all(items, |at| obligation(&at, sink))
        }
    };
    Ok(Expectation {
        expected: expected?,
        decision: decision?,
        obligations: obligations?,
    })
}

fn expected(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<Expected, Told> {
    let words = [
        ("ALLOW", Some(Expected::Decision(Outcome::Allow))),
        (
            "IMPLICIT_DENY",
            Some(Expected::Decision(Outcome::ImplicitDeny)),
        ),
        (
            "EXPLICIT_DENY",
            Some(Expected::Decision(Outcome::ExplicitDeny)),
        ),
        ("EMPTY_RESULT", Some(Expected::EmptyResult)),
        ("ERROR", None),
    ];
    let at = members.required("expect", sink)?;
    let expected = "an outcome, `EMPTY_RESULT` or `ERROR`";
    if let Some(expected) = at.word(expected, &words, sink)? {
        return Ok(expected);
    }
    let at = members.required("expect_error", sink)?;
    reason(&at, sink).map(Expected::Error)
}

fn reason(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<RefusalReason, Told> {
    at.parse(sink, |text| {
        let found = RefusalReason::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text);
        found.ok_or_else(|| ShapeErrorKind::UnknownWord {
            expected: "the reason of a refusal",
            found: text.into(),
        })
    })
}

fn obligation(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<ObligationKind, Told> {
    let words = [
        ObligationKind::MustFilterTags,
        ObligationKind::FilterResults,
    ]
    .map(|kind| (kind.as_str(), kind));
    at.word("`must_filter_tags` or `filter_results`", &words, sink)
}
