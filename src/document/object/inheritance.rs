//! `inheritance.json` taken apart into objects, and put together from them.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::join::JoinError;
use super::split::Fault;
use super::text::{members, object, quoted};
use crate::document::bundle::error::EntryErrorKind;
use crate::model::arn::AccountId;
use crate::model::inheritance::RuleId;
use crate::model::object::{AccountObject, ObjectId};

/// The objects of the file, each with its document.
pub(super) fn split(text: &str) -> Result<Vec<(ObjectId, String)>, Fault> {
    let file = members(text)?;
    let mut objects = Vec::new();
    if let Some(rules) = file.get("rules") {
        objects.push((ObjectId::Inheritance, object([("rules", rules.get())])));
    }
    let accounts = file.get("accounts").map(|at| members(at.get()));
    for (account, own) in accounts.transpose()?.unwrap_or_default() {
        let account = AccountId::try_from(&*account).map_err(|_| EntryErrorKind::Account)?;
        let of = |object| ObjectId::Account(account.clone(), object);
        let mut own = members(own.get())?;
        let rules = own.remove("rules");
        if !own.is_empty() {
            let own = own.iter().map(|(name, value)| (&**name, value.get()));
            objects.push((of(AccountObject::Inheritance), object(own)));
        }
        let rules = rules.map(|at| members(at.get())).transpose()?;
        for (rule, setting) in rules.unwrap_or_default() {
            let rule = RuleId::try_from(&*rule).map_err(EntryErrorKind::from)?;
            let setting = setting.get().to_owned();
            objects.push((of(AccountObject::InheritanceRule(rule)), setting));
        }
    }
    Ok(objects)
}

/// The file in the making.
#[derive(Debug, Default)]
pub(super) struct InheritanceText<'o> {
    rules: Option<&'o RawValue>,
    accounts: BTreeMap<&'o AccountId, AccountText<'o>>,
}

#[derive(Debug, Default)]
struct AccountText<'o> {
    own: BTreeMap<String, &'o RawValue>,
    rules: BTreeMap<&'o RuleId, &'o str>,
}

impl<'o> InheritanceText<'o> {
    /// Adds the object `inheritance`.
    pub(super) fn define(&mut self, id: &ObjectId, document: &'o str) -> Result<(), JoinError> {
        let refused = |_| JoinError::NotAnObject { id: id.clone() };
        self.rules = members(document).map_err(refused)?.get("rules").copied();
        Ok(())
    }

    /// Adds an object of an account.
    pub(super) fn add(
        &mut self,
        id: &ObjectId,
        account: &'o AccountId,
        object: &'o AccountObject,
        document: &'o str,
    ) -> Result<(), JoinError> {
        let own = self.accounts.entry(account).or_default();
        let refused = |_| JoinError::NotAnObject { id: id.clone() };
        let document_members = members(document).map_err(refused)?;
        match object {
            AccountObject::InheritanceRule(rule) => {
                own.rules.insert(rule, document);
            }
            AccountObject::Inheritance => own.own = document_members,
            AccountObject::Itself
            | AccountObject::Policy(_)
            | AccountObject::User(_)
            | AccountObject::Group(_)
            | AccountObject::Role(_)
            | AccountObject::Attachment(..) => {}
        }
        Ok(())
    }

    /// The text; `None`: nothing is said.
    pub(super) fn finish(mut self) -> Option<String> {
        self.accounts
            .retain(|_, own| !own.own.is_empty() || !own.rules.is_empty());
        if self.rules.is_none() && self.accounts.is_empty() {
            return None;
        }
        let mut file = Vec::new();
        if let Some(rules) = self.rules {
            file.push(format!("  \"rules\": {}", rules.get()));
        }
        let accounts: Vec<String> = self.accounts.iter().map(account).collect();
        if !accounts.is_empty() {
            let accounts = accounts.join(",\n");
            file.push(format!("  \"accounts\": {{\n{accounts}\n  }}"));
        }
        Some(format!("{{\n{}\n}}\n", file.join(",\n")))
    }
}

fn account((account, own): (&&AccountId, &AccountText<'_>)) -> String {
    let rules = own.rules.iter();
    let rules: Vec<String> = rules
        .map(|(rule, text)| format!("      {}: {text}", quoted(rule.as_str())))
        .collect();
    let rules = format!("{{\n{}\n    }}", rules.join(",\n"));
    let mut members: Vec<(&str, &str)> = own
        .own
        .iter()
        .map(|(name, value)| (&**name, value.get()))
        .collect();
    if !own.rules.is_empty() {
        members.push(("rules", &rules));
    }
    format!("    {}: {}", quoted(account.as_str()), object(members))
}
