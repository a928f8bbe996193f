//! Who may manage (security 11): by the policies of the state that is replaced.
//!
//! A peer acts as a principal where `callers.json` gives its caller one; else as an administrator
//! where it was named one at start; else not at all. What a principal does is decided by the
//! engine, in the snapshot that is in force when the change is made: one thread makes changes, so
//! that the snapshot which decides is the one that the change replaces, at commit as before.
//!
//! Not here: how peers prove who they are (`service`).

mod act;
mod actor;
mod arns;
mod court;
mod facts;
mod organization;
mod owners;
mod table;
mod weaken;

pub use self::act::{Demand, Subject};
pub use self::actor::{Actor, Administrators};
pub use self::court::Court;
use crate::model::object::ObjectId;

/// Why an actor may not do what it asks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// It is nobody here.
    #[error("the caller `{0}` is neither an administrator nor a principal")]
    Nobody(String),
    /// Its policies do not allow it.
    #[error("`{action}` on `{arn}` is not allowed")]
    Action {
        /// The action.
        action: &'static str,
        /// The first ARN that is not allowed.
        arn: String,
    },
}

/// Reading that needs permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read<'r> {
    /// One object.
    Object(&'r ObjectId),
    /// Objects below a prefix.
    Objects(&'r str),
    /// The history.
    Revisions,
    /// The whole state.
    Bundle,
    /// What is in force.
    SnapshotInfo,
    /// Copies of the stores.
    Backup,
}

/// What came of asking for the permission of a change.
#[derive(Debug)]
pub enum Ruling {
    /// It may be made.
    Allowed,
    /// It may not.
    Denied(Denied),
    /// A document cannot be read as far as its permission depends on it.
    Unread(ObjectId),
}
