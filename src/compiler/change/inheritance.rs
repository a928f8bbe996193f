//! Associated inheritance: what a change makes of the rules, and of what accounts have set.

use std::sync::Arc;

use super::Change;
use crate::document::object::Touched;
use crate::document::shipped;
use crate::model::arn::AccountId;
use crate::model::inheritance::{AccountInheritance, Inheritance};
use crate::model::object::{AccountObject, ObjectId};

impl Change<'_> {
    /// The accounts' settings are shared, but for those that are touched.
    pub(super) fn inheritance(&mut self) {
        for Touched { id, before: _ } in self.touched {
            let after = &self.after.inheritance;
            let next = &mut self.compilation.snapshot.inheritance;
            match id {
                ObjectId::Inheritance => {
                    let mut definitions = shipped::inheritance_rules().clone();
                    definitions.extend(after.definitions.clone());
                    Arc::make_mut(next).definitions = definitions;
                }
                ObjectId::Account(
                    account,
                    object @ (AccountObject::Inheritance | AccountObject::InheritanceRule(_)),
                ) => set(Arc::make_mut(next), account, object, after),
                ObjectId::Account(..)
                | ObjectId::Settings
                | ObjectId::Callers
                | ObjectId::Routes
                | ObjectId::Catalog(_)
                | ObjectId::Organization(_)
                | ObjectId::Shared(..)
                | ObjectId::Resources => {}
            }
        }
    }
}

/// Takes one object of an account over. An account that has set nothing is left out.
fn set(next: &mut Inheritance, account: &AccountId, object: &AccountObject, after: &Inheritance) {
    let after = after.of(Some(account.as_str()));
    let own = next.accounts.entry(account.clone()).or_default();
    let own = Arc::make_mut(own);
    if let AccountObject::InheritanceRule(rule) = object {
        match after.and_then(|after| after.rules.get(rule)) {
            Some(setting) => own.rules.insert(rule.clone(), setting.clone()),
            None => own.rules.remove(rule),
        };
    } else {
        let rules = std::mem::take(&mut own.rules);
        let written = after.cloned().unwrap_or_default();
        *own = AccountInheritance { rules, ..written };
    }
    if *own == AccountInheritance::default() {
        next.accounts.remove(account);
    }
}
