//! Messages of changes as changes, and what came of them as messages.
//!
//! Limits are looked at before anything else is done with a message.

use std::collections::BTreeSet;

use super::management::timestamp;
use super::reply::{revision, source_number};
use super::status::{CallError, ManageFault};
use super::v1;
use crate::document::bundle::BundleFiles;
use crate::document::finding::Finding;
use crate::document::object::Document;
use crate::management::change::{ChangeError, LockOut, Operation, What};
use crate::management::permission::Denied;
use crate::management::{Applied, ApplyMode, ApplyOutcome};
use crate::model::object::ObjectId;
use crate::snapshot::Revision;
use crate::source::embedded::{Cause, Difference, Record};

/// The most operations of one change.
pub const MAX_OPERATIONS: usize = 10_000;
/// The most bytes of a document.
pub const MAX_DOCUMENT_BYTES: usize = 4 * 1_024 * 1_024;
/// The most bytes of the document of `resources`.
pub const MAX_RESOURCES_BYTES: usize = 32 * 1_024 * 1_024;
/// The most bytes of an idempotency key.
pub const MAX_KEY_BYTES: usize = 128;
/// The most bytes of what is said of a change.
pub const MAX_MESSAGE_BYTES: usize = 1_024;

/// How a change is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether it is.
    pub mode: ApplyMode,
    /// The source and number of the revision that must be in force.
    pub expected: Option<(u64, u64)>,
    /// The key of the call.
    pub key: Option<String>,
    /// Why.
    pub message: String,
    /// Whether its author may lock itself out.
    pub lock_out: LockOut,
}

/// Reads how a change is made.
///
/// # Errors
///
/// A field breaks a rule.
pub fn options(message: Option<v1::ChangeOptions>, dry_run: bool) -> Result<Options, ManageFault> {
    let v1::ChangeOptions {
        dry_run: also,
        expected_revision,
        idempotency_key,
        message,
        force,
    } = message.unwrap_or_default();
    let mode = if dry_run || also {
        ApplyMode::DryRun
    } else {
        ApplyMode::Commit
    };
    check_length("options.idempotency_key", &idempotency_key, MAX_KEY_BYTES)?;
    check_length("options.message", &message, MAX_MESSAGE_BYTES)?;
    if idempotency_key.contains('\0') {
        return Err(invalid("options.idempotency_key", "it holds a NUL"));
    }
    if mode == ApplyMode::DryRun && !idempotency_key.is_empty() {
        let detail = "a dry run has no key";
        return Err(invalid("options.idempotency_key", detail));
    }
    Ok(Options {
        mode,
        expected: expected_revision.as_ref().map(expected).transpose()?,
        key: (!idempotency_key.is_empty()).then_some(idempotency_key),
        message,
        lock_out: if force {
            LockOut::Forced
        } else {
            LockOut::Refused
        },
    })
}

fn expected(token: &v1::RevisionToken) -> Result<(u64, u64), ManageFault> {
    let v1::RevisionToken { source, number } = token;
    let source = source_number(source);
    let field = "options.expected_revision.source";
    let source = source.ok_or_else(|| invalid(field, "not the id of a store"))?;
    Ok((source, *number))
}

fn check_length(field: &str, text: &str, most: usize) -> Result<(), ManageFault> {
    if text.len() <= most {
        return Ok(());
    }
    Err(invalid(field, format!("longer than {most} bytes")))
}

fn invalid(field: impl Into<String>, detail: impl Into<String>) -> ManageFault {
    ManageFault::Invalid {
        field: field.into(),
        detail: detail.into(),
    }
}

/// Reads puts and deletes.
///
/// # Errors
///
/// There are too many, one is too long, or one names no object or one that another names.
pub fn operations(messages: Vec<v1::Operation>) -> Result<What, ManageFault> {
    let found = messages.len();
    if !(1..=MAX_OPERATIONS).contains(&found) {
        return Err(ManageFault::Operations { found });
    }
    let mut seen = BTreeSet::new();
    let mut operations = Vec::with_capacity(found);
    for (place, message) in messages.into_iter().enumerate() {
        let operation = operation(place, message)?;
        if !seen.insert(operation.id.clone()) {
            let field = format!("operations[{place}].id");
            return Err(invalid(field, "the object is named twice"));
        }
        operations.push(operation);
    }
    Ok(What::Operations(operations))
}

fn operation(place: usize, message: v1::Operation) -> Result<Operation, ManageFault> {
    let v1::Operation { id, action } = message;
    let id = object_id(&format!("operations[{place}].id"), &id)?;
    let document = match action {
        None => {
            let field = format!("operations[{place}]");
            return Err(invalid(field, "neither `put` nor `delete`"));
        }
        Some(v1::operation::Action::Delete(v1::Delete {})) => None,
        Some(v1::operation::Action::Put(document)) => {
            let limit = match id {
                ObjectId::Resources => MAX_RESOURCES_BYTES,
                ObjectId::Settings
                | ObjectId::Callers
                | ObjectId::Routes
                | ObjectId::Catalog(_)
                | ObjectId::Organization(_)
                | ObjectId::Shared(..)
                | ObjectId::Account(..) => MAX_DOCUMENT_BYTES,
            };
            if document.len() > limit {
                let field = format!("operations[{place}].put");
                return Err(ManageFault::DocumentTooLong { field, limit });
            }
            Some(Document::from(document))
        }
    };
    Ok(Operation { id, document })
}

/// Reads the id of an object.
///
/// # Errors
///
/// It names none.
pub fn object_id(field: &str, id: &str) -> Result<ObjectId, ManageFault> {
    ObjectId::try_from(id).map_err(|error| invalid(field, error.to_string()))
}

/// Reads the files of a bundle.
///
/// # Errors
///
/// A path is given twice.
pub fn files(messages: Vec<v1::BundleFile>) -> Result<BundleFiles, ManageFault> {
    let mut bundle = BundleFiles::default();
    for (place, v1::BundleFile { path, content }) in messages.into_iter().enumerate() {
        if bundle.get(&path).is_some() {
            let field = format!("files[{place}].path");
            return Err(invalid(field, "the path is given twice"));
        }
        bundle.insert(path, content);
    }
    Ok(bundle)
}

/// What came of a change: an answer, or an error of the call.
#[derive(Debug)]
pub struct Outcome {
    word: v1::ApplyOutcome,
    revision: Option<Revision>,
    findings: Vec<Finding>,
    objects: u64,
}

impl Outcome {
    /// What is told of a change. `live` is the revision in force.
    ///
    /// # Errors
    ///
    /// The change is refused for another reason than what its documents say.
    pub fn new(
        result: Result<Applied, ChangeError>,
        live: Option<Revision>,
    ) -> Result<Self, CallError> {
        match result {
            Ok(applied) => {
                let Applied {
                    outcome,
                    revision,
                    warnings,
                    objects,
                } = applied;
                Ok(Self {
                    word: applied_outcome(outcome),
                    revision,
                    findings: warnings,
                    objects,
                })
            }
            Err(ChangeError::Refused(findings)) => Ok(Self {
                word: v1::ApplyOutcome::Refused,
                revision: live,
                findings,
                objects: 0,
            }),
            Err(error) => Err(fault(error)),
        }
    }
}

/// The outcome as it is told.
pub(super) fn applied_outcome(outcome: ApplyOutcome) -> v1::ApplyOutcome {
    match outcome {
        ApplyOutcome::Published => v1::ApplyOutcome::Published,
        ApplyOutcome::Unchanged => v1::ApplyOutcome::Unchanged,
        ApplyOutcome::Valid => v1::ApplyOutcome::Valid,
    }
}

fn fault(error: ChangeError) -> CallError {
    CallError::Managing(match error {
        ChangeError::ReadOnly => return CallError::ManagementReadOnly,
        ChangeError::Conflict { asked, found } => ManageFault::RevisionConflict { asked, found },
        ChangeError::KeyReused => ManageFault::KeyReused,
        ChangeError::Denied(denied) => return self::denied(denied),
        ChangeError::LockedOut(denied) => ManageFault::LockedOut {
            what: denied.to_string(),
        },
        ChangeError::HistoryTooShort { to } => ManageFault::HistoryTooShort { to },
        ChangeError::Refused(_) | ChangeError::Failed(_) | ChangeError::Unreadable(_) => {
            ManageFault::StoreFailed
        }
    })
}

/// A refusal of whoever calls: the action and the ARN, and nothing more.
pub fn denied(denied: Denied) -> CallError {
    CallError::Managing(match denied {
        Denied::Nobody(caller) => ManageFault::Nobody { caller },
        Denied::Action { action, arn } => ManageFault::NotAuthorized { action, arn },
    })
}

fn messages(findings: &[Finding]) -> Vec<v1::Finding> {
    findings.iter().map(v1::Finding::from).collect()
}

/// Each RPC that changes something has a response of its own, and all tell the same.
macro_rules! tell_outcome {
    ($($response:ident)+) => {$(
        impl From<Outcome> for v1::$response {
            fn from(told: Outcome) -> Self {
                Self {
                    outcome: told.word.into(),
                    revision: told.revision.as_ref().map(revision),
                    findings: messages(&told.findings),
                    changed: told.objects,
                }
            }
        }
    )+};
}

tell_outcome!(ApplyChangesResponse ApplyBundleResponse RollbackResponse);

/// One change as a message.
pub fn change(source: u64, record: Record, differences: Vec<Difference>) -> v1::Change {
    let Record {
        number,
        digest,
        at,
        author,
        cause,
        message,
        objects,
    } = record;
    let (cause, rolled_back_to) = match cause {
        Cause::Import => (v1::ChangeCause::Import, 0),
        Cause::Changes => (v1::ChangeCause::Changes, 0),
        Cause::Bundle => (v1::ChangeCause::Bundle, 0),
        Cause::Rollback { to } => (v1::ChangeCause::Rollback, to),
    };
    let made = Revision {
        source,
        number,
        digest,
    };
    v1::Change {
        revision: Some(revision(&made)),
        time: Some(timestamp(at)),
        caller: author.caller,
        principal: author.principal,
        peer: author.peer,
        cause: cause.into(),
        rolled_back_to,
        message,
        changed: objects,
        differences: differences.into_iter().map(difference).collect(),
    }
}

fn difference(difference: Difference) -> v1::Difference {
    let Difference { id, before, after } = difference;
    let state = |document: Document| v1::ObjectState {
        document: document.to_vec(),
    };
    v1::Difference {
        id: id.to_string(),
        before: before.map(state),
        after: after.map(state),
    }
}
