//! A question, owned: what a case file, the command line and the reference evaluator use.
//!
//! The server asks the engine with borrowed parts instead (`engine::request`). Text here is as
//! sent; reading it is the first step of whoever answers.

use std::collections::BTreeMap;

use super::catalog::OperationKind;
use super::statement::Policy;

/// May this principal do this action on these resources, with these tags?
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequest {
    /// The principal's ARN, or a service's name.
    pub principal: String,
    /// The action.
    pub action: String,
    /// The resources, each its own sub-check.
    pub resources: Vec<RequestedResource>,
    /// The tags that the call carries and removes.
    pub tags: RequestTags,
    /// The context, by key as sent.
    pub context: BTreeMap<String, Vec<String>>,
    /// The instant of the request, as RFC 3339; the server's clock where it is `None`.
    pub current_time: Option<String>,
    /// What is said of the session's policy.
    pub session: SessionClaim,
    /// A stricter kind than the catalog's.
    pub kind: Option<OperationKind>,
    /// Whether whoever asks carries out obligations.
    pub understands_obligations: bool,
}

/// One resource of a question, with what its asker knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestedResource {
    /// The ARN, or `*`.
    pub arn: String,
    /// Its tags; `None`: the asker does not know them.
    pub tags: Option<Vec<(String, String)>>,
    /// Its resource group; `None`: the asker does not know. `Some(None)`: it is in no group.
    pub group: Option<Option<String>>,
}

/// What a call does with tags.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestTags {
    /// The tag parameter; `None`: the call has none. Empty: it has one that names nothing.
    pub set: Option<Vec<(String, String)>>,
    /// Keys to remove.
    pub remove_keys: Vec<String>,
    /// Removes all tags.
    pub remove_all: bool,
    /// The tags replace all tags of the resource.
    pub replace: bool,
}

/// What a request says of its session policy (security 2.6).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SessionClaim {
    /// Nothing is said.
    #[default]
    Unstated,
    /// The session has none.
    None,
    /// The session has this one.
    Policy(Policy),
}
