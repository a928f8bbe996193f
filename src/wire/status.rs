//! Errors of calls as gRPC statuses: nowhere else is a `tonic::Status` made.
//!
//! Each carries an `ErrorInfo` with a stable reason and the domain `tagwarden`, and what a machine
//! can use: the field that is wrong, the condition that is not met, when to try again. Nothing
//! internal is told.

use std::sync::Arc;
use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _, pb};

use crate::model::caller::Rpc;
use crate::model::verdict::{RefusalReason, limits};

/// The domain of every `ErrorInfo`.
pub const DOMAIN: &str = "tagwarden";

/// Why a call, or one request of it, has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The rules of requests refuse it.
    #[error("{0}")]
    Refused(Refusal),
    /// The bytes are no message.
    #[error("{0}")]
    MessageInvalid(String),
    /// The rules of tag policies refuse it.
    #[error("{field}: {reason}")]
    Tagging {
        /// Why.
        reason: TaggingFault,
        /// The path of the field.
        field: &'static str,
    },
    /// More parts than one call may have.
    #[error("{found} {limit}")]
    OverLimit {
        /// Which limit.
        limit: CallLimit,
        /// How many there are.
        found: usize,
    },
    /// The caller has no right to what it asks (security 1.1).
    #[error("the caller `{caller}` may not {what}")]
    CallerNotAllowed {
        /// Which caller the peer is.
        caller: Arc<str>,
        /// What it may not do.
        what: Forbidden,
    },
    /// The peer is neither the server's own user nor root.
    #[error("the management channel is for the server's own user")]
    ManagementDenied,
    /// The server reads its bundle from a directory.
    #[error("the server reads its bundle from a directory, and only a dry run is taken")]
    ManagementReadOnly,
    /// No policies are loaded yet.
    #[error("no policies are loaded yet")]
    SnapshotNotReady,
    /// A revision of another store, or one too far ahead to be waited for (security 9).
    #[error("`min_revision` is not of the store that is served, or far ahead of it")]
    RevisionUnreachable,
    /// The revision was not reached in the time that was left.
    #[error("revision {asked} is asked for and {served} is served")]
    RevisionNotReached {
        /// The number that is asked for.
        asked: u64,
        /// The number that is served.
        served: u64,
    },
    /// Too many calls wait for a revision.
    #[error("too many calls wait for a revision")]
    TooManyWaiters,
    /// The deadline of the call passed.
    #[error("the deadline of the call passed")]
    DeadlineExceeded,
    /// The header `grpc-timeout` is not understood.
    #[error("the header `grpc-timeout` is not 1 to 8 digits and a unit")]
    TimeoutInvalid,
    /// The server ends the call because it stops.
    #[error("the server stops")]
    Stopping,
}

/// The stable reason that a status of this API carries.
pub fn reason_of(status: &Status) -> Option<String> {
    let info = status.get_details_error_info()?;
    (info.domain == DOMAIN).then_some(info.reason)
}

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
    /// The type that is sent is not that of the resource (semantics 46).
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
}

impl TaggingFault {
    fn as_str(self) -> &'static str {
        match self {
            Self::ResourceTypeUnknown => "RESOURCE_TYPE_UNKNOWN",
            Self::ResourceTypeMismatch => "RESOURCE_TYPE_MISMATCH",
            Self::AccountOutsideOrganization => "ACCOUNT_OUTSIDE_ORGANIZATION",
            Self::NodeNotFound => "NODE_NOT_FOUND",
            Self::NotAuthorized => "NOT_AUTHORIZED",
        }
    }

    fn code(self) -> Code {
        match self {
            Self::ResourceTypeUnknown | Self::ResourceTypeMismatch => Code::InvalidArgument,
            Self::AccountOutsideOrganization => Code::FailedPrecondition,
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
    fn field(&self) -> &str {
        match self {
            Self::Rpc(_) => "",
            Self::Principal => "principal",
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
    /// The field that is over the limit.
    fn field(self) -> &'static str {
        match self {
            Self::Batch | Self::TaggingBatch => "requests",
            Self::SubChecks => "requests.resources",
            Self::Candidates => "candidates",
        }
    }
}

impl CallError {
    /// The stable reason, as in `ErrorInfo.reason`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.reason.as_str(),
            Self::MessageInvalid(_) => "INVALID_REQUEST",
            Self::Tagging { reason, .. } => reason.as_str(),
            Self::OverLimit { limit, .. } => match limit {
                CallLimit::Batch => "BATCH_LIMIT",
                CallLimit::TaggingBatch => "TAGGING_BATCH_LIMIT",
                CallLimit::SubChecks => "SUB_CHECK_LIMIT",
                CallLimit::Candidates => "CANDIDATE_LIMIT",
            },
            Self::CallerNotAllowed { .. } | Self::ManagementDenied => "CALLER_NOT_ALLOWED",
            Self::ManagementReadOnly => "MANAGEMENT_READ_ONLY",
            Self::SnapshotNotReady => "SNAPSHOT_NOT_READY",
            Self::RevisionUnreachable => "REVISION_UNREACHABLE",
            Self::RevisionNotReached { .. } => "REVISION_NOT_REACHED",
            Self::TooManyWaiters => "TOO_MANY_WAITERS",
            Self::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Self::TimeoutInvalid => "TIMEOUT_INVALID",
            Self::Stopping => "STOPPING",
        }
    }

    /// The status code.
    pub fn code(&self) -> Code {
        match self {
            Self::Refused(refusal) => code_of(refusal.reason),
            Self::Tagging { reason, .. } => reason.code(),
            Self::MessageInvalid(_) | Self::OverLimit { .. } | Self::TimeoutInvalid => {
                Code::InvalidArgument
            }
            Self::CallerNotAllowed { .. } | Self::ManagementDenied => Code::PermissionDenied,
            Self::SnapshotNotReady | Self::Stopping => Code::Unavailable,
            Self::RevisionUnreachable
            | Self::RevisionNotReached { .. }
            | Self::ManagementReadOnly => Code::FailedPrecondition,
            Self::TooManyWaiters => Code::ResourceExhausted,
            Self::DeadlineExceeded => Code::DeadlineExceeded,
        }
    }

    /// The error as the status of a call.
    pub fn to_status(&self) -> Status {
        Status::with_error_details(self.code(), self.to_string(), self.details())
    }

    /// The error as the result of one request among many.
    pub fn to_item(&self) -> pb::Status {
        pb::Status::decode(self.to_status().details()).unwrap_or_else(|_| pb::Status {
            code: self.code().into(),
            message: self.to_string(),
            details: Vec::new(),
        })
    }

    fn details(&self) -> ErrorDetails {
        let mut details =
            ErrorDetails::with_error_info(self.reason(), DOMAIN, std::collections::HashMap::new());
        let code = self.code();
        if code == Code::InvalidArgument {
            details.add_bad_request_violation(self.subject(), self.description());
        }
        if code == Code::FailedPrecondition {
            let (subject, description) = (self.subject(), self.description());
            details.add_precondition_failure_violation(self.reason(), subject, description);
        }
        if let Some(delay) = self.retry_after() {
            details.set_retry_info(Some(delay));
        }
        details
    }

    /// The field or the condition that the error is about.
    fn subject(&self) -> &str {
        match self {
            Self::Refused(refusal) => &refusal.field,
            Self::OverLimit { limit, .. } => limit.field(),
            Self::CallerNotAllowed { what, .. } => what.field(),
            Self::Tagging { field, .. } => field,
            Self::RevisionUnreachable | Self::RevisionNotReached { .. } | Self::TooManyWaiters => {
                "min_revision"
            }
            Self::TimeoutInvalid | Self::DeadlineExceeded => "grpc-timeout",
            Self::ManagementReadOnly => "dry_run",
            Self::MessageInvalid(_)
            | Self::SnapshotNotReady
            | Self::ManagementDenied
            | Self::Stopping => "",
        }
    }

    fn description(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.detail.clone(),
            Self::MessageInvalid(_)
            | Self::Tagging { .. }
            | Self::OverLimit { .. }
            | Self::CallerNotAllowed { .. }
            | Self::ManagementDenied
            | Self::ManagementReadOnly
            | Self::SnapshotNotReady
            | Self::RevisionUnreachable
            | Self::RevisionNotReached { .. }
            | Self::TooManyWaiters
            | Self::DeadlineExceeded
            | Self::TimeoutInvalid
            | Self::Stopping => self.to_string(),
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::SnapshotNotReady | Self::Stopping => Some(Duration::from_secs(1)),
            // Until somebody repairs the documents.
            Self::Refused(refusal) if code_of(refusal.reason) == Code::Unavailable => {
                Some(Duration::from_secs(5))
            }
            Self::TooManyWaiters => Some(Duration::from_millis(100)),
            Self::Refused(_)
            | Self::Tagging { .. }
            | Self::MessageInvalid(_)
            | Self::OverLimit { .. }
            | Self::CallerNotAllowed { .. }
            | Self::ManagementDenied
            | Self::ManagementReadOnly
            | Self::RevisionUnreachable
            | Self::RevisionNotReached { .. }
            | Self::DeadlineExceeded
            | Self::TimeoutInvalid => None,
        }
    }
}

/// What only another state of the server could decide is a precondition; the rest is the request's.
fn code_of(reason: RefusalReason) -> Code {
    match reason {
        RefusalReason::ContextKeyMissing | RefusalReason::ResourceUnknown => {
            Code::FailedPrecondition
        }
        RefusalReason::AccountQuarantined => Code::Unavailable,
        RefusalReason::InvalidRequest
        | RefusalReason::NoResource
        | RefusalReason::ResourceLimit
        | RefusalReason::ResourceDuplicate
        | RefusalReason::TagKeyDuplicate
        | RefusalReason::TagLimit
        | RefusalReason::TagWriteConflict
        | RefusalReason::RemovedKeysRequired
        | RefusalReason::ContextLimit
        | RefusalReason::ContextKeyDerived
        | RefusalReason::ContextKeyDuplicate
        | RefusalReason::SessionNotApplicable
        | RefusalReason::SessionRequired
        | RefusalReason::InvalidDocument
        | RefusalReason::KindNotStricter
        | RefusalReason::ResourceIdRequired
        | RefusalReason::TagsNotApplicable
        | RefusalReason::OwnerUnknown
        | RefusalReason::ContextValueInvalid => Code::InvalidArgument,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(reason: RefusalReason) -> CallError {
        CallError::Refused(Refusal {
            reason,
            field: "resources[0].arn".to_owned(),
            detail: "wrong".to_owned(),
        })
    }

    #[test]
    fn every_status_says_why_and_where() {
        let check = |error: &CallError, code, field: Option<&str>, retried: bool| {
            let status = error.to_status();
            let details = status.get_error_details();
            assert_eq!(status.code(), code);
            let info = details.error_info().unwrap();
            assert_eq!(
                (info.reason.as_str(), info.domain.as_str()),
                (error.reason(), DOMAIN)
            );
            let told = details
                .bad_request()
                .map(|bad| bad.field_violations[0].field.as_str())
                .or_else(|| {
                    details
                        .precondition_failure()
                        .map(|failed| failed.violations[0].subject.as_str())
                });
            assert_eq!(told, field);
            assert_eq!(details.retry_info().is_some(), retried);
            assert_eq!(error.to_item().details.len(), details_len(&status));
        };
        let arn = Some("resources[0].arn");
        check(
            &refused(RefusalReason::NoResource),
            Code::InvalidArgument,
            arn,
            false,
        );
        check(
            &refused(RefusalReason::ResourceUnknown),
            Code::FailedPrecondition,
            arn,
            false,
        );
        check(
            &refused(RefusalReason::ContextKeyMissing),
            Code::FailedPrecondition,
            arn,
            false,
        );
        check(
            &refused(RefusalReason::AccountQuarantined),
            Code::Unavailable,
            None,
            true,
        );
        check(&CallError::SnapshotNotReady, Code::Unavailable, None, true);
        check(
            &CallError::TooManyWaiters,
            Code::ResourceExhausted,
            None,
            true,
        );
        check(
            &CallError::DeadlineExceeded,
            Code::DeadlineExceeded,
            None,
            false,
        );
    }

    fn details_len(status: &Status) -> usize {
        pb::Status::decode(status.details()).unwrap().details.len()
    }
}
