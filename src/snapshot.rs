//! The compiled form: immutable, whole, stamped with its revision; data and look-ups only.
//!
//! A decision uses one snapshot from start to end. Nothing in it waits, locks or is filled later.

use std::sync::Arc;

use crate::engine::decision::Subject;
use crate::model::action::ActionRef;

/// Everything that decisions need, at one revision.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Which state this is.
    pub revision: Revision,
}

impl Snapshot {
    /// The policy and the statement that an answer names; `None` for session policies.
    pub fn statement(&self, _id: StatementId) -> Option<(&Policy, &Statement)> {
        None
    }

    /// The context key that a refusal is about.
    pub fn missing_key(&self, _subject: Subject, _action: ActionRef<'_>) -> Option<String> {
        None
    }
}

/// Which state a snapshot is (design, section 3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Revision {
    /// A random id, made with the store; for a directory of files at each start.
    pub source: u64,
    /// Grows within one source; 0 is before the first.
    pub number: u64,
    /// The first 64 bits of the SHA-256 digest of what it was compiled from.
    pub digest: u64,
}

/// One compiled policy.
#[derive(Debug)]
pub struct Policy {
    /// The name under which answers speak of it: `custom:NAME`, `system:NAME`.
    pub name: Arc<str>,
}

/// One compiled statement.
#[derive(Debug)]
pub struct Statement {
    /// A name for audit output.
    pub sid: Option<Arc<str>>,
}

/// A statement: the policy's place in the snapshot's table, and the statement's in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct StatementId {
    /// The policy.
    pub policy: PolicyId,
    /// The statement in it.
    pub index: u16,
}

/// A policy's place in the snapshot's table. Session policies have [`PolicyId::SESSION`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyId(pub(crate) u32);

impl PolicyId {
    /// The session policy of the request itself.
    pub const SESSION: Self = Self(u32::MAX);
}
