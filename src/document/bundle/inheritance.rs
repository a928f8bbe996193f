//! What was read of associated inheritance: `inheritance.json`, or the objects that say the same.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::entry::Placed;
use super::error::EntryErrorKind;
use super::links::{Broken, Known};
use super::reading::{Reading, Sited, duplicate, site};
use crate::document::inheritance::{
    AccountEntry, InheritanceFile, MAX_INHERITANCE_BYTES, feature, inheritance, own_rules,
    rule_setting,
};
use crate::document::position::Source;
use crate::document::shipped;
use crate::model::arn::AccountId;
use crate::model::inheritance::{AccountInheritance, Inheritance, RuleDefinition, RuleId};
use crate::model::object::AccountObject;

/// All that was read.
#[derive(Debug, Default)]
pub(in crate::document) struct InheritanceReading<'f> {
    definitions: Vec<(Sited<'f, RuleId>, RuleDefinition)>,
    accounts: BTreeMap<AccountId, AccountInheritance>,
    /// The rules that accounts name.
    named: Vec<Sited<'f, RuleId>>,
    /// The accounts that a file names.
    filed: Vec<Sited<'f, AccountId>>,
}

impl<'f> Reading<'f> {
    /// `inheritance.json`
    pub(super) fn read_inheritance(&mut self, path: &'f str, source: Source<'f>) {
        let catalog = Arc::clone(&self.catalog);
        let read = self.document(path, source, MAX_INHERITANCE_BYTES, |at, sink| {
            inheritance(at, &catalog, sink)
        });
        let Some(InheritanceFile {
            definitions,
            accounts,
        }) = read
        else {
            return;
        };
        self.define(path, source, definitions);
        let sited = |placed| sited(path, source, placed);
        for AccountEntry {
            account,
            inheritance,
            named,
        } in accounts
        {
            let read = &mut self.inheritance;
            read.named.extend(named.into_iter().map(sited));
            read.accounts.insert(account.value.clone(), inheritance);
            read.filed.push(self::sited(path, source, account));
        }
    }

    /// The object `inheritance`: the rules of the operator's own.
    pub(in crate::document) fn read_own_rules(&mut self, path: &'f str, source: Source<'f>) {
        let read = self.document(path, source, MAX_INHERITANCE_BYTES, own_rules);
        self.define(path, source, read.unwrap_or_default());
    }

    fn define(
        &mut self,
        path: &'f str,
        source: Source<'f>,
        definitions: Vec<(Placed<RuleId>, RuleDefinition)>,
    ) {
        let definitions = definitions.into_iter();
        let definitions = definitions.map(|(id, rule)| (sited(path, source, id), rule));
        self.inheritance.definitions.extend(definitions);
    }

    /// The feature or a rule of an account, as an object.
    pub(in crate::document) fn read_account_inheritance(
        &mut self,
        path: &'f str,
        source: Source<'f>,
        account: &AccountId,
        object: &AccountObject,
    ) {
        // An account of which this alone is known is not there.
        self.accounts.entry(account.clone()).or_default();
        if let AccountObject::InheritanceRule(rule) = object {
            let read = self.document(path, source, MAX_INHERITANCE_BYTES, |at, sink| {
                let (value, spot) = (rule.clone(), at.spot());
                Ok((rule_setting(at, sink)?, Placed { value, spot }))
            });
            let Some((setting, placed)) = read else {
                return;
            };
            let own = self.inheritance.accounts.entry(account.clone());
            own.or_default().rules.insert(rule.clone(), setting);
            let named = sited(path, source, placed);
            self.inheritance.named.push(named);
            return;
        }
        let catalog = Arc::clone(&self.catalog);
        let read = self.document(path, source, MAX_INHERITANCE_BYTES, |at, sink| {
            feature(at, &catalog, sink)
        });
        if let Some(read) = read {
            let own = self.inheritance.accounts.entry(account.clone());
            let own = own.or_default();
            let rules = std::mem::take(&mut own.rules);
            *own = AccountInheritance { rules, ..read };
        }
    }

    /// What was read, without the shipped rules. An account that has set nothing is left out.
    pub(super) fn take_inheritance(&mut self) -> Arc<Inheritance> {
        let read = std::mem::take(&mut self.inheritance);
        let definitions = read.definitions.into_iter();
        let mut accounts = read.accounts;
        accounts.retain(|_, own| *own != AccountInheritance::default());
        Arc::new(Inheritance {
            definitions: definitions.map(|(id, rule)| (id.value, rule)).collect(),
            accounts: accounts
                .into_iter()
                .map(|(account, own)| (account, Arc::new(own)))
                .collect(),
        })
    }
}

impl<'f> InheritanceReading<'f> {
    /// Checks that rules are defined once, and that those that accounts name are.
    pub(in crate::document) fn check<K: Known>(
        &self,
        known: &K,
        broken: &mut Broken<'f>,
    ) -> Result<(), K::Error> {
        let mut seen: BTreeSet<&RuleId> = shipped::inheritance_rules().keys().collect();
        for (id, _) in &self.definitions {
            if !seen.insert(&id.value) {
                broken.push((id.site.clone(), duplicate("rule", id.value.as_str())));
            }
        }
        for named in &self.named {
            let is_shipped = shipped::inheritance_rules().contains_key(&named.value);
            if !is_shipped && !known.has_rule(&named.value)? {
                let name = named.value.as_str().into();
                broken.push((named.site.clone(), EntryErrorKind::RuleUnknown { name }));
            }
        }
        Ok(())
    }

    /// Whether the operator's own rules hold this one.
    pub(super) fn defines(&self, rule: &RuleId) -> bool {
        self.definitions.iter().any(|(id, _)| id.value == *rule)
    }

    /// The accounts of the file that are not there.
    pub(super) fn check_accounts(
        &self,
        is_there: impl Fn(&AccountId) -> bool,
        broken: &mut Broken<'f>,
    ) {
        for filed in &self.filed {
            if !is_there(&filed.value) {
                broken.push((filed.site.clone(), EntryErrorKind::AccountMissing));
            }
        }
    }
}

fn sited<'f, T>(file: &'f str, source: Source<'f>, placed: Placed<T>) -> Sited<'f, T> {
    Sited {
        site: site(file, source, &placed.spot),
        value: placed.value,
    }
}
