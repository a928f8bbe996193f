//! Accounts: users, groups, roles, their policies and who has which.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::arn::AccountId;
use super::statement::Policy;
use super::text::Class;

/// The name of a policy, group or resource group: 1 to 128 letters, digits and `- _ .`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

/// Why a text is no name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a name of 1 to 128 letters, digits, `-`, `_`, `.` and `@`")]
pub struct InvalidName;

impl Name {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    pub fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }

    /// Checks a text that is borrowed.
    ///
    /// # Errors
    ///
    /// It is no name.
    pub fn check(text: &str) -> Result<(), InvalidName> {
        if (1..=128).contains(&text.len()) && Class::NAME.covers(text) {
            Ok(())
        } else {
            Err(InvalidName)
        }
    }
}

impl TryFrom<&str> for Name {
    type Error = InvalidName;

    fn try_from(text: &str) -> Result<Self, InvalidName> {
        Self::check(text)?;
        Ok(Self(Arc::from(text)))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A policy as attachments name it: `system:NAME` or `custom:NAME`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum PolicyRef {
    /// Shipped, or of the bundle's `policies/system` or `policies/control`.
    System(Name),
    /// The account's own; for nodes of an organization, of `policies/control`.
    Custom(Name),
}

impl fmt::Display for PolicyRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System(name) => write!(formatter, "system:{name}"),
            Self::Custom(name) => write!(formatter, "custom:{name}"),
        }
    }
}

/// One account with all that stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its number.
    pub id: AccountId,
    /// The users, by name.
    pub users: Vec<User>,
    /// The groups, by name.
    pub groups: Vec<Group>,
    /// The roles, by name.
    pub roles: Vec<Role>,
    /// The account's custom policies.
    pub policies: BTreeMap<Name, Policy>,
    /// Who has which policy, where.
    pub attachments: Vec<Attachment>,
}

/// A RAM user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name.
    pub name: String,
    /// The number that resource-based policies may name; digits.
    pub uid: Option<String>,
}

/// A group of users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name.
    pub name: Name,
    /// The names of its users.
    pub users: Vec<String>,
}

/// A RAM role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// The name.
    pub name: String,
    /// The number that resource-based policies may name; digits.
    pub uid: Option<String>,
    /// What sort of role it is.
    pub kind: RoleKind,
    /// Who may assume it.
    pub trust: Option<Policy>,
}

/// The sorts of roles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum RoleKind {
    /// Assumed by users, roles or services.
    #[default]
    Plain,
    /// Assumed by its service only; outside control policies.
    ServiceLinked,
    /// Assumed through an identity provider; its sessions carry no session policy.
    Sso,
}

/// A policy given to a principal. The order is that of those who have policies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Attachment {
    /// To whom.
    pub to: Grantee,
    /// Where it counts.
    pub scope: Scope,
    /// Which.
    pub policy: PolicyRef,
}

/// Whom a policy is attached to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Grantee {
    /// `user:NAME`
    User(String),
    /// `group:NAME`
    Group(Name),
    /// `role:NAME`
    Role(String),
}

/// Where an attachment counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The whole account.
    Account,
    /// The resources of one resource group.
    ResourceGroup(Name),
}

impl fmt::Display for Grantee {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(name) => write!(formatter, "user:{name}"),
            Self::Group(name) => write!(formatter, "group:{name}"),
            Self::Role(name) => write!(formatter, "role:{name}"),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Account => formatter.write_str("account"),
            Self::ResourceGroup(name) => write!(formatter, "rg:{name}"),
        }
    }
}
