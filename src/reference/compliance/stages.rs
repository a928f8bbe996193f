//! The three stages of a node (security 6.3).

use super::{TagRules, comply};
use crate::model::compliance::{StagedAnswer, TaggingQuestion};
use crate::model::organization::TagMode;

/// "Interception uses the first, warnings the second, reports the third".
pub fn comply_staged(
    [enforce, warn, report]: [TagRules<'_>; 3],
    question: &TaggingQuestion,
) -> StagedAnswer {
    let first = comply(&enforce, question);
    let mut answer = StagedAnswer {
        intercepted: first.intercepted,
        corrected: first.corrected.clone(),
        ..StagedAnswer::default()
    };
    let stages = [
        (TagMode::Report, comply(&report, question)),
        (TagMode::Warn, comply(&warn, question)),
        (TagMode::Enforce, first),
    ];
    // What a later stage of the list finds too is told with that stage.
    for (mode, found) in stages {
        answer.evaluated |= found.evaluated;
        let violations = found.violations.into_iter();
        answer.violations.extend(violations.map(|one| (one, mode)));
    }
    answer
}
