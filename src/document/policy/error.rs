//! Why a RAM policy is refused.

use crate::document::error::Excerpt;
use crate::model::pattern::InvalidPattern;
use crate::model::text::InvalidTagText;
use crate::model::verdict::limits::SESSION_POLICY_CHARS;

use super::MAX_VALUE_BYTES;

/// What is wrong with a RAM policy, beside its shape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyErrorKind {
    /// A session policy over its limit.
    #[error("longer than {SESSION_POLICY_CHARS} characters, the most of a session policy")]
    SessionTooLong,
    /// Neither `Action` nor `NotAction`.
    #[error("neither `Action` nor `NotAction` is given")]
    ActionMissing,
    /// Both `Action` and `NotAction`.
    #[error("both `Action` and `NotAction` are given")]
    ActionTwice,
    /// `NotAction` in a trust policy.
    #[error("`NotAction` is not taken in a trust policy")]
    NotActionInTrust,
    /// No pattern of actions.
    #[error("`{text}` is no pattern of actions: {cause}")]
    InvalidAction {
        /// As written.
        text: Excerpt,
        /// The rule that it breaks.
        cause: InvalidPattern,
    },
    /// No action can match, and so the statement refuses less, or grants more, than it says.
    #[error("`{text}` can match no action, so that this element would not close what it names")]
    DeadAction {
        /// As written.
        text: Excerpt,
    },
    /// `NotResource`, under `not_resource = refuse`.
    #[error("`NotResource` is not taken under the setting not_resource = refuse")]
    NotResource,
    /// Both `Resource` and `NotResource`.
    #[error("both `Resource` and `NotResource` are given")]
    ResourceTwice,
    /// No pattern of resources.
    #[error("`{text}` is no pattern of resources: {cause}")]
    InvalidResource {
        /// As written.
        text: Excerpt,
        /// The rule that it breaks.
        cause: InvalidPattern,
    },
    /// No ARN can match, and so the statement refuses less, or grants more, than it says.
    #[error("`{text}` can match no resource, so that this element would not close what it names")]
    DeadResource {
        /// As written.
        text: Excerpt,
    },
    /// `Principal` in a document that is attached to identities or nodes.
    #[error("`Principal` is taken only in resource-based and trust policies")]
    PrincipalNotTaken,
    /// An entry of `Principal` of no known form.
    #[error("`{text}` is no principal: expected {expected}")]
    InvalidPrincipal {
        /// As written.
        text: Excerpt,
        /// The forms that are taken here.
        expected: &'static str,
    },
    /// An operator that nobody documents.
    #[error("unknown condition operator `{name}`")]
    UnknownOperator {
        /// As written.
        name: Excerpt,
    },
    /// An extended operator under `operators = documented`.
    #[error("condition operator `{name}` is not taken under the setting operators = documented")]
    OperatorNotDocumented {
        /// As written.
        name: Excerpt,
    },
    /// `Null` with a set prefix or `IfExists`.
    #[error("`Null` takes neither a set prefix nor `IfExists`")]
    NullQualified,
    /// `Null` with several values.
    #[error("`Null` takes exactly one value")]
    NullValues,
    /// A key with the prefix `acs:` that nobody knows.
    #[error("unknown condition key `{key}`")]
    UnknownKey {
        /// As written.
        key: Excerpt,
    },
    /// An unknown `acs:` key whose absence would open the statement.
    #[error("unknown condition key `{key}`, and a request without it would pass here")]
    UnknownKeyOpens {
        /// As written.
        key: Excerpt,
    },
    /// A key without `<service>:` before it.
    #[error("condition key `{key}` has no prefix `acs:` or `<service>:`")]
    KeyUnprefixed {
        /// As written.
        key: Excerpt,
    },
    /// A key with wildcards, spaces or other characters that no key has.
    #[error("condition key `{key}` holds a wildcard, a space or another character that no key has")]
    InvalidKey {
        /// As written.
        key: Excerpt,
    },
    /// A tag family without `/<tag key>`.
    #[error("`{family}` needs a tag key: `{family}/<tag key>`")]
    TagKeyMissing {
        /// The family, as written.
        family: Excerpt,
    },
    /// A tag key that no tag has.
    #[error("`{key}` is no tag key: {cause}")]
    InvalidTagKey {
        /// As written.
        key: Excerpt,
        /// The rule that it breaks.
        cause: InvalidTagText,
    },
    /// A tag key with `*` or `?`.
    #[error("tag key `{key}` holds a wildcard")]
    TagKeyWildcard {
        /// As written.
        key: Excerpt,
    },
    /// A key that looks like a tag family which the catalog does not name.
    #[error("`{family}` looks like a family of tags that the catalog does not name")]
    UnknownTagFamily {
        /// The part before `/`, as written.
        family: Excerpt,
    },
    /// One key in two spellings under one operator.
    #[error("condition key `{key}` is given twice under one operator")]
    DuplicateKey {
        /// As written the second time.
        key: Excerpt,
    },
    /// An operator of another type than the key's.
    #[error("operator `{operator}` cannot be put to `{key}`, whose values are never of its type")]
    OperatorUnfit {
        /// The operator.
        operator: Excerpt,
        /// The key, as written.
        key: Excerpt,
    },
    /// A value that is not of the operator's type.
    #[error("`{text}` is not {expected}")]
    InvalidOperand {
        /// As written.
        text: Excerpt,
        /// The type.
        expected: &'static str,
    },
    /// A network of IPv4-mapped addresses that is wider than IPv4.
    #[error("`{text}` is an IPv4-mapped network wider than /96")]
    MappedNetworkTooWide {
        /// As written.
        text: Excerpt,
    },
    /// A pattern over a limit.
    #[error("`{text}` is no pattern: {cause}")]
    InvalidOperandPattern {
        /// As written.
        text: Excerpt,
        /// The rule that it breaks.
        cause: InvalidPattern,
    },
    /// A number without quotes whose text is lost by reading it as a number.
    #[error("write this number in quotes: its digits count here")]
    UnquotedFraction,
    /// A value or key over [`MAX_VALUE_BYTES`].
    #[error("longer than {MAX_VALUE_BYTES} bytes")]
    ValueTooLong,
}

impl PolicyErrorKind {
    /// The stable code, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::SessionTooLong => "SESSION_POLICY_TOO_LONG",
            Self::ActionMissing => "ACTION_MISSING",
            Self::ActionTwice => "ACTION_TWICE",
            Self::NotActionInTrust => "NOT_ACTION_IN_TRUST",
            Self::InvalidAction { .. } => "INVALID_ACTION",
            Self::DeadAction { .. } => "ACTION_MATCHES_NOTHING",
            Self::NotResource => "NOT_RESOURCE",
            Self::ResourceTwice => "RESOURCE_TWICE",
            Self::InvalidResource { .. } => "INVALID_RESOURCE",
            Self::DeadResource { .. } => "RESOURCE_MATCHES_NOTHING",
            Self::PrincipalNotTaken => "PRINCIPAL_NOT_TAKEN",
            Self::InvalidPrincipal { .. } => "INVALID_PRINCIPAL",
            Self::UnknownOperator { .. } => "UNKNOWN_OPERATOR",
            Self::OperatorNotDocumented { .. } => "OPERATOR_NOT_DOCUMENTED",
            Self::NullQualified => "NULL_QUALIFIED",
            Self::NullValues => "NULL_VALUES",
            Self::UnknownKey { .. } => "UNKNOWN_KEY",
            Self::UnknownKeyOpens { .. } => "UNKNOWN_KEY_OPENS",
            Self::KeyUnprefixed { .. } => "KEY_UNPREFIXED",
            Self::InvalidKey { .. } => "INVALID_KEY",
            Self::TagKeyMissing { .. } => "TAG_KEY_MISSING",
            Self::InvalidTagKey { .. } => "INVALID_TAG_KEY",
            Self::TagKeyWildcard { .. } => "TAG_KEY_WILDCARD",
            Self::UnknownTagFamily { .. } => "UNKNOWN_TAG_FAMILY",
            Self::DuplicateKey { .. } => "DUPLICATE_KEY",
            Self::OperatorUnfit { .. } => "OPERATOR_UNFIT",
            Self::InvalidOperand { .. } => "INVALID_OPERAND",
            Self::MappedNetworkTooWide { .. } => "MAPPED_NETWORK_TOO_WIDE",
            Self::InvalidOperandPattern { .. } => "INVALID_OPERAND_PATTERN",
            Self::UnquotedFraction => "UNQUOTED_FRACTION",
            Self::ValueTooLong => "VALUE_TOO_LONG",
        }
    }
}
