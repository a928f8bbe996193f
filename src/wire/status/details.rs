//! The status of an error, with the details that machines read.

use std::collections::HashMap;
use std::time::Duration;

use prost::Message as _;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _, pb};

use super::{CallError, DOMAIN, DirectoryFault, code_of};

/// The stable reason that a status of this API carries.
pub fn reason_of(status: &Status) -> Option<String> {
    let info = status.get_details_error_info()?;
    (info.domain == DOMAIN).then_some(info.reason)
}

impl CallError {
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
        let mut details = ErrorDetails::with_error_info(self.reason(), DOMAIN, HashMap::new());
        let code = self.code();
        if code == Code::InvalidArgument {
            details.add_bad_request_violation(self.subject(), self.description());
        }
        if code == Code::FailedPrecondition {
            let (subject, description) = (self.subject(), self.description());
            details.add_precondition_failure_violation(self.reason(), subject, description);
        }
        if let Self::Managing(fault) = self
            && let Some(id) = fault.missing()
        {
            details.set_resource_info("tagwarden.v1.Object", id, "", self.to_string());
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
            Self::Managing(fault) => fault.field(),
            Self::Directory(fault) => fault.field(),
            Self::Tagging { field, .. } => field,
            Self::RevisionUnreachable | Self::RevisionNotReached { .. } | Self::TooManyWaiters => {
                "min_revision"
            }
            Self::TimeoutInvalid | Self::DeadlineExceeded => "grpc-timeout",
            Self::ManagementReadOnly => "dry_run",
            Self::MessageInvalid(_)
            | Self::SnapshotNotReady
            | Self::SnapshotStale
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
            | Self::Managing(_)
            | Self::Directory(_)
            | Self::ManagementDenied
            | Self::ManagementReadOnly
            | Self::SnapshotNotReady
            | Self::SnapshotStale
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
            Self::SnapshotNotReady
            | Self::Stopping
            | Self::Directory(DirectoryFault::TooManyReports) => Some(Duration::from_secs(1)),
            // Until somebody repairs the documents.
            Self::SnapshotStale => Some(Duration::from_secs(5)),
            Self::Refused(refusal) if code_of(refusal.reason) == Code::Unavailable => {
                Some(Duration::from_secs(5))
            }
            Self::TooManyWaiters | Self::Directory(DirectoryFault::Conflict) => {
                Some(Duration::from_millis(100))
            }
            Self::Refused(_)
            | Self::Tagging { .. }
            | Self::MessageInvalid(_)
            | Self::OverLimit { .. }
            | Self::CallerNotAllowed { .. }
            | Self::Managing(_)
            | Self::Directory(DirectoryFault::Refused { .. } | DirectoryFault::Failed)
            | Self::ManagementDenied
            | Self::ManagementReadOnly
            | Self::RevisionUnreachable
            | Self::RevisionNotReached { .. }
            | Self::DeadlineExceeded
            | Self::TimeoutInvalid => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Refusal;
    use super::*;
    use crate::model::verdict::RefusalReason;

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
