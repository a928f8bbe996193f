//! What a statement's actions are, as far as a warning needs to know.

use smallvec::SmallVec;

use crate::document::policy::ReadStatement;
use crate::model::action::ActionRef;
use crate::model::pattern::{ActionPattern, Pattern, ResourcePattern};
use crate::model::statement::{Actions, Resources};

/// The actions that a statement lists.
pub(super) type Listed<'n> = SmallVec<[ActionRef<'n>; 8]>;

/// The actions that a statement lists; `None` if it covers others.
///
/// Verbs are told by case, so the actions are taken as written.
pub(super) fn listed<'n>(read: &ReadStatement<'_, 'n>) -> Option<Listed<'n>> {
    if let Actions::AllBut(_) = read.statement.actions {
        return None;
    }
    let written = read.written_actions.iter();
    written.map(|text| ActionRef::parse(text).ok()).collect()
}

/// Whether a statement's actions could match this one.
pub(super) fn covers(read: &ReadStatement<'_, '_>, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let Some((service, name)) = action.split_once(':') else {
        return false;
    };
    let matched = |pattern: &ActionPattern| match pattern {
        ActionPattern::All => true,
        ActionPattern::Named {
            service: services,
            name: names,
        } => glob(services, service) && glob(names, name),
    };
    match &read.statement.actions {
        Actions::Only(patterns) => patterns.iter().any(matched),
        Actions::AllBut(patterns) => !patterns.iter().any(matched),
    }
}

/// Whether a statement can be for resources of a service: by an action, or by an ARN.
pub(super) fn concerns(read: &ReadStatement<'_, '_>, service: &str) -> bool {
    let by_action = match &read.statement.actions {
        Actions::Only(patterns) => patterns.iter().any(|pattern| match pattern {
            ActionPattern::All => true,
            ActionPattern::Named { service: named, .. } => glob(named, service),
        }),
        Actions::AllBut(_) => true,
    };
    let by_resource = match &read.statement.resources {
        Resources::Only(patterns) => patterns.iter().any(|pattern| match pattern {
            ResourcePattern::All => false,
            ResourcePattern::Arn { service: named, .. } => glob(named, service),
        }),
        Resources::AllBut(_) | Resources::Attached => true,
    };
    by_action || by_resource
}

/// Matches in time that is bounded by the product of both lengths, without recursion.
fn glob(pattern: &Pattern, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.as_str().as_bytes(), text.as_bytes());
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        match (pattern.split_first(), text.split_first()) {
            (Some((b'*', rest)), _) => {
                star = Some((rest, text));
                pattern = rest;
            }
            (Some((wanted, rest)), Some((found, text_rest)))
                if *wanted == b'?' || wanted == found =>
            {
                (pattern, text) = (rest, text_rest);
            }
            (None, None) => return true,
            (Some(_) | None, _) => {
                let Some((after, [_, skipped @ ..])) = star else {
                    return false;
                };
                star = Some((after, skipped));
                (pattern, text) = (after, skipped);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        let check = |pattern: &str, text: &str, expected: bool| {
            let parsed = Pattern::parse(pattern, 100).unwrap();
            assert_eq!(glob(&parsed, text), expected, "{pattern} {text}");
        };
        check("", "", true);
        check("*", "", true);
        check("a*c", "abbc", true);
        check("a*c", "abcb", false);
        check("a?c", "abc", true);
        check("a?c", "ac", false);
        check("*ab*b", "aababb", true);
        check("a", "ab", false);
        check("ab", "a", false);
    }
}
