//! What is legal but probably wrong, each at a position (ram 7).
//!
//! Warnings on one value are told where it is read; those on whole statements are told here.
//! An unconditioned Allow of everything is no warning: it says what it does.
//!
//! Not here: what needs more than one document, but for [`tag_keys`].

mod actions;
mod statement;
pub mod tag_keys;

use super::cursor::Sink;
use super::error::Excerpt;
use super::policy::ReadStatement;
use super::position::Position;
use super::tag_policy::TagPolicyLint;
use crate::model::catalog::Catalog;
use crate::model::statement::DocumentLayer;

/// One warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    /// What is probably wrong.
    pub kind: LintKind,
    /// Where.
    pub at: Position,
}

impl std::fmt::Display for Lint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: warning: {}", self.at, self.kind)
    }
}

/// What is probably wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LintKind {
    /// A number or a boolean where the platform asks for a string.
    #[error("a value is written without quotes")]
    UnquotedValue,
    /// `*` or `?` where they are plain characters.
    #[error("`{value}` is compared character by character: wildcards need `StringLike`")]
    WildcardInExactValue {
        /// As written.
        value: Excerpt,
    },
    /// Bits beyond the prefix of a network.
    #[error("address bits after the prefix are ignored: the network is `{network}`")]
    HostBits {
        /// The network that is meant.
        network: String,
    },
    /// A pattern of resources without an account field.
    #[error(
        "the account field is missing: an Allow is for the policy's own account, a Deny for any"
    )]
    FourFieldArn,
    /// No action can match.
    #[error("`{text}` can match no action")]
    DeadAction {
        /// As written.
        text: Excerpt,
    },
    /// No resource can match.
    #[error("`{text}` can match no resource: a placeholder was perhaps left in")]
    DeadResource {
        /// As written.
        text: Excerpt,
    },
    /// `Action` or `Resource` as a condition key.
    #[error("condition key `{key}` without a prefix is the request's own action or ARN")]
    BareKey {
        /// As written.
        key: Excerpt,
    },
    /// An `acs:` key that nobody knows, under `unknown_keys = warn`.
    #[error("unknown condition key `{key}`, which requests perhaps never carry")]
    UnknownKey {
        /// As written.
        key: Excerpt,
    },
    /// `IfExists`, `Null` or a set prefix.
    #[error("this operator is an extension that the platform refuses")]
    ExtendedOperator,
    /// More characters than the platform stores.
    #[error("longer than {limit} characters, the most that the platform stores")]
    OverPlatformLimit {
        /// The most.
        limit: usize,
    },
    /// `NotAction` in an Allow.
    #[error("`NotAction` in an Allow grants every other action, those of other services too")]
    NotActionInAllow,
    /// `ForAllValues` in an Allow.
    #[error(
        "`ForAllValues` in an Allow asks nothing of a key without values under forall_absent = aws"
    )]
    ForAllValuesInAllow,
    /// `Bool acs:MFAPresent false` in a Deny.
    #[error("never holds for calls with an access key: `acs:MFAPresent` is absent there")]
    MfaDenyWithoutKey,
    /// Several negated request-tag conditions in one Deny.
    #[error(
        "several negated request tags in one Deny must all fail: one Deny statement for each is needed"
    )]
    NegatedTagsTogether,
    /// A negated resource-tag condition in an Allow of creates.
    #[error(
        "a resource that is being made has no tags: this condition never holds, or always under absent_family = aws"
    )]
    NegatedResourceTagOnCreate,
    /// A resource-tag condition in an Allow of creates.
    #[error("a resource that is being made has no tags: this condition never holds")]
    ResourceTagOnCreate,
    /// A request-tag condition where no request tag is ever seen.
    #[error("request tags are never seen with these actions: this condition never holds")]
    RequestTagUnseen,
    /// A service's own family of tags with other services' actions.
    #[error("only resources of `{service}` have this key, and no action here is for them")]
    ForeignTagFamily {
        /// The service.
        service: Box<str>,
    },
    /// `acs:TargetRD…` where no peering action is covered.
    #[error("only `vpc:CreateVpcPeerConnection` and `vpc:AcceptVpcPeerConnection` carry this key")]
    TargetOutsidePeering,
    /// A tag write granted on request tags alone.
    #[error(
        "`{action}` granted by request tags alone can never succeed: the resource as it is must be granted as well"
    )]
    TagWriteByRequestAlone {
        /// The action, as written.
        action: Excerpt,
    },
    /// Two tag keys that differ in case alone.
    #[error("tag keys `{first}` and `{second}` differ only in case")]
    TagKeyCase {
        /// The one that stands first.
        first: Excerpt,
        /// The other.
        second: Excerpt,
    },
    /// A statement that stands twice.
    #[error("the same as statement {first}")]
    DuplicateStatement {
        /// The place of the first one, from 0.
        first: usize,
    },
    /// A route with tags that refuses obligations.
    #[error(
        "a list that is allowed by request tags has an obligation, and the route refuses those: \
         `obligations` = `applied` is for upstreams that filter by the tags"
    )]
    RouteRefusesObligations,
    /// In a tag policy.
    #[error(transparent)]
    TagPolicy(TagPolicyLint),
}

impl LintKind {
    /// The stable code, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnquotedValue => "UNQUOTED_VALUE",
            Self::WildcardInExactValue { .. } => "WILDCARD_IN_EXACT_VALUE",
            Self::HostBits { .. } => "HOST_BITS",
            Self::FourFieldArn => "FOUR_FIELD_ARN",
            Self::DeadAction { .. } => "ACTION_MATCHES_NOTHING",
            Self::DeadResource { .. } => "RESOURCE_MATCHES_NOTHING",
            Self::BareKey { .. } => "BARE_KEY",
            Self::UnknownKey { .. } => "UNKNOWN_KEY",
            Self::ExtendedOperator => "EXTENDED_OPERATOR",
            Self::OverPlatformLimit { .. } => "OVER_PLATFORM_LIMIT",
            Self::NotActionInAllow => "NOT_ACTION_IN_ALLOW",
            Self::ForAllValuesInAllow => "FOR_ALL_VALUES_IN_ALLOW",
            Self::MfaDenyWithoutKey => "MFA_DENY_WITHOUT_KEY",
            Self::NegatedTagsTogether => "NEGATED_TAGS_TOGETHER",
            Self::NegatedResourceTagOnCreate => "NEGATED_RESOURCE_TAG_ON_CREATE",
            Self::ResourceTagOnCreate => "RESOURCE_TAG_ON_CREATE",
            Self::RequestTagUnseen => "REQUEST_TAG_UNSEEN",
            Self::ForeignTagFamily { .. } => "FOREIGN_TAG_FAMILY",
            Self::TargetOutsidePeering => "TARGET_OUTSIDE_PEERING",
            Self::TagWriteByRequestAlone { .. } => "TAG_WRITE_BY_REQUEST_ALONE",
            Self::TagKeyCase { .. } => "TAG_KEY_CASE",
            Self::DuplicateStatement { .. } => "DUPLICATE_STATEMENT",
            Self::RouteRefusesObligations => "ROUTE_REFUSES_OBLIGATIONS",
            Self::TagPolicy(lint) => lint.code(),
        }
    }
}

/// The most characters that the platform stores of a document (ram 1.6).
pub(super) fn platform_limit(layer: DocumentLayer) -> Option<usize> {
    match layer {
        DocumentLayer::Identity => Some(6_144),
        DocumentLayer::Control => Some(4_096),
        DocumentLayer::Session | DocumentLayer::Resource | DocumentLayer::Trust => None,
    }
}

/// Tells what is probably wrong with the statements of one document.
pub(super) fn statements(read: &[ReadStatement<'_, '_>], catalog: &Catalog, sink: &mut Sink<'_>) {
    for (place, one) in read.iter().enumerate() {
        statement::check(one, read, catalog, sink);
        let same = |earlier: &ReadStatement<'_, '_>| is_same(earlier, one);
        if let Some(first) = read.iter().take(place).position(same) {
            sink.warn(&one.spot(), LintKind::DuplicateStatement { first });
        }
    }
    tag_keys::check(read, sink);
}

/// Whether two statements differ in nothing but their `Sid`.
fn is_same(left: &ReadStatement<'_, '_>, right: &ReadStatement<'_, '_>) -> bool {
    let (left, right) = (&left.statement, &right.statement);
    left.effect == right.effect
        && left.actions == right.actions
        && left.resources == right.resources
        && left.principals == right.principals
        && left.conditions == right.conditions
}
