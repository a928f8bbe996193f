//! What is around a change, as what its documents may name.

use super::{Authored, Mention, Unreadable};
use crate::document::bundle::links::{FoundTagPolicy, Known};
use crate::document::shipped;
use crate::model::account::{Grantee, Name, PolicyRef};
use crate::model::arn::AccountId;
use crate::model::object::{AccountObject, ObjectId, SharedPolicy};

/// The authored state after a change.
pub(super) struct Around<'a>(pub(super) &'a dyn Authored);

impl Around<'_> {
    fn has(&self, id: &ObjectId) -> Result<bool, Unreadable> {
        Ok(self.0.document(id)?.is_some())
    }
}

impl Known for Around<'_> {
    type Error = Unreadable;

    fn has_grantee(&self, account: &AccountId, grantee: &Grantee) -> Result<bool, Unreadable> {
        let object = match grantee {
            Grantee::User(name) => AccountObject::User(name.clone()),
            Grantee::Group(name) => AccountObject::Group(name.clone()),
            Grantee::Role(name) => AccountObject::Role(name.clone()),
        };
        self.has(&ObjectId::Account(account.clone(), object))
    }

    fn has_policy(&self, account: &AccountId, policy: &PolicyRef) -> Result<bool, Unreadable> {
        match policy {
            PolicyRef::System(name) if shipped::system_policies().contains_key(name) => Ok(true),
            PolicyRef::System(name) => {
                self.has(&ObjectId::Shared(SharedPolicy::System, name.clone()))
            }
            PolicyRef::Custom(name) => {
                let policy = AccountObject::Policy(name.clone());
                self.has(&ObjectId::Account(account.clone(), policy))
            }
        }
    }

    fn has_control_policy(&self, name: &Name) -> Result<bool, Unreadable> {
        self.has(&ObjectId::Shared(SharedPolicy::Control, name.clone()))
    }

    fn tag_policy(&self, name: &Name) -> Result<FoundTagPolicy, Unreadable> {
        let id = ObjectId::Shared(SharedPolicy::Tag, name.clone());
        let Some(document) = self.0.document(&id)? else {
            return Ok(FoundTagPolicy::Missing);
        };
        let read = super::read::tag_policy(&document);
        Ok(read.map_or(FoundTagPolicy::Refused, |policy| {
            FoundTagPolicy::Read(policy.dialect)
        }))
    }

    fn other_organization(
        &self,
        account: &AccountId,
        own: &str,
    ) -> Result<Option<String>, Unreadable> {
        let organizations = self.0.naming(&Mention::Member(account.clone()), 2)?;
        let mut names = organizations.into_iter().filter_map(|id| match id {
            ObjectId::Organization(name) => Some(name.as_str().to_owned()),
            ObjectId::Settings
            | ObjectId::Callers
            | ObjectId::Routes
            | ObjectId::Catalog(_)
            | ObjectId::Shared(..)
            | ObjectId::Account(..)
            | ObjectId::Resources => None,
        });
        Ok(names.find(|name| name != own))
    }
}
