//! What a change of rules leaves to do: associations to be filled, provenance to be forgotten.

use std::collections::BTreeSet;

use crate::model::arn::AccountId;
use crate::model::inheritance::{
    AccountInheritance, ApplyToExisting, ExistingSupport, Inheritance, RuleId, RuleSetting, Status,
    TagScope,
};
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
        Change {
            account,
            before: Side::of(before, account),
            after: Side::of(after, account),
            at,
        }
        .work(cause, &mut work);
    }
    work
}

/// The rules of one account, before or after.
struct Side<'i> {
    whole: &'i Inheritance,
    own: Option<&'i AccountInheritance>,
}

impl<'i> Side<'i> {
    fn of(whole: &'i Inheritance, account: &AccountId) -> Self {
        Self {
            whole,
            own: whole.of(Some(account.as_str())),
        }
    }

    fn is_on(&self) -> bool {
        self.own.is_some_and(|own| own.feature == Status::Enabled)
    }

    fn in_force(&self, rule: &RuleId) -> Option<&'i RuleSetting> {
        let is_defined = self.whole.definitions.contains_key(rule);
        self.own?.in_force(rule).filter(|_| is_defined)
    }

    fn rules(&self) -> impl Iterator<Item = &'i RuleId> {
        self.own.into_iter().flat_map(|own| own.rules.keys())
    }

    fn fills(&self, rule: &RuleId) -> bool {
        let definition = self.whole.definitions.get(rule);
        definition.is_some_and(|definition| definition.existing == ExistingSupport::Supported)
    }
}

struct Change<'i> {
    account: &'i AccountId,
    before: Side<'i>,
    after: Side<'i>,
    at: Version,
}

impl Change<'_> {
    fn work(&self, cause: &Cause, work: &mut Vec<Work>) {
        if self.before.is_on() && !self.after.is_on() {
            // tag-policy 4.2: "Feature disabled: tags no longer managed, present tags untouched."
            work.push(self.forget(None, None));
            return;
        }
        let rules: BTreeSet<&RuleId> = self.before.rules().chain(self.after.rules()).collect();
        for rule in rules {
            let (was, is) = (self.before.in_force(rule), self.after.in_force(rule));
            match (was, is) {
                (Some(_), None) => work.push(self.forget(Some(rule), None)),
                (Some(was), Some(is)) if narrows(&was.scope, &is.scope) => {
                    work.push(self.forget(Some(rule), Some(&is.scope)));
                }
                (Some(_), Some(_)) | (None, _) => {}
            }
            // tag-policy 4.2: "tag scope and the existing switch can be changed".
            let is_new = match (was, is) {
                (Some(was), Some(is)) => was.scope != is.scope || was.existing != is.existing,
                (None, Some(_)) => true,
                (_, None) => false,
            };
            let asks = is.is_some_and(|is| is.existing == ApplyToExisting::Yes);
            if is_new && asks && self.after.fills(rule) {
                work.push(Work::Backfill(Backfill {
                    account: self.account.clone(),
                    rule: rule.clone(),
                    after: None,
                    cause: cause.clone(),
                    progress: Progress::default(),
                }));
            }
        }
    }

    fn forget(&self, rule: Option<&RuleId>, kept: Option<&TagScope>) -> Work {
        Work::Forget(Forget {
            account: self.account.clone(),
            rule: rule.cloned(),
            kept: kept.cloned(),
            at: self.at,
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
