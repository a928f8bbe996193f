//! Tag policies as written: sections, statements, settings and their operators (tag-policy 1).
//!
//! A policy is what one document says, before any node or other policy is known: which operators
//! each setting carries, and which ones it leaves to child policies. What a chain of them comes to
//! is an [`EffectivePolicy`], and where each of its values came from a [`Provenance`].
//!
//! Not here: JSON (`document::tag_policy`), merging (`compiler::effective`), judging tags
//! (`engine`).

mod correction;
mod effective;
mod operator;
mod provenance;
mod regex;
mod value;

pub use correction::{Correction, Corrections, ScopeMember};
pub use effective::{AllowedValues, EffectivePolicy, EffectiveStatement, Fit, TagKeyOrigin};
pub use operator::{Operator, Operators};
pub use provenance::{
    Cell, CellProvenance, Limit, Lock, Note, NoteKind, Origin, Provenance, Weakening,
};
pub use regex::{InvalidRegex, MAX_REGEX_BYTES, MAX_REGEX_SIZE, ValueRegex};
pub use value::{TypePattern, ValuePattern};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// Whose syntax and rules a tag policy follows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// Alibaba Cloud: three sections, scopes, correction.
    #[default]
    Alibaba,
    /// Huawei Cloud.
    Huawei,
    /// AWS.
    Aws,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Alibaba, Self::Huawei, Self::Aws];

    /// The name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alibaba => "alibaba",
            Self::Huawei => "huawei",
            Self::Aws => "aws",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The part of a document that a statement stands in. Statements of two sections are independent,
/// even under one policy key (tag-policy 7, rule 5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// `tags`: keys and values that tags must have.
    Tags,
    /// `rg_inherit`: tags that resources take from their resource group.
    RgInherit,
    /// `matched_tags`: values that must match a regular expression.
    MatchedTags,
}

impl Section {
    /// The name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::RgInherit => "rg_inherit",
            Self::MatchedTags => "matched_tags",
        }
    }
}

/// A setting whose value is a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ListSetting {
    /// `tag_value`
    TagValue,
    /// `resource_type_scope`
    ResourceTypeScope,
    /// `region_scope`
    RegionScope,
    /// `rg_scope`
    RgScope,
    /// `enforced_for`
    EnforcedFor,
    /// `report_required_tag_for`
    ReportRequiredTagFor,
}

impl ListSetting {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::TagValue,
        Self::ResourceTypeScope,
        Self::RegionScope,
        Self::RgScope,
        Self::EnforcedFor,
        Self::ReportRequiredTagFor,
    ];

    /// Whether it limits what a statement applies to, so that an empty list means nothing at all.
    pub fn is_scope(self) -> bool {
        match self {
            Self::ResourceTypeScope | Self::RegionScope | Self::RgScope => true,
            Self::TagValue | Self::EnforcedFor | Self::ReportRequiredTagFor => false,
        }
    }
}

/// What a statement sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Setting {
    /// `tag_key`: one text.
    TagKey,
    /// A list.
    List(ListSetting),
    /// `tag_value_correction`: one map, assigned as a whole.
    TagValueCorrection,
}

impl Setting {
    /// The name in documents.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TagKey => "tag_key",
            Self::List(ListSetting::TagValue) => "tag_value",
            Self::List(ListSetting::ResourceTypeScope) => "resource_type_scope",
            Self::List(ListSetting::RegionScope) => "region_scope",
            Self::List(ListSetting::RgScope) => "rg_scope",
            Self::List(ListSetting::EnforcedFor) => "enforced_for",
            Self::List(ListSetting::ReportRequiredTagFor) => "report_required_tag_for",
            Self::TagValueCorrection => "tag_value_correction",
        }
    }
}

/// One document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagPolicy {
    /// Its syntax.
    pub dialect: Dialect,
    /// Its statements, in the order written. No policy key stands twice in a section.
    pub statements: Vec<PolicyStatement>,
}

/// What a document says under one policy key of one section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyStatement {
    /// The section.
    pub section: Section,
    /// The policy key in lower case (tag-policy 7, rule 9).
    pub key: Arc<str>,
    /// `tag_key`
    pub tag_key: Option<Single<Arc<str>>>,
    /// The lists.
    pub lists: BTreeMap<ListSetting, ListClause>,
    /// `tag_value_correction`
    pub correction: Option<Single<Corrections>>,
}

/// What a document says of a setting with one value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Single<T> {
    /// `@@assign`
    pub assign: Option<T>,
    /// What it leaves to child policies; `None`: says nothing.
    pub children: Option<Operators>,
}

/// What a document says of a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListClause {
    /// `@@assign`
    pub assign: Option<Vec<Arc<str>>>,
    /// `@@append`
    pub append: Option<Vec<Arc<str>>>,
    /// `@@remove`
    pub remove: Option<Vec<Arc<str>>>,
    /// What it leaves to child policies; `None`: says nothing.
    pub children: Option<Operators>,
}
