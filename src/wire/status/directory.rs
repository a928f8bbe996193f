//! Why a call of the directory has no answer: the published codes, and our own.

use tonic::Code;

use crate::model::tagging::FailureCode;
use crate::model::verdict::limits;

/// Why a call of the directory has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DirectoryFault {
    /// The call is refused as a whole.
    #[error("{message}")]
    Refused {
        /// Why.
        code: FailureCode,
        /// The field that it is about.
        field: &'static str,
        /// What is wrong.
        message: String,
    },
    /// The state changed while the call was worked out, again and again.
    #[error("the state changed while the call was worked out, again and again")]
    Conflict,
    /// The directory cannot be written. The log tells why.
    #[error("the directory cannot be written")]
    Failed,
    /// As many reports and repairs are running as there may be.
    #[error("{} checks and repairs are running", limits::REPORTS)]
    TooManyReports,
}

impl DirectoryFault {
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Refused { code, .. } => code.as_str(),
            Self::Conflict => FailureCode::Conflict.as_str(),
            Self::Failed => "STORE_FAILED",
            Self::TooManyReports => "REPORT_LIMIT",
        }
    }

    pub(super) fn code(&self) -> Code {
        match self {
            Self::Refused { code, .. } => code_of(*code),
            Self::Conflict => Code::Aborted,
            Self::Failed => Code::Unavailable,
            Self::TooManyReports => Code::ResourceExhausted,
        }
    }

    /// The field that it is about.
    pub(super) fn field(&self) -> &'static str {
        match self {
            Self::Refused { field, .. } => field,
            Self::Conflict | Self::Failed | Self::TooManyReports => "",
        }
    }
}

/// tag-policy 5.3: what was 404 is not found, what was 403 is a permission or a precondition, the
/// rest is the request's.
fn code_of(code: FailureCode) -> Code {
    match code {
        FailureCode::ResourceNotFound | FailureCode::RuleUnknown => Code::NotFound,
        FailureCode::NoPermission => Code::PermissionDenied,
        FailureCode::QuotaExceeded
        | FailureCode::TagPolicy
        | FailureCode::InheritanceBlocked
        | FailureCode::TooManyPrimaries
        | FailureCode::ChainTooLong
        | FailureCode::AccountOutsideOrganization => Code::FailedPrecondition,
        FailureCode::Conflict => Code::Aborted,
        FailureCode::TooManyResources
        | FailureCode::NoResources
        | FailureCode::DuplicateResource
        | FailureCode::TooManyTags
        | FailureCode::NoTags
        | FailureCode::DuplicateKey
        | FailureCode::MalformedKey
        | FailureCode::MalformedValue
        | FailureCode::AssociationMismatch
        | FailureCode::ResourceTypeUnknown
        | FailureCode::OwnerUnknown
        | FailureCode::IdRequired => Code::InvalidArgument,
    }
}
