//! The role in whose name inherited tags are written: turning the feature on makes it.
//!
//! tag-policy 8: "enabling the feature makes the service-linked role `AliyunServiceRoleForTag` in
//! the account". It is an object as if the change had brought it, and stays when the feature is
//! turned off.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::change::{ChangeError, Operation, What};
use crate::document::finding::Finding;
use crate::document::object::{Document, Objects};
use crate::model::arn::AccountId;
use crate::model::inheritance::{SERVICE_NAME, SERVICE_ROLE};
use crate::model::object::{AccountObject, ObjectId};
use crate::source::embedded::{Staging, StoreError};

/// Makes the roles that what is staged leaves wanting; returns why it is refused, where it takes
/// such a role away.
///
/// # Errors
///
/// When the store cannot be read or written.
pub(super) fn make(staging: &mut Staging, what: &What) -> Result<Vec<Finding>, ChangeError> {
    let mut refused = Vec::new();
    for account in touched(staging)? {
        let feature = staging.get(&feature_of(&account))?;
        let role = role_of(&account);
        let found = staging.get(&role)?;
        match wanting(feature.as_ref(), found.as_ref()) {
            Wanting::Nothing => {}
            Wanting::Role if deletes(what, &role) => refused.push(fault(
                &role,
                "associated inheritance is on in the account and writes in the name of this role: \
                 it is turned off first",
            )),
            Wanting::Role => staging.set(&role, Some(document().as_bytes()))?,
            Wanting::Linked => refused.push(fault(
                &role,
                "associated inheritance writes in the name of a service-linked role, and this one \
                 is none",
            )),
        }
    }
    Ok(refused)
}

/// Adds the roles that the objects of a whole state leave wanting.
pub(super) fn add(objects: &mut Objects) {
    let accounts: BTreeSet<AccountId> = objects.keys().filter_map(account_of).collect();
    for account in accounts {
        let role = role_of(&account);
        let wanting = wanting(objects.get(&feature_of(&account)), objects.get(&role));
        if wanting == Wanting::Role {
            objects.insert(role, Document::from(document().as_bytes()));
        }
    }
}

/// The accounts whose feature or whose role is touched.
fn touched(staging: &Staging) -> Result<BTreeSet<AccountId>, StoreError> {
    let differences = staging.differences()?;
    let touched = differences.iter().filter_map(|one| account_of(&one.id));
    Ok(touched.collect())
}

/// The account whose feature or whose role an object is.
fn account_of(id: &ObjectId) -> Option<AccountId> {
    let ObjectId::Account(account, object) = id else {
        return None;
    };
    let is_either = match object {
        AccountObject::Inheritance => true,
        AccountObject::Role(name) => name == SERVICE_ROLE,
        AccountObject::Itself
        | AccountObject::Policy(_)
        | AccountObject::User(_)
        | AccountObject::Group(_)
        | AccountObject::InheritanceRule(_)
        | AccountObject::Attachment(..) => false,
    };
    is_either.then(|| account.clone())
}

fn feature_of(account: &AccountId) -> ObjectId {
    ObjectId::Account(account.clone(), AccountObject::Inheritance)
}

fn role_of(account: &AccountId) -> ObjectId {
    ObjectId::Account(
        account.clone(),
        AccountObject::Role(SERVICE_ROLE.to_owned()),
    )
}

/// What an account wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanting {
    Nothing,
    /// The feature is on, and there is no role.
    Role,
    /// There is a role of that name, of another kind.
    Linked,
}

#[derive(Deserialize)]
struct FeatureFacts {
    feature: Option<String>,
}

#[derive(Deserialize)]
struct RoleFacts {
    #[serde(default)]
    service_linked: bool,
}

/// A document that cannot be read is refused where it is read for its meaning.
fn wanting(feature: Option<&Document>, role: Option<&Document>) -> Wanting {
    let facts = feature.and_then(|text| serde_json::from_slice::<FeatureFacts>(text).ok());
    let is_on = facts.is_some_and(|facts| facts.feature.as_deref() == Some("on"));
    let Some(role) = role else {
        return if is_on {
            Wanting::Role
        } else {
            Wanting::Nothing
        };
    };
    let is_linked = serde_json::from_slice(role).is_ok_and(|facts: RoleFacts| facts.service_linked);
    if is_on && !is_linked {
        Wanting::Linked
    } else {
        Wanting::Nothing
    }
}

/// Whether a change names an object to take it away.
fn deletes(what: &What, id: &ObjectId) -> bool {
    match what {
        What::Operations(operations) => operations.iter().any(
            |Operation {
                 id: named,
                 document,
             }| named == id && document.is_none(),
        ),
        What::Bundle(_) | What::Rollback(_) => false,
    }
}

fn document() -> String {
    format!(
        r#"{{"service_linked": true, "trust": {{"Version": "1", "Statement": [
    {{"Effect": "Allow", "Action": "sts:AssumeRole",
      "Principal": {{"Service": ["{SERVICE_NAME}"]}}}}]}}}}"#
    )
}

fn fault(id: &ObjectId, message: &str) -> Finding {
    Finding {
        file: id.to_string(),
        ..Finding::whole(message)
    }
}
