//! What a caller may send beside the question itself (security 1.1).

use std::fmt;

use crate::model::text::{eq_fold, fold};

/// The facts and wishes that callers are given the right to one by one, beside context keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SupplyRight {
    /// The tags of resources that the directory does not know.
    ResourceTags,
    /// The resource groups of such resources.
    ResourceGroup,
    /// What is said of a session's policy.
    Session,
    /// A stricter operation kind than the catalog's.
    Kind,
    /// The wish for an explanation.
    Explain,
    /// The wish for a revision that the answer must not be older than.
    MinRevision,
}

impl SupplyRight {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::ResourceTags,
        Self::ResourceGroup,
        Self::Session,
        Self::Kind,
        Self::Explain,
        Self::MinRevision,
    ];

    /// Its name in `callers.json`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResourceTags => "resource_tags",
            Self::ResourceGroup => "resource_group",
            Self::Session => "session",
            Self::Kind => "kind",
            Self::Explain => "explain",
            Self::MinRevision => "min_revision",
        }
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl fmt::Display for SupplyRight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// What a caller may send. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Supply {
    rights: u32,
    context: ContextKeys,
}

/// The context keys that a caller may send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextKeys {
    /// All that calls carry.
    All,
    /// These, without regard to case.
    Some(Box<[Box<str>]>),
}

impl Default for ContextKeys {
    fn default() -> Self {
        Self::Some(Box::default())
    }
}

impl Supply {
    /// Some rights and some context keys.
    pub fn new(rights: impl IntoIterator<Item = SupplyRight>, context: ContextKeys) -> Self {
        let rights = rights.into_iter().map(SupplyRight::bit);
        Self {
            rights: rights.fold(0, |set, bit| set | bit),
            context,
        }
    }

    /// Everything.
    pub fn all() -> Self {
        Self::new(SupplyRight::ALL, ContextKeys::All)
    }

    /// Whether a right is among them.
    pub fn has(&self, right: SupplyRight) -> bool {
        self.rights & right.bit() != 0
    }

    /// Whether a context key may be sent.
    pub fn has_key(&self, key: &str) -> bool {
        match &self.context {
            ContextKeys::All => true,
            ContextKeys::Some(keys) => keys.iter().any(|known| eq_fold(known, key)),
        }
    }
}

impl<'a> FromIterator<&'a str> for ContextKeys {
    fn from_iter<I: IntoIterator<Item = &'a str>>(keys: I) -> Self {
        Self::Some(keys.into_iter().map(|key| fold(key).into()).collect())
    }
}
