//! RAM policies as written: statements, whom they name, and what they cover (ram 1).

use super::arn::AccountId;
use super::condition::Condition;
use super::pattern::{ActionPattern, ResourcePattern};

/// What a statement does when it applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, over every grant.
    Deny,
}

/// One policy document. It has at least one statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The statements, in the order written.
    pub statements: Vec<Statement>,
}

/// One statement. It applies if action, resource, principal and every condition hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// A name for audit output; it has no meaning.
    pub sid: Option<String>,
    /// Allow or Deny.
    pub effect: Effect,
    /// `Action` or `NotAction`.
    pub actions: Actions,
    /// `Resource` or `NotResource`.
    pub resources: Resources,
    /// `Principal`. `Some` exactly in resource-based and trust documents.
    pub principals: Option<Principals>,
    /// Every one must hold. Empty: no constraint.
    pub conditions: Vec<Condition>,
}

/// Which actions a statement covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actions {
    /// Those that one of the patterns matches.
    Only(Vec<ActionPattern>),
    /// Those that none of the patterns matches (`NotAction`).
    AllBut(Vec<ActionPattern>),
}

/// Which resources a statement covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resources {
    /// Those that one of the patterns matches.
    Only(Vec<ResourcePattern>),
    /// Those that none of the patterns matches (`NotResource`, under `not_resource = aws`).
    AllBut(Vec<ResourcePattern>),
    /// Nothing is written, in resource-based and trust documents: the ARN they are attached to.
    Attached,
}

/// Whom a resource-based or trust statement names (security 2.8): any one is enough.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principals {
    /// `"*"` or `["*"]`: everybody.
    Everybody,
    /// Those that one entry names.
    Any(Vec<PrincipalPattern>),
}

/// One entry of a `Principal` element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalPattern {
    /// Digits: the account with that id (all its identities), or the user or role with that uid.
    Id(String),
    /// `acs:ram::<account>:root`: every identity of the account that the snapshot knows.
    Account(AccountId),
    /// Another ARN. It names one identity, a role's sessions too; a final `*` is a wildcard.
    Identity(IdentityPattern),
    /// A cloud service: matches service principals only.
    Service(String),
    /// The ARN of an identity provider: matches federated principals only.
    Federated(String),
}

/// The ARN of an identity in a `Principal` element: a text, and whether a `*` followed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityPattern {
    /// The ARN, without the final `*`. `assumed-role/` is written `role/`.
    pub prefix: String,
    /// Whether anything may follow.
    pub open: bool,
}

/// Which kind of document a policy is: it decides which elements it may hold (ram 1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DocumentLayer {
    /// Attached to a user, group or role.
    Identity,
    /// Attached to a node of an organization.
    Control,
    /// Carried by a role session.
    Session,
    /// Attached to a resource; names principals.
    Resource,
    /// A role's trust policy; names principals.
    Trust,
}

impl DocumentLayer {
    /// Whether `Principal` is required, and `Resource` may be missing.
    pub fn names_principals(self) -> bool {
        match self {
            Self::Resource | Self::Trust => true,
            Self::Identity | Self::Control | Self::Session => false,
        }
    }
}
