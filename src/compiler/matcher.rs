//! Lowers wildcards: the cheapest matcher that means the same.

use super::intern::Interner;
use crate::model::pattern::{
    AccountPattern, ActionPattern, Pattern, ResourcePattern, has_wildcard,
};
use crate::model::statement::Effect;
use crate::snapshot::action::{ActionFilter, ActionId, ActionTable};
use crate::snapshot::matcher::Matcher;
use crate::snapshot::policy::{AccountMatcher, ActionMatcher, Actions, ArnMatcher, Resources};

/// A pattern of text.
pub(super) fn pattern(interner: &mut Interner, pattern: &Pattern) -> Matcher {
    let text = pattern.as_str();
    if !has_wildcard(text) {
        return Matcher::Exact(interner.symbol(text));
    }
    let prefix = text.trim_end_matches('*');
    if prefix.is_empty() {
        Matcher::Any
    } else if has_wildcard(prefix) || prefix.len() == text.len() {
        Matcher::Glob(interner.symbol(text))
    } else {
        Matcher::Prefix(interner.symbol(prefix))
    }
}

/// The patterns of `Action` or `NotAction`, with the mask of what they may cover.
///
/// Without a table, as for session policies, every pattern stands for itself.
pub(super) fn actions(
    interner: &mut Interner,
    mut table: Option<&mut ActionTable>,
    patterns: &[ActionPattern],
) -> (Actions, ActionFilter) {
    let (mut exact, mut matchers, mut filter) = (Vec::new(), Vec::new(), ActionFilter::default());
    for written in patterns {
        let reach = match named(interner, table.as_deref_mut(), written) {
            Named::Exact(id) => {
                exact.push(id);
                ActionFilter::of_action(id)
            }
            Named::Pattern(matcher, reach) => {
                matchers.push(matcher);
                reach
            }
        };
        filter = filter.union(reach);
    }
    exact.sort_unstable();
    exact.dedup();
    (
        Actions {
            excluding: false,
            exact: exact.into(),
            patterns: matchers.into(),
        },
        filter,
    )
}

enum Named {
    Exact(ActionId),
    Pattern(ActionMatcher, ActionFilter),
}

fn named(
    interner: &mut Interner,
    table: Option<&mut ActionTable>,
    written: &ActionPattern,
) -> Named {
    let ActionPattern::Named { service, name } = written else {
        return Named::Pattern(ActionMatcher::All, ActionFilter::ALL);
    };
    match table {
        Some(table) if !service.has_wildcard() && !name.has_wildcard() => {
            Named::Exact(table.intern(
                &format!("{}:{}", service.as_str(), name.as_str()),
                service.as_str(),
            ))
        }
        Some(table) if !service.has_wildcard() => {
            let id = table.intern_service(service.as_str());
            let matcher = ActionMatcher::Service(id, pattern(interner, name));
            Named::Pattern(matcher, ActionFilter::of_service(id))
        }
        _ => {
            let matcher = ActionMatcher::Wide(pattern(interner, service), pattern(interner, name));
            Named::Pattern(matcher, ActionFilter::ALL)
        }
    }
}

/// The patterns of `Resource`, for a statement with this effect.
pub(super) fn resources(
    interner: &mut Interner,
    effect: Effect,
    patterns: &[ResourcePattern],
) -> Resources {
    let mut matchers = Vec::with_capacity(patterns.len());
    for written in patterns {
        match arn(interner, effect, written) {
            None => return Resources::All,
            Some(matcher) => matchers.push(matcher),
        }
    }
    Resources::Only(matchers.into())
}

fn arn(interner: &mut Interner, effect: Effect, written: &ResourcePattern) -> Option<ArnMatcher> {
    let ResourcePattern::Arn {
        service,
        region,
        account,
        id,
    } = written
    else {
        return None;
    };
    let account = match (account, effect) {
        (AccountPattern::Field(field), _) => AccountMatcher::Field(pattern(interner, field)),
        // security 7.2: "in an Allow the account is the policy's own, in a Deny any"
        (AccountPattern::Missing, Effect::Allow) => AccountMatcher::Own,
        (AccountPattern::Missing, Effect::Deny) => AccountMatcher::Field(Matcher::Any),
    };
    Some(ArnMatcher {
        service: pattern(interner, service),
        region: pattern(interner, region),
        account,
        id: pattern(interner, id),
    })
}
