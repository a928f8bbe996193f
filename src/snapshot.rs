//! The compiled form: immutable, whole, stamped with its revision; data and look-ups only.
//!
//! A decision uses one snapshot from start to end. Nothing in it waits, locks or is filled later.

/// One compiled policy.
#[derive(Debug)]
pub struct Policy {}

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
