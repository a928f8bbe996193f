//! The rules of inheritance that were acted on last: a change of them leaves its work once.
//!
//! What acts is compared with what was acted on whenever a group is worked out in a snapshot whose
//! rules are others, so that every call comes after the change of rules that it meets. What was
//! acted on is kept in the same transaction as the work that the change leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::arn::AccountId;
use crate::model::inheritance::{Inheritance, RulesInForce};
use crate::model::resource::Version;
use crate::model::tagging::{Cause, Work};
use crate::source::directory::rules;
use crate::tagging::RuleChange;

/// What was acted on.
#[derive(Debug, Default)]
pub(super) struct Rules {
    /// The accounts whose feature was on.
    acted: BTreeMap<AccountId, RulesInForce>,
    /// The rules that were compared with it last.
    seen: Option<Arc<Inheritance>>,
}

/// A change of rules that is to be committed.
#[derive(Debug)]
pub(super) struct Change {
    seen: Arc<Inheritance>,
    /// The accounts in which other rules act than before.
    accounts: Vec<(AccountId, Option<RulesInForce>)>,
    /// What it leaves to do.
    pub(super) work: Vec<Work>,
}

impl Rules {
    /// Takes over what was kept of an account.
    pub(super) fn load(&mut self, account: AccountId, rules: RulesInForce) {
        self.acted.insert(account, rules);
    }

    /// Whether these rules were acted on.
    pub(super) fn have_seen(&self, inheritance: &Arc<Inheritance>) -> bool {
        let seen = self.seen.as_ref();
        seen.is_some_and(|seen| Arc::ptr_eq(seen, inheritance))
    }

    /// What these rules change, and leave to do; `None`: they were acted on. `at` is the number of
    /// the change.
    pub(super) fn change(
        &self,
        inheritance: &Arc<Inheritance>,
        at: Version,
        cause: &Cause,
    ) -> Option<Change> {
        if self.have_seen(inheritance) {
            return None;
        }
        let accounts = self.acted.keys().chain(inheritance.accounts.keys());
        let accounts: BTreeSet<&AccountId> = accounts.collect();
        let mut change = Change {
            seen: Arc::clone(inheritance),
            accounts: Vec::new(),
            work: Vec::new(),
        };
        for account in accounts {
            let (before, after) = (self.acted.get(account), inheritance.rules_in_force(account));
            if before == after.as_ref() {
                continue;
            }
            let one = RuleChange {
                account,
                before,
                after: after.as_ref(),
            };
            change.work.extend(one.work(at, cause));
            change.accounts.push((account.clone(), after));
        }
        Some(change)
    }

    /// The change was committed.
    pub(super) fn commit(&mut self, change: Change) {
        let Change { seen, accounts, .. } = change;
        for (account, rules) in accounts {
            match rules {
                Some(rules) => self.acted.insert(account, rules),
                None => self.acted.remove(&account),
            };
        }
        self.seen = Some(seen);
    }
}

impl Change {
    /// In how many accounts other rules act.
    pub(super) fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// What is kept of it.
    pub(super) fn notes(&self) -> impl Iterator<Item = (String, Option<Vec<u8>>)> {
        let accounts = self.accounts.iter();
        accounts.map(|(account, acting)| rules::write(account, acting.as_ref()))
    }
}
