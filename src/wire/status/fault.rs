//! What errors of calls are about: requests, tag policies, rights and limits.

use tonic::Code;

use crate::model::caller::Rpc;
use crate::model::verdict::{RefusalReason, limits};

/// A request that the rules refuse, and the part of it that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {detail}")]
pub struct Refusal {
    /// The stable reason.
    pub reason: RefusalReason,
    /// The path of the field: `resources[3].tags.tags[0].key`.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

/// Why a question about tag policies has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TaggingFault {
    /// No type, or one that is not known, while a policy intercepts by type (security 6.6).
    #[error("the type of the resource is not known")]
    ResourceTypeUnknown,
    /// The type that is sent is not that of the resource (semantics 49).
    #[error("the type is not that of the resource")]
    ResourceTypeMismatch,
    /// The account that owns the resource is in no organization (security 6.6).
    #[error("the account is in no organization")]
    AccountOutsideOrganization,
    /// No such account.
    #[error("no such node")]
    NodeNotFound,
    /// The principal may not ask this.
    #[error("the principal may not ask this")]
    NotAuthorized,
    /// Too many resources would be looked at.
    #[error("more resources than are looked at one by one; a narrower scope may do")]
    ScopeTooBroad,
}

impl TaggingFault {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::ResourceTypeUnknown => "RESOURCE_TYPE_UNKNOWN",
            Self::ResourceTypeMismatch => "RESOURCE_TYPE_MISMATCH",
            Self::AccountOutsideOrganization => "ACCOUNT_OUTSIDE_ORGANIZATION",
            Self::NodeNotFound => "NODE_NOT_FOUND",
            Self::NotAuthorized => "NOT_AUTHORIZED",
            Self::ScopeTooBroad => "SCOPE_TOO_BROAD",
        }
    }

    pub(super) fn code(self) -> Code {
        match self {
            Self::ResourceTypeUnknown | Self::ResourceTypeMismatch => Code::InvalidArgument,
            Self::AccountOutsideOrganization | Self::ScopeTooBroad => Code::FailedPrecondition,
            Self::NodeNotFound => Code::NotFound,
            Self::NotAuthorized => Code::PermissionDenied,
        }
    }
}

/// What a caller has no right to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// An RPC.
    #[error("call `{0}`")]
    Rpc(Rpc),
    /// The principal of the request.
    #[error("act for this `principal`")]
    Principal,
    /// `explain`, for want of the permission beside the right (security 8).
    #[error("send `explain`, for want of the permission `tagwarden:Explain`")]
    Explain,
    /// A field that is sent.
    #[error("send `{field}`, for want of the right `{right}`")]
    Field {
        /// Its path.
        field: String,
        /// The right that it needs, as `callers.json` names it.
        right: &'static str,
    },
}

impl Forbidden {
    /// The field that it is about.
    pub(super) fn field(&self) -> &str {
        match self {
            Self::Rpc(_) => "",
            Self::Principal => "principal",
            Self::Explain => "explain",
            Self::Field { field, right: _ } => field,
        }
    }
}

/// The limits of one call, beside those of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallLimit {
    /// Requests of a batch.
    #[error("requests, at most {} are taken", limits::BATCH)]
    Batch,
    /// Resources of all requests of a batch.
    #[error("resources in all, at most {} are taken", limits::SUB_CHECKS)]
    SubChecks,
    /// Operations of a batch.
    #[error("operations, at most {} are taken", limits::BATCH)]
    TaggingBatch,
    /// Candidates of a filter call.
    #[error("candidates, at most {} are taken", limits::CANDIDATES)]
    Candidates,
}

impl CallLimit {
    /// The stable reason.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "BATCH_LIMIT",
            Self::TaggingBatch => "TAGGING_BATCH_LIMIT",
            Self::SubChecks => "SUB_CHECK_LIMIT",
            Self::Candidates => "CANDIDATE_LIMIT",
        }
    }

    /// The field that is over the limit.
    pub(super) fn field(self) -> &'static str {
        match self {
            Self::Batch | Self::TaggingBatch => "requests",
            Self::SubChecks => "requests.resources",
            Self::Candidates => "candidates",
        }
    }
}
