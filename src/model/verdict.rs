//! The answers that engine and reference share: outcomes, obligations, and why a request is refused.

use std::fmt;

/// What evaluation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Granted.
    Allow,
    /// Nobody granted it.
    ImplicitDeny,
    /// A Deny statement holds.
    ExplicitDeny,
}

/// How a refusal is shown to the one who asked the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OnDeny {
    /// As an error.
    Error,
    /// As a result without entries (security 3.5).
    EmptyResult,
}

/// Why a request was answered with DENY, beside the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DenyReason {
    /// No Allow holds.
    Implicit,
    /// A Deny holds.
    Explicit,
    /// The principal's account is known and the principal is not (security 2.7).
    PrincipalUnknown,
    /// It would be allowed under an obligation that the asker does not understand.
    ObligationRequired,
    /// A list names a resource that nobody knows (security 3.5).
    ResourceUnknown,
}

/// What whoever enforces an ALLOW must do (security 3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ObligationKind {
    /// Apply the request's tags as a filter, beside the ids.
    MustFilterTags,
    /// Drop from the result what the principal may not see.
    FilterResults,
}

impl ObligationKind {
    /// The name in answers and case files.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::MustFilterTags => "must_filter_tags",
            Self::FilterResults => "filter_results",
        }
    }
}

/// The layers of evaluation (ram 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Layer {
    /// Control policies of one level; 0 is the member.
    Control {
        /// The level, rising to the Root.
        level: u8,
    },
    /// The session policy.
    Session,
    /// Identity policies at account scope.
    Identity,
    /// Identity policies at the scope of the resource's group.
    ResourceGroup,
    /// Resource-based policies, trust policies among them.
    ResourceBased,
    /// The owner of the account, without any policy.
    AccountOwner,
}

/// Why a request is refused without a decision. The name is stable (security 12).
///
/// The order is the order of telling: of several reasons the first is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RefusalReason {
    /// A text of the request breaks a grammar or a length.
    InvalidRequest,
    /// No resource is named.
    NoResource,
    /// More resources than are taken.
    ResourceLimit,
    /// One ARN stands twice.
    ResourceDuplicate,
    /// One tag key stands twice.
    TagKeyDuplicate,
    /// More tags than are taken.
    TagLimit,
    /// Tags are set, removed or replaced in ways that exclude each other.
    TagWriteConflict,
    /// A removing action names no key to remove.
    RemovedKeysRequired,
    /// More context entries or values than are taken.
    ContextLimit,
    /// A context key that the engine derives.
    ContextKeyDerived,
    /// Two context keys are equal without regard to case.
    ContextKeyDuplicate,
    /// A session policy on something that is no role session.
    SessionNotApplicable,
    /// A role session that does not say whether it has a session policy.
    SessionRequired,
    /// A session policy that is no valid document.
    InvalidDocument,
    /// The kind that is stated is less strict than the catalog's.
    KindNotStricter,
    /// The action needs the id of one resource.
    ResourceIdRequired,
    /// Tags are sent for an ARN that names no single resource.
    TagsNotApplicable,
    /// The account that owns the resource cannot be told.
    OwnerUnknown,
    /// The documents of the principal's or the owner's account are refused, and none were good before.
    AccountQuarantined,
    /// A value that cannot be read as the type that is asked of it.
    ContextValueInvalid,
    /// A key that is always present was not sent.
    ContextKeyMissing,
    /// The tags or the group of a resource are needed and not known.
    ResourceUnknown,
}

impl RefusalReason {
    /// All of them, in this order.
    pub const ALL: [Self; 22] = [
        Self::InvalidRequest,
        Self::NoResource,
        Self::ResourceLimit,
        Self::ResourceDuplicate,
        Self::TagKeyDuplicate,
        Self::TagLimit,
        Self::TagWriteConflict,
        Self::RemovedKeysRequired,
        Self::ContextLimit,
        Self::ContextKeyDerived,
        Self::ContextKeyDuplicate,
        Self::SessionNotApplicable,
        Self::SessionRequired,
        Self::InvalidDocument,
        Self::KindNotStricter,
        Self::ResourceIdRequired,
        Self::TagsNotApplicable,
        Self::OwnerUnknown,
        Self::AccountQuarantined,
        Self::ContextValueInvalid,
        Self::ContextKeyMissing,
        Self::ResourceUnknown,
    ];

    /// The stable name, as in `ErrorInfo.reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "INVALID_REQUEST",
            Self::NoResource => "NO_RESOURCE",
            Self::ResourceLimit => "RESOURCE_LIMIT",
            Self::ResourceDuplicate => "RESOURCE_DUPLICATE",
            Self::TagKeyDuplicate => "TAG_KEY_DUPLICATE",
            Self::TagLimit => "TAG_LIMIT",
            Self::TagWriteConflict => "TAG_WRITE_CONFLICT",
            Self::RemovedKeysRequired => "REMOVED_KEYS_REQUIRED",
            Self::ContextLimit => "CONTEXT_LIMIT",
            Self::ContextKeyDerived => "CONTEXT_KEY_DERIVED",
            Self::ContextKeyDuplicate => "CONTEXT_KEY_DUPLICATE",
            Self::SessionNotApplicable => "SESSION_NOT_APPLICABLE",
            Self::SessionRequired => "SESSION_REQUIRED",
            Self::InvalidDocument => "INVALID_DOCUMENT",
            Self::KindNotStricter => "KIND_NOT_STRICTER",
            Self::ResourceIdRequired => "RESOURCE_ID_REQUIRED",
            Self::TagsNotApplicable => "TAGS_NOT_APPLICABLE",
            Self::OwnerUnknown => "OWNER_UNKNOWN",
            Self::AccountQuarantined => "ACCOUNT_QUARANTINED",
            Self::ContextValueInvalid => "CONTEXT_VALUE_INVALID",
            Self::ContextKeyMissing => "CONTEXT_KEY_MISSING",
            Self::ResourceUnknown => "RESOURCE_UNKNOWN",
        }
    }
}

impl fmt::Display for RefusalReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The limits of one request, refused before any work (design, section 9).
pub mod limits {
    /// The most resources of one call.
    pub const RESOURCES: usize = 50;
    /// The most tags that one call carries.
    pub const REQUEST_TAGS: usize = 20;
    /// The most keys that one call removes.
    pub const REMOVED_KEYS: usize = 128;
    /// The most tags of one resource.
    pub const RESOURCE_TAGS: usize = 128;
    /// The most context entries.
    pub const CONTEXT_ENTRIES: usize = 64;
    /// The most values of one context entry.
    pub const CONTEXT_VALUES: usize = 64;
    /// The longest context key or value, in bytes.
    pub const CONTEXT_BYTES: usize = 2_048;
    /// The most calls of one batch.
    pub const BATCH: usize = 1_000;
    /// The most sub-checks of one batch.
    pub const SUB_CHECKS: usize = 5_000;
    /// The most slots of an account that a page of resources passes, or resources that it looks at.
    pub const PAGE_SLOTS: u32 = 16_384;
    /// The most resources that are looked at one by one for a page of keys or values.
    pub const LOOKED_AT: u64 = 200_000;
    /// The most candidates of one filter call.
    pub const CANDIDATES: usize = 1_000;
    /// The most characters of a session policy.
    pub const SESSION_POLICY_CHARS: usize = 2_048;
    /// The longest type of a resource, in bytes.
    pub const RESOURCE_TYPE_BYTES: usize = 128;
    /// The most revisions that one may be ahead to be waited for.
    pub const REVISIONS_AHEAD: u64 = 1_000;
    /// The most calls that wait for a revision, over all connections.
    pub const WAITERS: usize = 1_024;
    /// The most calls of one connection that wait for a revision.
    pub const CONNECTION_WAITERS: usize = 64;
    /// The most seconds that a call waits for a revision.
    pub const WAIT_SECONDS: u64 = 2;
}
