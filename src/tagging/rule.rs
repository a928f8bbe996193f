//! What a change of rules leaves to do: associations to be filled, provenance to be forgotten.

use std::collections::BTreeSet;

use crate::model::arn::AccountId;
use crate::model::inheritance::{ApplyToExisting, Inheritance, RuleId, RulesInForce, TagScope};
use crate::model::resource::Version;
use crate::model::tagging::{Backfill, Cause, Forget, Progress, Work};

/// The work that a change of the rules leaves, in the order in which it is to be kept. `at` is the
/// number of the change, of which everything written before it is older.
pub fn rule_changes(
    before: &Inheritance,
    after: &Inheritance,
    at: Version,
    cause: &Cause,
) -> Vec<Work> {
    let accounts: BTreeSet<&AccountId> = before
        .accounts
        .keys()
        .chain(after.accounts.keys())
        .collect();
    let mut work = Vec::new();
    for account in accounts {
        let (was, is) = (
            before.rules_in_force(account),
            after.rules_in_force(account),
        );
        let change = RuleChange {
            account,
            before: was.as_ref(),
            after: is.as_ref(),
        };
        work.extend(change.work(at, cause));
    }
    work
}

/// What acted in one account and what acts now; `None`: its feature is off.
#[derive(Debug, Clone, Copy)]
pub struct RuleChange<'r> {
    /// The account.
    pub account: &'r AccountId,
    /// The rules of before.
    pub before: Option<&'r RulesInForce>,
    /// The rules of now.
    pub after: Option<&'r RulesInForce>,
}

impl RuleChange<'_> {
    /// The work that it leaves, as [`rule_changes`] tells it.
    pub fn work(&self, at: Version, cause: &Cause) -> Vec<Work> {
        let none = RulesInForce::new();
        let before = self.before.unwrap_or(&none);
        let Some(after) = self.after else {
            // tag-policy 4.2: "Feature disabled: tags no longer managed, present tags untouched."
            let was_on = self.before.is_some();
            return was_on
                .then(|| self.forget(None, None, at))
                .into_iter()
                .collect();
        };
        let rules: BTreeSet<&RuleId> = before.keys().chain(after.keys()).collect();
        let mut work = Vec::new();
        for rule in rules {
            let (was, is) = (before.get(rule), after.get(rule));
            match (was, is) {
                (Some(_), None) => work.push(self.forget(Some(rule), None, at)),
                (Some(was), Some(is)) if narrows(&was.scope, &is.scope) => {
                    work.push(self.forget(Some(rule), Some(&is.scope), at));
                }
                (Some(_), Some(_)) | (None, _) => {}
            }
            // tag-policy 4.2: "tag scope and the existing switch can be changed".
            if is.is_some_and(|is| is.fills == ApplyToExisting::Yes && was != Some(is)) {
                work.push(self.fill(rule, cause));
            }
        }
        work
    }

    fn fill(&self, rule: &RuleId, cause: &Cause) -> Work {
        Work::Backfill(Backfill {
            account: self.account.clone(),
            rule: rule.clone(),
            after: None,
            cause: cause.clone(),
            progress: Progress::default(),
        })
    }

    fn forget(&self, rule: Option<&RuleId>, kept: Option<&TagScope>, at: Version) -> Work {
        Work::Forget(Forget {
            account: self.account.clone(),
            rule: rule.cloned(),
            kept: kept.cloned(),
            at,
            after: None,
        })
    }
}

/// Whether a key was carried and is not any more.
fn narrows(was: &TagScope, is: &TagScope) -> bool {
    match (was, is) {
        (_, TagScope::All) => false,
        (TagScope::All, TagScope::Keys(_)) => true,
        (TagScope::Keys(was), TagScope::Keys(_)) => !was.iter().all(|key| is.holds(key)),
    }
}
