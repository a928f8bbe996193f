//! Lowers wildcards: the cheapest matcher that means the same.

use std::sync::Arc;

use arrayvec::ArrayString;

use super::intern::Interner;
use crate::model::action::MAX_ACTION_BYTES;
use crate::model::pattern::{
    AccountPattern, ActionPattern, Pattern, ResourcePattern, has_wildcard,
};
use crate::model::statement::{self as written, Effect};
use crate::snapshot::action::{ActionId, ActionTable};
use crate::snapshot::arn::{AccountMatcher, ArnFields, ArnMatcher};
use crate::snapshot::filter::ActionFilter;
use crate::snapshot::matcher::{Matcher, MatcherRef, Shape};
use crate::snapshot::policy::{ActionMatcher, Actions, Resources};
use crate::snapshot::start::Started;

/// A pattern of text.
pub(super) fn pattern(interner: &mut Interner<'_>, pattern: &Pattern) -> Matcher {
    let MatcherRef { shape, text } = shaped(pattern);
    Matcher::new(shape, interner.symbol(text))
}

/// The cheapest way to match a pattern.
fn shaped(pattern: &Pattern) -> MatcherRef<'_> {
    let whole = pattern.as_str();
    let prefix = whole.trim_end_matches('*');
    let (shape, text) = if !has_wildcard(whole) {
        (Shape::Exact, whole)
    } else if prefix.is_empty() {
        return MatcherRef::ANY;
    } else if has_wildcard(prefix) || prefix.len() == whole.len() {
        (Shape::Glob, whole)
    } else {
        (Shape::Prefix, prefix)
    };
    MatcherRef { shape, text }
}

/// The patterns of `Action` or `NotAction`, with the mask of what they may cover.
///
/// Without a table, as for session policies, every pattern stands for itself.
pub(super) fn actions(
    interner: &mut Interner<'_>,
    mut table: Option<&mut ActionTable>,
    patterns: &[ActionPattern],
) -> (Actions, ActionFilter) {
    let (mut exact, mut matchers, mut filter) = (Vec::new(), Vec::new(), ActionFilter::default());
    for pattern in patterns {
        let reach = match named(interner, table.as_deref_mut(), pattern) {
            Named::Exact(id, reach) => {
                exact.push(id);
                reach
            }
            Named::Pattern(matcher, reach) => {
                matchers.push(matcher);
                reach
            }
        };
        filter = filter.union(reach);
    }
    (Actions::new(exact, matchers), filter)
}

enum Named {
    Exact(ActionId, ActionFilter),
    Pattern(ActionMatcher, ActionFilter),
}

fn named(
    interner: &mut Interner<'_>,
    table: Option<&mut ActionTable>,
    action: &ActionPattern,
) -> Named {
    let ActionPattern::Named { service, name } = action else {
        return Named::Pattern(ActionMatcher::All, ActionFilter::ALL);
    };
    match (table, in_full(service, name)) {
        (Some(table), Some(text)) => {
            let (id, service) = table.intern(&text, service.as_str());
            Named::Exact(id, ActionFilter::of_action(id, service))
        }
        (Some(table), None) if !service.has_wildcard() => {
            let id = table.intern_service(service.as_str());
            let matcher = ActionMatcher::Service(id, Started::new(pattern(interner, name)));
            Named::Pattern(matcher, ActionFilter::of_service(id))
        }
        _ => {
            let matcher = ActionMatcher::Wide(pattern(interner, service), pattern(interner, name));
            Named::Pattern(matcher, ActionFilter::ALL)
        }
    }
}

/// An action that is named in full.
fn in_full(service: &Pattern, name: &Pattern) -> Option<ArrayString<MAX_ACTION_BYTES>> {
    if service.has_wildcard() || name.has_wildcard() {
        return None;
    }
    let mut text = ArrayString::new();
    for part in [service.as_str(), ":", name.as_str()] {
        text.try_push_str(part).ok()?;
    }
    Some(text)
}

/// The patterns of `Resource` or `NotResource`, for a statement with this effect.
pub(super) fn resources<'b>(
    interner: &mut Interner<'b>,
    effect: Effect,
    resources: &'b written::Resources,
) -> Resources {
    match resources {
        written::Resources::Attached => Resources::Attached,
        written::Resources::Only(patterns) => match arns(interner, effect, patterns) {
            Some(Matchers::One(matcher)) => Resources::One(matcher),
            Some(Matchers::Many(matchers)) => Resources::Only(matchers),
            None => Resources::All,
        },
        // What an Allow leaves out is what a Deny would cover, and the other way round.
        written::Resources::AllBut(patterns) => match arns(interner, opposite(effect), patterns) {
            Some(Matchers::One(matcher)) => Resources::AllBut(Arc::from([matcher])),
            Some(Matchers::Many(matchers)) => Resources::AllBut(matchers),
            None => Resources::Only(Arc::default()),
        },
    }
}

/// The matchers of a list of patterns.
#[derive(Debug, Clone)]
pub(super) enum Matchers {
    One(ArnMatcher),
    Many(Arc<[ArnMatcher]>),
}

/// The matchers of patterns; `None`: one of them is `*`.
fn arns<'b>(
    interner: &mut Interner<'b>,
    effect: Effect,
    patterns: &'b [ResourcePattern],
) -> Option<Matchers> {
    let hash = match interner.resources.get(effect, patterns) {
        Ok(known) => return known,
        Err(hash) => hash,
    };
    let mut each = patterns.iter().map(|pattern| arn(effect, pattern));
    let matchers = if patterns.len() == 1 {
        each.next().flatten().map(Matchers::One)
    } else {
        each.collect::<Option<_>>().map(Matchers::Many)
    };
    interner
        .resources
        .insert(hash, effect, patterns, matchers.clone());
    matchers
}

fn opposite(effect: Effect) -> Effect {
    match effect {
        Effect::Allow => Effect::Deny,
        Effect::Deny => Effect::Allow,
    }
}

fn arn(effect: Effect, resource: &ResourcePattern) -> Option<ArnMatcher> {
    let ResourcePattern::Arn {
        service,
        region,
        account,
        id,
    } = resource
    else {
        return None;
    };
    let account = match (account, effect) {
        (AccountPattern::Field(field), _) if !field.as_str().is_empty() => {
            AccountMatcher::Field(shaped(field))
        }
        // security 7.2: "in an Allow the account is the policy's own, in a Deny any"; an empty
        // account field says as little as none.
        (AccountPattern::Missing | AccountPattern::Field(_), Effect::Allow) => AccountMatcher::Own,
        (AccountPattern::Missing | AccountPattern::Field(_), Effect::Deny) => {
            AccountMatcher::Field(MatcherRef::ANY)
        }
    };
    Some(ArnMatcher::new(ArnFields {
        service: shaped(service),
        region: shaped(region),
        account,
        id: shaped(id),
    }))
}
