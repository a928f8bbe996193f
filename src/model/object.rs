//! The objects that authored state consists of: what is put and deleted one by one.
//!
//! A bundle on disk and the objects of a store say the same: each document of the directory form
//! is one object, but `account.json`, whose users, groups, roles and attachments are an object
//! each, so that a change costs what it changes.
//!
//! Not here: how an object's document is read (`document`), and where objects are kept.

use std::fmt;

use super::account::{Grantee, InvalidName, Name, PolicyRef, Scope};
use super::arn::{AccountId, is_identity_name};

/// What names an object. Its text is a path: `accounts/1/users/alice`.
///
/// The order is that of the store: what belongs to one account stands together.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObjectId {
    /// `settings`: the switches of `bundle.json`.
    Settings,
    /// `callers`: who may ask what.
    Callers,
    /// `routes`: which requests of a proxy are which questions.
    Routes,
    /// `catalog/NAME`: actions and resource types.
    Catalog(Name),
    /// `organizations/NAME`: an organization, with what is attached to its nodes.
    Organization(Name),
    /// `policies/<layer>/NAME`: a policy that belongs to no account.
    Shared(SharedPolicy, Name),
    /// `accounts/<id>` or `accounts/<id>/…`: an account, or what belongs to it.
    Account(AccountId, AccountObject),
    /// `resources`: the resources that an empty directory starts with, as JSON Lines.
    Resources,
}

/// The sorts of policies that belong to no account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SharedPolicy {
    /// `system`: identity policies that every account may attach.
    System,
    /// `control`: for nodes of organizations.
    Control,
    /// `tag`: tag policies.
    Tag,
    /// `resource`: resource-based policies with what they are attached to.
    Resource,
}

/// An account, or what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum AccountObject {
    /// The account itself: nothing else of it is there without it.
    Itself,
    /// `policies/NAME`: a custom policy.
    Policy(Name),
    /// `users/NAME`
    User(String),
    /// `groups/NAME`
    Group(Name),
    /// `roles/NAME`
    Role(String),
    /// `attachments/<to>/<scope>/<policy>`: `attachments/user:alice/account/custom:Dev`.
    Attachment(Grantee, Scope, PolicyRef),
}

/// Why a text names no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` names no object; a name is like `accounts/1/users/alice` or `policies/tag/costs`"
)]
pub struct InvalidObjectId {
    /// The text, cut after 128 characters.
    pub text: String,
}

impl TryFrom<&str> for ObjectId {
    type Error = InvalidObjectId;

    fn try_from(text: &str) -> Result<Self, InvalidObjectId> {
        parse(text).ok_or_else(|| InvalidObjectId {
            text: text.chars().take(128).collect(),
        })
    }
}

fn parse(text: &str) -> Option<ObjectId> {
    let (first, rest) = text.split_once('/').unwrap_or((text, ""));
    match (first, rest) {
        ("settings", "") => Some(ObjectId::Settings),
        ("callers", "") => Some(ObjectId::Callers),
        ("routes", "") => Some(ObjectId::Routes),
        ("resources", "") => Some(ObjectId::Resources),
        ("catalog", rest) => name(rest).map(ObjectId::Catalog),
        ("organizations", rest) => name(rest).map(ObjectId::Organization),
        ("policies", rest) => {
            let (sort, rest) = rest.split_once('/')?;
            Some(ObjectId::Shared(shared(sort)?, name(rest)?))
        }
        ("accounts", rest) => {
            let (account, rest) = match rest.split_once('/') {
                Some((account, rest)) => (account, account_object(rest)?),
                None => (rest, AccountObject::Itself),
            };
            Some(ObjectId::Account(AccountId::try_from(account).ok()?, rest))
        }
        _ => None,
    }
}

fn shared(text: &str) -> Option<SharedPolicy> {
    match text {
        "system" => Some(SharedPolicy::System),
        "control" => Some(SharedPolicy::Control),
        "tag" => Some(SharedPolicy::Tag),
        "resource" => Some(SharedPolicy::Resource),
        _ => None,
    }
}

fn account_object(text: &str) -> Option<AccountObject> {
    let (sort, rest) = text.split_once('/')?;
    match sort {
        "policies" => name(rest).map(AccountObject::Policy),
        "users" => identity(rest).map(AccountObject::User),
        "groups" => name(rest).map(AccountObject::Group),
        "roles" => identity(rest).map(AccountObject::Role),
        "attachments" => attachment(rest),
        _ => None,
    }
}

fn attachment(text: &str) -> Option<AccountObject> {
    let mut parts = text.split('/');
    let (to, scope, policy) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let to = match to.split_once(':')? {
        ("user", user) => Grantee::User(identity(user)?),
        ("group", group) => Grantee::Group(name(group)?),
        ("role", role) => Grantee::Role(identity(role)?),
        _ => return None,
    };
    let scope = match scope.split_once(':') {
        None if scope == "account" => Scope::Account,
        Some(("rg", group)) => Scope::ResourceGroup(name(group)?),
        _ => return None,
    };
    let policy = match policy.split_once(':')? {
        ("system", policy) => PolicyRef::System(name(policy)?),
        ("custom", policy) => PolicyRef::Custom(name(policy)?),
        _ => return None,
    };
    Some(AccountObject::Attachment(to, scope, policy))
}

fn name(text: &str) -> Option<Name> {
    Name::try_from(text).map_err(|InvalidName| ()).ok()
}

fn identity(text: &str) -> Option<String> {
    is_identity_name(text).then(|| text.to_owned())
}

impl fmt::Display for ObjectId {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings => to.write_str("settings"),
            Self::Callers => to.write_str("callers"),
            Self::Routes => to.write_str("routes"),
            Self::Resources => to.write_str("resources"),
            Self::Catalog(name) => write!(to, "catalog/{name}"),
            Self::Organization(name) => write!(to, "organizations/{name}"),
            Self::Shared(sort, name) => write!(to, "policies/{}/{name}", sort.as_str()),
            Self::Account(account, object) => write!(to, "accounts/{account}{object}"),
        }
    }
}

impl SharedPolicy {
    /// The name of its directory.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Control => "control",
            Self::Tag => "tag",
            Self::Resource => "resource",
        }
    }
}

/// With a slash before it, but nothing for the account itself.
impl fmt::Display for AccountObject {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Itself => Ok(()),
            Self::Policy(name) => write!(to, "/policies/{name}"),
            Self::User(name) => write!(to, "/users/{name}"),
            Self::Group(name) => write!(to, "/groups/{name}"),
            Self::Role(name) => write!(to, "/roles/{name}"),
            Self::Attachment(grantee, scope, policy) => {
                write!(to, "/attachments/{grantee}/{scope}/{policy}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_name_objects_and_come_back() {
        let texts = [
            "settings",
            "callers",
            "routes",
            "resources",
            "catalog/more",
            "organizations/rd-1",
            "policies/system/Read",
            "policies/control/deny",
            "policies/tag/costs",
            "policies/resource/bucket",
            "accounts/1",
            "accounts/1/policies/Dev",
            "accounts/1/users/alice",
            "accounts/1/groups/developers",
            "accounts/1/roles/ops",
            "accounts/1/attachments/user:alice/account/custom:Dev",
            "accounts/1/attachments/group:developers/rg:rg-1/system:ReadOnlyAccess",
            "accounts/1/attachments/role:ops/account/system:AdministratorAccess",
        ];
        for text in texts {
            assert_eq!(ObjectId::try_from(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_texts_are_refused() {
        let texts = [
            "",
            "settings/x",
            "catalog",
            "catalog/a/b",
            "policies/trust/x",
            "policies/tag/",
            "accounts",
            "accounts/x",
            "accounts/1/",
            "accounts/1/users/a/b",
            "accounts/1/users/",
            "accounts/1/attachments/user:alice/account",
            "accounts/1/attachments/user:alice/all/custom:Dev",
            "accounts/1/attachments/user:alice/account/Dev",
            "accounts/1/attachments/user:alice/account/custom:Dev/x",
        ];
        for text in texts {
            let error = ObjectId::try_from(text).unwrap_err();
            assert!(error.to_string().contains("names no object"), "{text}");
        }
    }
}
