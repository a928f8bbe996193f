//! Why a write of tags, or a part of it, did not happen: the published codes, and our own.

use std::fmt;
use std::sync::Arc;

use crate::model::arn::Arn;

/// What did not happen to one resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Failure {
    /// The resource.
    pub arn: Arn,
    /// The tag key, where it is about one.
    pub key: Option<Arc<str>>,
    /// Why.
    pub code: FailureCode,
}

/// Why (tag-policy 5.3, security 12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureCode {
    /// More resources than a call may name.
    TooManyResources,
    /// No resource.
    NoResources,
    /// A resource that is named twice.
    DuplicateResource,
    /// More tags or keys than a call may carry.
    TooManyTags,
    /// No tag, or no key.
    NoTags,
    /// A key that is given twice.
    DuplicateKey,
    /// A text that is no tag key.
    MalformedKey,
    /// A text that is no tag value.
    MalformedValue,
    /// The directory does not know the resource.
    ResourceNotFound,
    /// The resource would have more tags than its type may have.
    QuotaExceeded,
    /// The principal may not.
    NoPermission,
    /// A tag policy intercepts it.
    TagPolicy,
    /// A tag policy would intercept what inheritance or correction brings, or the key is protected
    /// (security 5.2).
    InheritanceBlocked,
    /// The resource changed meanwhile, again and again.
    Conflict,
    /// No such rule is defined.
    RuleUnknown,
    /// The two resources are not of the rule's types, of one account and of one region.
    AssociationMismatch,
    /// The resource has as many primaries as there may be.
    TooManyPrimaries,
    /// Tags went through as many resources as they may, and go no further.
    ChainTooLong,
    /// Tag policies bind accounts, and not the one that owns the resource (security 6.6).
    AccountOutsideOrganization,
    /// Nobody knows what tag policies can do with the type (security 6.6).
    ResourceTypeUnknown,
    /// Neither the ARN nor the call names the account that owns the resource.
    OwnerUnknown,
    /// The ARN names no single resource.
    IdRequired,
}

impl FailureCode {
    /// All of them.
    pub const ALL: [Self; 22] = [
        Self::TooManyResources,
        Self::NoResources,
        Self::DuplicateResource,
        Self::TooManyTags,
        Self::NoTags,
        Self::DuplicateKey,
        Self::MalformedKey,
        Self::MalformedValue,
        Self::ResourceNotFound,
        Self::QuotaExceeded,
        Self::NoPermission,
        Self::TagPolicy,
        Self::InheritanceBlocked,
        Self::Conflict,
        Self::RuleUnknown,
        Self::AssociationMismatch,
        Self::TooManyPrimaries,
        Self::ChainTooLong,
        Self::AccountOutsideOrganization,
        Self::ResourceTypeUnknown,
        Self::OwnerUnknown,
        Self::IdRequired,
    ];

    /// The stable name: as published, where it was.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TooManyResources => "NumberExceed.ResourceIds",
            Self::NoResources => "MissingParameter.ResourceIds",
            Self::DuplicateResource => "RESOURCE_DUPLICATE",
            Self::TooManyTags => "NumberExceed.Tags",
            Self::NoTags => "MissingParameter.Tags",
            Self::DuplicateKey => "Duplicate.TagKey",
            Self::MalformedKey => "InvalidTagKey.Malformed",
            Self::MalformedValue => "InvalidTagValue.Malformed",
            Self::ResourceNotFound => "InvalidResourceId.NotFound",
            Self::QuotaExceeded => "QuotaExceed.Tags",
            Self::NoPermission => "NoPermission.Tag",
            Self::TagPolicy => "Forbidden.TagPolicy",
            Self::InheritanceBlocked => "INHERITANCE_BLOCKED",
            Self::Conflict => "VERSION_CONFLICT",
            Self::RuleUnknown => "RULE_UNKNOWN",
            Self::AssociationMismatch => "ASSOCIATION_MISMATCH",
            Self::TooManyPrimaries => "PRIMARY_LIMIT",
            Self::ChainTooLong => "CHAIN_LIMIT",
            Self::AccountOutsideOrganization => "ACCOUNT_OUTSIDE_ORGANIZATION",
            Self::ResourceTypeUnknown => "RESOURCE_TYPE_UNKNOWN",
            Self::OwnerUnknown => "OWNER_UNKNOWN",
            Self::IdRequired => "RESOURCE_ID_REQUIRED",
        }
    }
}

impl fmt::Display for FailureCode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
