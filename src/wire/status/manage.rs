//! Why a call of the management channel has no answer.

use tonic::Code;

/// Why a call of the management channel has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManageFault {
    /// Whoever calls is neither an administrator nor a principal.
    #[error("the caller `{caller}` may not call the management channel")]
    Nobody {
        /// The caller.
        caller: String,
    },
    /// The principal has no permission. Nothing but the action and the ARN is told.
    #[error("`{action}` on `{arn}` is not allowed")]
    NotAuthorized {
        /// The action.
        action: &'static str,
        /// The ARN.
        arn: String,
    },
    /// Another revision is in force than is expected.
    #[error("revision {asked} is expected and {found} is in force")]
    RevisionConflict {
        /// The number that is expected.
        asked: u64,
        /// The number that is in force.
        found: u64,
    },
    /// The author of a change could not undo it.
    #[error(
        "after the change its author could not undo it ({what}); `force` makes it nevertheless"
    )]
    LockedOut {
        /// What would not be allowed.
        what: String,
    },
    /// The history does not reach so far.
    #[error("the history does not reach to revision {to}")]
    HistoryTooShort {
        /// The number that is asked for.
        to: u64,
    },
    /// The key came with another request before.
    #[error("the key came with another request before")]
    KeyReused,
    /// There is no such object.
    #[error("there is no object `{id}`")]
    ObjectNotFound {
        /// Its id.
        id: String,
    },
    /// The page token is not one of this question.
    #[error("not a token of this question, of this caller and of this run of the server")]
    PageToken,
    /// A field breaks a rule.
    #[error("{field}: {detail}")]
    Invalid {
        /// Its path.
        field: String,
        /// What is wrong with it.
        detail: String,
    },
    /// None, or too many operations.
    #[error(
        "{found} operations, 1 to {} are taken",
        crate::wire::change::MAX_OPERATIONS
    )]
    Operations {
        /// How many there are.
        found: usize,
    },
    /// A document is too long.
    #[error("{field}: longer than {limit} bytes")]
    DocumentTooLong {
        /// The path of the field.
        field: String,
        /// The most bytes.
        limit: usize,
    },
    /// The state cannot be read or written. The log tells why.
    #[error("the state cannot be read or written")]
    StoreFailed,
    /// The server keeps nothing on disk.
    #[error("the server keeps nothing on disk")]
    NothingKept,
    /// A backup is being made.
    #[error("a backup is being made")]
    BackupRunning,
    /// The message did not come to its end in time.
    #[error("the message did not come to its end in time")]
    TooSlow,
}

impl ManageFault {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Nobody { .. } => "CALLER_NOT_ALLOWED",
            Self::NotAuthorized { .. } => "NOT_AUTHORIZED",
            Self::RevisionConflict { .. } => "REVISION_CONFLICT",
            Self::LockedOut { .. } => "LOCKED_OUT",
            Self::HistoryTooShort { .. } => "HISTORY_TOO_SHORT",
            Self::KeyReused => "IDEMPOTENCY_KEY_REUSED",
            Self::ObjectNotFound { .. } => "OBJECT_NOT_FOUND",
            Self::PageToken => "PAGE_TOKEN_INVALID",
            Self::Invalid { .. } => "INVALID_REQUEST",
            Self::Operations { .. } => "OPERATION_LIMIT",
            Self::DocumentTooLong { .. } => "DOCUMENT_LIMIT",
            Self::StoreFailed => "STORE_FAILED",
            Self::NothingKept => "NOTHING_KEPT",
            Self::BackupRunning => "BACKUP_RUNNING",
            Self::TooSlow => "MESSAGE_TOO_SLOW",
        }
    }

    pub(super) fn code(&self) -> Code {
        match self {
            Self::Nobody { .. } | Self::NotAuthorized { .. } => Code::PermissionDenied,
            Self::RevisionConflict { .. }
            | Self::LockedOut { .. }
            | Self::HistoryTooShort { .. }
            | Self::NothingKept => Code::FailedPrecondition,
            Self::KeyReused
            | Self::PageToken
            | Self::Invalid { .. }
            | Self::Operations { .. }
            | Self::DocumentTooLong { .. } => Code::InvalidArgument,
            Self::ObjectNotFound { .. } => Code::NotFound,
            Self::StoreFailed => Code::Unavailable,
            Self::BackupRunning => Code::ResourceExhausted,
            Self::TooSlow => Code::DeadlineExceeded,
        }
    }

    /// The field that it is about.
    pub(super) fn field(&self) -> &str {
        match self {
            Self::RevisionConflict { .. } => "options.expected_revision",
            Self::LockedOut { .. } => "options.force",
            Self::HistoryTooShort { .. } => "number",
            Self::KeyReused => "options.idempotency_key",
            Self::ObjectNotFound { .. } => "id",
            Self::PageToken => "page_token",
            Self::Operations { .. } => "operations",
            Self::Invalid { field, .. } | Self::DocumentTooLong { field, .. } => field,
            Self::Nobody { .. }
            | Self::NotAuthorized { .. }
            | Self::StoreFailed
            | Self::NothingKept
            | Self::BackupRunning
            | Self::TooSlow => "",
        }
    }

    /// The object that is not there.
    pub(super) fn missing(&self) -> Option<&str> {
        match self {
            Self::ObjectNotFound { id } => Some(id),
            Self::Nobody { .. }
            | Self::NotAuthorized { .. }
            | Self::RevisionConflict { .. }
            | Self::LockedOut { .. }
            | Self::HistoryTooShort { .. }
            | Self::KeyReused
            | Self::PageToken
            | Self::Invalid { .. }
            | Self::Operations { .. }
            | Self::DocumentTooLong { .. }
            | Self::StoreFailed
            | Self::NothingKept
            | Self::BackupRunning
            | Self::TooSlow => None,
        }
    }
}
