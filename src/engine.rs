//! Decides: `decide(&Snapshot, &Request) -> Result<Decision, Refused>`.

pub mod decision;
pub mod request;

use crate::model::verdict::RefusalReason;
use crate::snapshot::Snapshot;
use decision::{Decision, Refused};
use request::Request;

/// Decides a request.
///
/// # Errors
///
/// Why it is not decided.
pub fn decide(_snapshot: &Snapshot, _request: &Request<'_>) -> Result<Decision, Refused> {
    Err(Refused {
        reason: RefusalReason::OwnerUnknown,
        subject: None,
    })
}
