//! Lists without an id: which of them are allowed only if their result is filtered (security 3.6).

use super::layers::{Judged, Layers, Reach, Terms};
use super::observe::Observer;
use super::request::Session;
use super::statement::{covers_action, covers_below, covers_resource, names_asker, reaches_below};
use super::subcheck::{Standing, SubCheck};
use super::unit::narrows;
use crate::model::settings::QueryUnfiltered;
use crate::model::statement::Effect;
use crate::model::verdict::Outcome;
use crate::snapshot::{Policy, Statement};

impl<O: Observer> Layers<'_, '_, O> {
    /// Adds what a list without an id obliges to; under `query_unfiltered = deny` refuses it.
    pub(super) fn filtered(&self, judged: Judged) -> Judged {
        let check = self.check;
        let asked = check.action.list && check.standing == Standing::Open;
        if !asked || judged.verdict.outcome != Outcome::Allow {
            return judged;
        }
        let narrowed = judged.obligations.filter_results || self.is_narrowed();
        match check.snapshot.settings.query_unfiltered {
            QueryUnfiltered::Deny if narrowed => judged.refused(),
            QueryUnfiltered::Deny => judged,
            QueryUnfiltered::Obligation => judged.filtering(narrowed),
        }
    }

    /// "while an applicable Deny reads tags, group, type or id"
    fn is_narrowed(&self) -> bool {
        let check = self.check;
        let table = &check.snapshot.policies;
        let attached = self.applicable().any(|found| {
            table
                .covering(found.id, check.action.found.asked)
                .is_some_and(|policy| has_narrowing_deny(policy, check, found.terms))
        });
        let account = check.request.principal.account().unwrap_or_default();
        attached
            || match check.request.session {
                Session::Policy(policy) => has_narrowing_deny(policy, check, Terms::whole(account)),
                Session::Unstated | Session::None => false,
            }
    }
}

fn has_narrowing_deny(policy: &Policy, check: &SubCheck<'_>, terms: Terms<'_>) -> bool {
    policy.statements().iter().any(|statement| {
        statement.effect == Effect::Deny
            && covers_action(statement, check.action)
            && names_asker(statement, check)
            && terms.binding.binds(statement)
            && denies_part(statement, check, terms)
    })
}

/// A Deny that reads tags or group, stands at group scope, or stands on a part of what is listed.
fn denies_part(statement: &Statement, check: &SubCheck<'_>, terms: Terms<'_>) -> bool {
    let Terms { account, scope, .. } = terms;
    let whole =
        covers_resource(statement, check, account) && covers_below(statement, check, account);
    reaches_below(statement, check, account)
        && (narrows(statement) || scope == Reach::Group || !whole)
}
