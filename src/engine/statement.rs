//! Whether a statement speaks of a sub-check: by action, principal and resource.

use super::principal;
use super::request::Session;
use super::subcheck::SubCheck;
use super::view::ActionView;
use crate::model::arn::{ArnRef, ResourceName};
use crate::snapshot::action::FoundAction;
use crate::snapshot::arn::ArnMatcher;
use crate::snapshot::matcher::MatcherRef;
use crate::snapshot::policy::{ActionMatcher, Actions, Resources};
use crate::snapshot::{Policy, PolicyId, Statement, StatementId};

/// The policy and the statement that an id names: of the session, or of the snapshot.
pub(super) fn of<'a>(check: &SubCheck<'a>, id: StatementId) -> Option<(&'a Policy, &'a Statement)> {
    match check.request.session {
        Session::Policy(policy) if id.policy == PolicyId::SESSION => {
            Some((policy, policy.statements().get(usize::from(id.index))?))
        }
        Session::Policy(_) | Session::Unstated | Session::None => check.snapshot.statement(id),
    }
}

/// Whether the statement covers the action.
#[inline]
pub(super) fn covers_action(statement: &Statement, action: &ActionView<'_>) -> bool {
    statement.actions.may_cover(action.found.asked)
        && is_listed(&statement.actions, action) != statement.excluding
}

#[inline]
fn is_listed(actions: &Actions, action: &ActionView<'_>) -> bool {
    let asked = action.found.asked;
    let reaching = actions.reaching(asked);
    actions.names(asked) || (!reaching.is_empty() && is_matched(reaching, action))
}

#[inline(never)]
fn is_matched(patterns: &[ActionMatcher], action: &ActionView<'_>) -> bool {
    let FoundAction {
        service: known,
        start,
        ..
    } = action.found;
    let name = || action.name.name();
    patterns.iter().any(|pattern| match pattern {
        ActionMatcher::All => true,
        ActionMatcher::Service(service, names) => {
            known == Some(*service) && names.matches(start, name)
        }
        ActionMatcher::Wide(services, names) => {
            services.matches(action.name.service()) && names.matches(name())
        }
    })
}

/// Whether the statement names the one who asks.
#[inline]
pub(super) fn names_asker(statement: &Statement, check: &SubCheck<'_>) -> bool {
    match statement.principals() {
        None => true,
        Some(principals) => principal::names(principals, check.request, check.asker),
    }
}

/// Whether the statement covers the resource. `account` is the one that the policy speaks for.
#[inline]
pub(super) fn covers_resource(statement: &Statement, check: &SubCheck<'_>, account: &str) -> bool {
    match &statement.resources {
        Resources::All | Resources::Attached => true,
        Resources::One(pattern) => matches_resource(pattern, check, account),
        Resources::Only(patterns) => patterns
            .iter()
            .any(|pattern| matches_resource(pattern, check, account)),
        Resources::AllBut(patterns) => !patterns
            .iter()
            .any(|pattern| matches_resource(pattern, check, account)),
    }
}

/// ram 1.5: field by field; "pass request ARN `*`, which only the pattern `*` matches".
fn matches_resource(pattern: &ArnMatcher, check: &SubCheck<'_>, account: &str) -> bool {
    let ResourceName::Arn(arn) = check.resource.name else {
        return false;
    };
    pattern.matches(arn) && pattern.matches_owner(check.owner, account)
}

/// Whether the statement certainly covers everything below an open ARN.
pub(super) fn covers_below(statement: &Statement, check: &SubCheck<'_>, account: &str) -> bool {
    match (&statement.resources, check.resource.name) {
        (Resources::All | Resources::Attached, _) => true,
        (Resources::One(_) | Resources::Only(_) | Resources::AllBut(_), ResourceName::All) => false,
        (Resources::One(pattern), ResourceName::Arn(arn)) => covers(pattern, check, account, arn),
        (Resources::Only(patterns), ResourceName::Arn(arn)) => patterns
            .iter()
            .any(|pattern| covers(pattern, check, account, arn)),
        (Resources::AllBut(patterns), ResourceName::Arn(arn)) => !patterns
            .iter()
            .any(|pattern| overlaps(pattern, check, account, arn)),
    }
}

/// Whether the statement could cover something below an open ARN.
pub(super) fn reaches_below(statement: &Statement, check: &SubCheck<'_>, account: &str) -> bool {
    match (&statement.resources, check.resource.name) {
        (Resources::All | Resources::Attached, _) | (_, ResourceName::All) => true,
        (Resources::One(pattern), ResourceName::Arn(arn)) => overlaps(pattern, check, account, arn),
        (Resources::Only(patterns), ResourceName::Arn(arn)) => patterns
            .iter()
            .any(|pattern| overlaps(pattern, check, account, arn)),
        (Resources::AllBut(patterns), ResourceName::Arn(arn)) => !patterns
            .iter()
            .any(|pattern| covers(pattern, check, account, arn)),
    }
}

fn covers(pattern: &ArnMatcher, check: &SubCheck<'_>, account: &str, arn: ArnRef<'_>) -> bool {
    pattern.service().matches(arn.service())
        && covers_field(pattern.region(), arn.region())
        && pattern.matches_owner(check.owner, account)
        && pattern.id().covers(stem(arn))
}

fn overlaps(pattern: &ArnMatcher, check: &SubCheck<'_>, account: &str, arn: ArnRef<'_>) -> bool {
    pattern.service().matches(arn.service())
        && (matches!(arn.region(), "" | "*") || pattern.region().matches(arn.region()))
        && pattern.matches_owner(check.owner, account)
        && pattern.id().overlaps(stem(arn))
}

/// A region of `*` asks about every region.
fn covers_field(matcher: MatcherRef<'_>, field: &str) -> bool {
    if field == "*" {
        matcher.covers("")
    } else {
        matcher.matches(field)
    }
}

/// The part of an open relative id before its final `*`.
fn stem(arn: ArnRef<'_>) -> &str {
    arn.id().strip_suffix('*').unwrap_or(arn.id())
}
