//! Errors of calls as gRPC statuses: nowhere else is a `tonic::Status` made.
//!
//! Each carries an `ErrorInfo` with a stable reason and the domain `tagwarden`, and what a machine
//! can use: the field that is wrong, the condition that is not met, when to try again. Nothing
//! internal is told.

mod details;
mod directory;
mod fault;
mod foreign;
mod manage;

use std::sync::Arc;

use tonic::Code;

pub use self::details::reason_of;
pub use self::directory::DirectoryFault;
pub use self::fault::{CallLimit, Forbidden, Refusal, TaggingFault};
pub use self::foreign::{explained, with_reason};
pub use self::manage::ManageFault;
use crate::model::verdict::RefusalReason;

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
    /// The peer did not prove who it is: it has no certificate and no good token.
    #[error("the peer has not proved that it may manage this server")]
    ManagementDenied,
    /// A call of the management channel has no answer.
    #[error(transparent)]
    Managing(#[from] ManageFault),
    /// A call of the directory has no answer.
    #[error(transparent)]
    Directory(#[from] DirectoryFault),
    /// The server reads its bundle from a directory.
    #[error("the server reads its bundle from a directory, and only a dry run is taken")]
    ManagementReadOnly,
    /// No policies are loaded yet.
    #[error("no policies are loaded yet")]
    SnapshotNotReady,
    /// What is in force is stale for longer than the bundle allows.
    #[error("the policies in force are stale for longer than `max_staleness`")]
    SnapshotStale,
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

impl CallError {
    /// The stable reason, as in `ErrorInfo.reason`.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Refused(refusal) => refusal.reason.as_str(),
            Self::MessageInvalid(_) => "INVALID_REQUEST",
            Self::Tagging { reason, .. } => reason.as_str(),
            Self::OverLimit { limit, .. } => limit.as_str(),
            Self::CallerNotAllowed { .. } | Self::ManagementDenied => "CALLER_NOT_ALLOWED",
            Self::Managing(fault) => fault.reason(),
            Self::Directory(fault) => fault.reason(),
            Self::ManagementReadOnly => "MANAGEMENT_READ_ONLY",
            Self::SnapshotNotReady => "SNAPSHOT_NOT_READY",
            Self::SnapshotStale => "SNAPSHOT_STALE",
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
            Self::Managing(fault) => fault.code(),
            Self::Directory(fault) => fault.code(),
            Self::SnapshotNotReady | Self::SnapshotStale | Self::Stopping => Code::Unavailable,
            Self::RevisionUnreachable
            | Self::RevisionNotReached { .. }
            | Self::ManagementReadOnly => Code::FailedPrecondition,
            Self::TooManyWaiters => Code::ResourceExhausted,
            Self::DeadlineExceeded => Code::DeadlineExceeded,
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
