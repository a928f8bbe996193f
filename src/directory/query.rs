//! What a search asks for: keys ANDed, values ORed.

use crate::model::account::Name;
use crate::model::tag::PackedTags;

/// Which texts are meant. All comparisons are byte for byte.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextMatch {
    /// This one.
    Exact(Box<str>),
    /// Those that begin so.
    Prefix(Box<str>),
    /// Those that contain this.
    Infix(Box<str>),
}

impl TextMatch {
    /// Whether a text is meant.
    pub fn holds(&self, text: &str) -> bool {
        match self {
            Self::Exact(exact) => **exact == *text,
            Self::Prefix(start) => text.starts_with(&**start),
            Self::Infix(part) => text.contains(&**part),
        }
    }
}

/// Whether a filter asks for what it describes, or for all else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// A tag that is described is there.
    Has,
    /// None is: the key is absent, or has other values.
    Lacks,
}

/// One condition on the tags of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// The key.
    pub key: TextMatch,
    /// The values, of which one must be meant; empty: any value.
    pub values: Vec<TextMatch>,
    /// In which sense.
    pub sense: Sense,
}

impl Filter {
    /// Whether a value is meant.
    pub(super) fn means(&self, value: &str) -> bool {
        self.values.is_empty() || self.values.iter().any(|one| one.holds(value))
    }

    /// Whether tags are asked for.
    pub fn holds(&self, tags: PackedTags<'_>) -> bool {
        let mut tags = tags.iter();
        let has = tags.any(|tag| self.key.holds(tag.key) && self.means(tag.value));
        match self.sense {
            Sense::Has => has,
            Sense::Lacks => !has,
        }
    }
}

/// Types, as the index knows resources by them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Kinds {
    /// Of resources whose type is kept.
    pub kept: Vec<Box<str>>,
    /// `service:first-segment`, of the others.
    pub told: Vec<Box<str>>,
}

/// Which resources are meant, but for their tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The account that owns them.
    pub account: Box<str>,
    /// The regions; empty: every one. An empty text is what has no region.
    pub regions: Vec<Box<str>>,
    /// The types; `None`: every one.
    pub kinds: Option<Kinds>,
    /// The resource groups; empty: every one, and what is in none.
    pub groups: Vec<Name>,
}

/// A whole search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// Where it looks.
    pub scope: Scope,
    /// All of them must hold.
    pub filters: Vec<Filter>,
}

impl Query {
    /// Whether all filters hold.
    pub fn holds(&self, tags: PackedTags<'_>) -> bool {
        self.filters.iter().all(|filter| filter.holds(tags))
    }
}
