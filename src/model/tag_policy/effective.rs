//! What a chain of tag policies comes to at one node: plain values, ready to be asked.

use std::sync::Arc;

use super::correction::Corrections;
use super::regex::ValueRegex;
use super::value::{TypePattern, ValuePattern};
use super::{Dialect, Section};

/// The effective tag policy of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EffectivePolicy {
    /// The rules that it is judged by.
    pub dialect: Dialect,
    /// Its statements by section, then policy key; none stands twice.
    pub statements: Box<[EffectiveStatement]>,
}

/// What holds under one policy key of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveStatement {
    /// The section.
    pub section: Section,
    /// The policy key, in lower case.
    pub key: Arc<str>,
    /// The tag key in the spelling that is asked for.
    pub tag_key: Arc<str>,
    /// Whether a policy wrote the tag key (tag-policy 7, rule 18).
    pub tag_key_origin: TagKeyOrigin,
    /// Which values are allowed.
    pub values: AllowedValues,
    /// The types that it is for; `None`: all. An empty list: none (rule 4).
    pub resource_type_scope: Option<Box<[TypePattern]>>,
    /// The regions that it is for; `None`: all.
    pub region_scope: Option<Box<[Arc<str>]>>,
    /// The resource groups that it is for; `None`: all.
    pub rg_scope: Option<Box<[Arc<str>]>>,
    /// The types for which wrong tags are intercepted. Unset and emptied are the same: none.
    pub enforced_for: Box<[TypePattern]>,
    /// The types for which a missing key is reported. Unset and emptied are the same: none.
    pub report_required_tag_for: Box<[TypePattern]>,
    /// The map of corrections, in the order in which its entries are tried (rule 25); `None`: off.
    pub correction: Option<Corrections>,
    /// Whether it is all that the policies say.
    pub fit: Fit,
}

/// Who said how a tag key is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TagKeyOrigin {
    /// A policy.
    Written,
    /// Nobody: it is the policy key in lower case.
    PolicyKey,
}

/// The values that a statement allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowedValues {
    /// `tag_value` was never set. Every value, also the empty one; in `matched_tags` the statement
    /// is inert (rule 17), and `rg_inherit` has no values.
    Unset,
    /// Those that match one of these; none if there is none (rule 3).
    Listed(Box<[ValuePattern]>),
    /// Those that one of these matches as a whole (`matched_tags`).
    Matched(Box<[ValueRegex]>),
}

/// Whether a statement is all that the policies say (security 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fit {
    /// It is.
    Whole,
    /// A limit was passed, and what the lowest nodes say is left out. Writes of this key are
    /// intercepted until it fits again.
    OverLimit,
}

impl AllowedValues {
    /// Whether a value is allowed.
    pub fn allow(&self, value: &str) -> bool {
        match self {
            Self::Unset => true,
            Self::Listed(patterns) => patterns.iter().any(|pattern| pattern.matches(value)),
            Self::Matched(regexes) => regexes.iter().any(|regex| regex.matches(value)),
        }
    }

    /// Whether every value is allowed because of a lone `*`, or because nothing is said.
    pub fn is_any(&self) -> bool {
        match self {
            Self::Unset => true,
            Self::Listed(patterns) => patterns.iter().any(ValuePattern::is_any),
            Self::Matched(_) => false,
        }
    }
}

impl EffectiveStatement {
    /// Whether it asks for nothing: `matched_tags` without an expression that was ever set.
    pub fn is_inert(&self) -> bool {
        self.section == Section::MatchedTags && self.values == AllowedValues::Unset
    }
}
