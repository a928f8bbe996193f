//! Where the values of an effective policy came from, and what was tried in vain.
//!
//! Nodes are told by their depth on the path, 0 being the Root, so that nodes below which the same
//! policies stand share one provenance.

use std::sync::Arc;

use super::operator::Operator;
use super::{ListSetting, Section, Setting};

/// One setting of one statement.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Cell {
    /// The section.
    pub section: Section,
    /// The policy key, in lower case.
    pub key: Arc<str>,
    /// The setting.
    pub setting: Setting,
}

/// One operator of one policy at one node.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Origin {
    /// The place of the node on the path: 0 is the Root.
    pub depth: usize,
    /// The name of the policy.
    pub policy: Arc<str>,
    /// What it used.
    pub operator: Operator,
}

/// A control that takes operators from child policies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Lock {
    /// The place of the node on the path: 0 is the Root.
    pub depth: usize,
    /// The name of the policy.
    pub policy: Arc<str>,
    /// The setting that it locks.
    pub setting: Setting,
}

/// Where all values came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The settings that some policy set, in order.
    pub cells: Vec<CellProvenance>,
    /// What had no effect, or is probably wrong.
    pub notes: Vec<Note>,
}

/// Where the values of one setting came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellProvenance {
    /// The setting.
    pub cell: Cell,
    /// Who put each value there, in the order of the values; one for a setting with one value.
    pub values: Vec<(Arc<str>, Origin)>,
    /// The values that were taken away again, and by whom.
    pub removed: Vec<(Arc<str>, Origin)>,
}

/// Something to be told of a setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The setting.
    pub cell: Cell,
    /// Who did it; `None` where it is nobody's doing.
    pub by: Option<Origin>,
    /// What it is.
    pub kind: NoteKind,
}

/// What there is to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoteKind {
    /// The operator had no effect: these controls forbid it (tag-policy 7, rule 2).
    Locked(Vec<Lock>),
    /// The operator had no effect: this statement is locked, and no ancestor set the scope
    /// (security 6.1).
    ScopeUnderLock(Vec<Lock>),
    /// The operator had no effect: an empty list for a scope that was not set (security 6.1).
    EmptyScope,
    /// The operator was left out: with it the setting is over a limit (security 6.4).
    OverLimit {
        /// What there is too much of.
        limit: Limit,
        /// Everybody who contributes.
        contributors: Vec<Origin>,
    },
    /// Another policy of the same node assigned a different value first (security 6.5).
    PeerAssigned(Origin),
    /// What another policy of the same node set is taken away (security 6.5).
    PeerRemoved(Origin),
    /// An inherited statement is weakened (security 6.1).
    Weakened(Weakening),
    /// A value that a correction would write is not allowed, so that it is never written
    /// (tag-policy 7, rules 28 and 29).
    TargetNotAllowed(Arc<str>),
    /// A `matched_tags` statement has no expression and asks for nothing (rule 17).
    Inert,
}

impl NoteKind {
    /// The stable code, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Locked(_) => "OPERATOR_LOCKED",
            Self::ScopeUnderLock(_) => "SCOPE_UNDER_LOCK",
            Self::EmptyScope => "EMPTY_SCOPE",
            Self::OverLimit { .. } => "ELEMENTS_TOO_MANY",
            Self::PeerAssigned(_) => "PEER_ASSIGNED",
            Self::PeerRemoved(_) => "PEER_REMOVED",
            Self::Weakened(_) => "STATEMENT_WEAKENED",
            Self::TargetNotAllowed(_) => "TARGET_NOT_ALLOWED",
            Self::Inert => "STATEMENT_INERT",
        }
    }
}

/// How an inherited statement is weakened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Weakening {
    /// `*` among its values.
    AnyValue,
    /// Another tag key.
    TagKey,
    /// A list without values.
    Emptied(ListSetting),
}

/// A limit of effective policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    /// What there may be at most, in the plural: `resource groups`.
    pub what: &'static str,
    /// The most.
    pub most: usize,
}
