//! Why a tag policy is refused, and what is probably wrong with one.

use super::{MAX_CHARS, MAX_GROUPS, MAX_REGEXES};
use crate::document::error::Excerpt;
use crate::model::tag_policy::{Dialect, InvalidRegex};
use crate::model::text::InvalidTagText;

/// What is wrong with a tag policy, beside its shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagPolicyErrorKind {
    /// More characters than the platform takes.
    #[error("longer than {MAX_CHARS} characters, the most of a tag policy")]
    TooLong,
    /// Another dialect than the one that is asked for.
    #[error("a tag policy of dialect `{found}` where `{asked}` is asked for")]
    OtherDialect {
        /// The one that is asked for.
        asked: Dialect,
        /// The one that is written.
        found: Dialect,
    },
    /// A name that is no section of this dialect.
    #[error("no section of dialect `{dialect}` is named `{name}`")]
    UnknownSection {
        /// The dialect.
        dialect: Dialect,
        /// The name.
        name: Excerpt,
    },
    /// A name that is no setting of this section.
    #[error("section `{section}` of dialect `{dialect}` has no setting `{name}`")]
    UnknownSetting {
        /// The dialect.
        dialect: Dialect,
        /// The section.
        section: &'static str,
        /// The name.
        name: Excerpt,
    },
    /// An operator that does not stand in a setting.
    #[error("operator `{name}` stands outside of a setting, where it does nothing")]
    OperatorOutside {
        /// The name.
        name: Excerpt,
    },
    /// A name that is no operator.
    #[error("unknown operator `{name}`")]
    UnknownOperator {
        /// The name.
        name: Excerpt,
    },
    /// `@@append` or `@@remove` on a setting with one value.
    #[error("operator `{name}` needs a setting with several values")]
    OperatorOnSingle {
        /// The name.
        name: Excerpt,
    },
    /// `@@none` beside something else.
    #[error("`@@none` stands alone")]
    NoneWithOthers,
    /// An operator that stands twice in a control.
    #[error("`{name}` is given twice")]
    ControlTwice {
        /// The name.
        name: Excerpt,
    },
    /// A policy key that differs from another only in case.
    #[error("policy key `{key}` is given twice: policy keys differ by more than case")]
    KeyTwice {
        /// The key.
        key: Excerpt,
    },
    /// A policy key, tag key or value that no tag can have.
    #[error(transparent)]
    Text(#[from] InvalidTagText),
    /// A tag key that differs from the policy key by more than case.
    #[error("tag key `{tag_key}` and policy key `{key}` differ by more than case")]
    KeyMismatch {
        /// The policy key.
        key: Excerpt,
        /// The tag key.
        tag_key: Excerpt,
    },
    /// `*` beside other characters, in the Alibaba dialect.
    #[error("`*` stands alone: part of a value cannot be left open")]
    PartialStar,
    /// More than one `*`.
    #[error("more than one `*` in a value")]
    TwoStars,
    /// A regular expression.
    #[error(transparent)]
    Regex(#[from] InvalidRegex),
    /// Too many regular expressions.
    #[error("more than {MAX_REGEXES} regular expressions in a statement")]
    TooManyRegexes,
    /// Too many resource groups.
    #[error("more than {MAX_GROUPS} resource groups in a scope")]
    TooManyGroups,
    /// No type.
    #[error("expected a type `service:resource`, found `{found}`")]
    Type {
        /// What is written.
        found: Excerpt,
    },
    /// A wildcard that this dialect does not take.
    #[error("types of dialect `{dialect}` cannot be left open like `{found}`")]
    OpenType {
        /// The dialect.
        dialect: Dialect,
        /// What is written.
        found: Excerpt,
    },
    /// A service that has no tag policies.
    #[error("service `{service}` is not known to take tag policies")]
    UnknownService {
        /// The service.
        service: Excerpt,
    },
    /// `svc:*` of a service that takes `svc:ALL_SUPPORTED` only.
    #[error("service `{service}` takes `{service}:ALL_SUPPORTED`, not `{service}:*`")]
    OldWildcard {
        /// The service.
        service: Excerpt,
    },
    /// No region or resource group.
    #[error("not a name of 1 to 128 letters, digits, `-`, `_` and `.`")]
    ScopeName,
    /// A correction of a statement that allows every value.
    #[error("no correction is possible where every value is allowed")]
    CorrectionOfAny,
    /// A target value that the statement does not allow.
    #[error("target value `{value}` is not allowed by `tag_value`")]
    TargetNotAllowed {
        /// The value.
        value: Excerpt,
    },
    /// Two target values with one scope.
    #[error("the scope is that of target value `{value}`: different values need different scopes")]
    SameScope {
        /// The value that stands first.
        value: Excerpt,
    },
    /// A scope that looks at the tag that is corrected.
    #[error("the scope looks at the tag that is corrected")]
    ScopeOfItself,
}

impl TagPolicyErrorKind {
    /// The stable code, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::TooLong => "DOCUMENT_TOO_LARGE",
            Self::OtherDialect { .. } => "OTHER_DIALECT",
            Self::UnknownSection { .. } => "UNKNOWN_SECTION",
            Self::UnknownSetting { .. } => "UNKNOWN_SETTING",
            Self::OperatorOutside { .. } => "OPERATOR_OUTSIDE_SETTING",
            Self::UnknownOperator { .. } => "UNKNOWN_OPERATOR",
            Self::OperatorOnSingle { .. } => "OPERATOR_ON_SINGLE_VALUE",
            Self::NoneWithOthers | Self::ControlTwice { .. } => "INVALID_CONTROL",
            Self::KeyTwice { .. } => "POLICY_KEY_DUPLICATE",
            Self::Text(_) => "INVALID_TAG",
            Self::KeyMismatch { .. } => "TAG_KEY_MISMATCH",
            Self::PartialStar | Self::TwoStars => "INVALID_WILDCARD",
            Self::Regex(_) => "INVALID_REGEX",
            Self::TooManyRegexes => "TOO_MANY_REGEXES",
            Self::TooManyGroups => "TOO_MANY_GROUPS",
            Self::Type { .. } | Self::OpenType { .. } | Self::OldWildcard { .. } => "INVALID_TYPE",
            Self::UnknownService { .. } => "UNKNOWN_SERVICE",
            Self::ScopeName => "INVALID_SCOPE",
            Self::CorrectionOfAny
            | Self::TargetNotAllowed { .. }
            | Self::SameScope { .. }
            | Self::ScopeOfItself => "INVALID_CORRECTION",
        }
    }
}

/// What is probably wrong with a tag policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TagPolicyLint {
    /// A control that reaches no setting.
    #[error("this control does not reach the settings below: each needs its own")]
    ControlWithoutEffect,
    /// A policy key with capitals, in the Alibaba dialect.
    #[error("policy key `{key}` is taken in lower case")]
    CapitalKey {
        /// The key.
        key: Excerpt,
    },
    /// A tag key that differs from the policy key by more than case, in the Alibaba dialect.
    #[error("tag key `{tag_key}` and policy key `{key}` differ by more than case")]
    KeyMismatch {
        /// The policy key.
        key: Excerpt,
        /// The tag key.
        tag_key: Excerpt,
    },
    /// A scope without members.
    #[error("an empty scope: the statement is for nothing at all")]
    EmptiedScope,
    /// `*` beside other values.
    #[error("every value is allowed: the others say nothing beside `*`")]
    AnyAmongOthers,
    /// Two correction scopes that one resource can be in.
    #[error(
        "a resource can be in the scope of `{value}` too: then the first allowed value is taken"
    )]
    OverlappingScopes {
        /// The value that stands first.
        value: Excerpt,
    },
    /// A service that the catalog does not know.
    #[error("service `{service}` is not in the catalog")]
    UnlistedService {
        /// The service.
        service: Excerpt,
    },
}

impl TagPolicyLint {
    /// The stable code, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ControlWithoutEffect => "CONTROL_WITHOUT_EFFECT",
            Self::CapitalKey { .. } => "POLICY_KEY_CASE",
            Self::KeyMismatch { .. } => "TAG_KEY_MISMATCH",
            Self::EmptiedScope => "EMPTIED_SCOPE",
            Self::AnyAmongOthers => "ANY_AMONG_OTHERS",
            Self::OverlappingScopes { .. } => "OVERLAPPING_SCOPES",
            Self::UnlistedService { .. } => "UNLISTED_SERVICE",
        }
    }
}
