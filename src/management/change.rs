//! A change of the authored state: what is asked, what comes of it, and why it is refused.

use sha2::{Digest as _, Sha256};

use super::ApplyMode;
use super::load::LoadError;
use super::permission::Denied;
use crate::compiler;
use crate::document::bundle::{BundleDigest, BundleFiles};
use crate::document::counted::counted;
use crate::document::finding::Finding;
use crate::document::object::{Document, Unreadable};
use crate::model::caller::Origin;
use crate::model::object::ObjectId;
use crate::snapshot::Revision;
use crate::source::embedded::{Cause, StoreError};

/// A change that somebody asks for.
#[derive(Debug)]
pub struct Change {
    /// What.
    pub what: What,
    /// Whether it is made.
    pub mode: ApplyMode,
    /// Who asks, as the listener knows the peer.
    pub origin: Origin,
    /// The same, as it is kept with the change.
    pub peer: String,
    /// The source and number of the revision that must be in force.
    pub expected: Option<(u64, u64)>,
    /// The key of the call, so that it is made once.
    pub key: Option<String>,
    /// Why, in the words of who asks.
    pub message: String,
    /// Whether it is made although its author could not undo it.
    pub lock_out: LockOut,
}

/// What a change does.
#[derive(Debug)]
pub enum What {
    /// Single puts and deletes; each object stands in one.
    Operations(Vec<Operation>),
    /// What is in a bundle is there, and nothing else.
    Bundle(BundleFiles),
    /// The state of an earlier revision.
    Rollback(u64),
}

/// A put or a delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// Of which object.
    pub id: ObjectId,
    /// Its document from now on; `None`: it is deleted.
    pub document: Option<Document>,
}

/// Whether a change may lock out its own author.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LockOut {
    /// It may not.
    Refused,
    /// It may: its author wants it.
    Forced,
}

/// Why a change is not made.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The server reads its bundle from a directory.
    #[error("the server reads its bundle from a directory")]
    ReadOnly,
    /// Another revision is in force than the one that is expected.
    #[error("revision {asked} is expected and {found} is in force")]
    Conflict {
        /// The number that is expected.
        asked: u64,
        /// The number that is in force.
        found: u64,
    },
    /// The key came with another request before.
    #[error("the idempotency key came with another request before")]
    KeyReused,
    /// Whoever asks may not do it.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// Whoever asks could not undo it.
    #[error("after the change its author could not undo it: {0}")]
    LockedOut(#[source] Denied),
    /// The history does not reach to the revision that is asked for.
    #[error("the history does not reach to revision {to}")]
    HistoryTooShort {
        /// Its number.
        to: u64,
    },
    /// What the documents say is refused.
    #[error("{} in documents", counted(.0.len(), "error"))]
    Refused(Vec<Finding>),
    /// The store cannot be read or written.
    #[error(transparent)]
    Failed(#[from] StoreError),
    /// The state cannot be read.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

impl From<compiler::change::ChangeError> for ChangeError {
    fn from(error: compiler::change::ChangeError) -> Self {
        let refused = |error: LoadError| Self::Refused(error.findings());
        match error {
            compiler::change::ChangeError::Refused(errors) => refused(errors.into()),
            compiler::change::ChangeError::Compile(errors) => refused(errors.into()),
            compiler::change::ChangeError::Unreadable(error) => Self::Unreadable(error),
        }
    }
}

impl ChangeError {
    /// What is wrong with the documents, if that is why.
    ///
    /// # Errors
    ///
    /// Another reason.
    pub fn into_findings(self) -> Result<Vec<Finding>, Self> {
        match self {
            Self::Refused(findings) => Ok(findings),
            Self::ReadOnly
            | Self::Conflict { .. }
            | Self::KeyReused
            | Self::Denied(_)
            | Self::LockedOut(_)
            | Self::HistoryTooShort { .. }
            | Self::Failed(_)
            | Self::Unreadable(_) => Err(self),
        }
    }
}

impl What {
    /// What is kept of it as the cause of a change.
    pub(super) fn cause(&self) -> Cause {
        match self {
            Self::Operations(_) => Cause::Changes,
            Self::Bundle(_) => Cause::Bundle,
            Self::Rollback(to) => Cause::Rollback { to: *to },
        }
    }

    /// A digest of what is asked, for which a key is used once.
    pub(super) fn digest(&self) -> u64 {
        let mut digest = Sha256::new();
        match self {
            Self::Bundle(files) => {
                digest.update("bundle");
                digest.update(BundleDigest::of(files).short().to_le_bytes());
            }
            Self::Rollback(to) => {
                digest.update("rollback");
                digest.update(to.to_le_bytes());
            }
            Self::Operations(operations) => {
                for Operation { id, document } in operations {
                    let id = id.to_string();
                    digest.update(id.len().to_le_bytes());
                    digest.update(id);
                    // A document is never so long.
                    let length = document.as_ref().map_or(usize::MAX, |text| text.len());
                    digest.update(length.to_le_bytes());
                    digest.update(document.as_deref().unwrap_or_default());
                }
            }
        }
        let whole: [u8; 32] = digest.finalize().into();
        whole.first_chunk().copied().map_or(0, u64::from_le_bytes)
    }
}

/// What a change would lead to: the revision, before it is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Base {
    pub(super) revision: Revision,
}

impl Base {
    /// Whether it is the revision that is expected.
    pub(super) fn check(self, expected: Option<(u64, u64)>) -> Result<(), ChangeError> {
        let Revision { source, number, .. } = self.revision;
        match expected {
            Some((asked_source, asked)) if (asked_source, asked) != (source, number) => {
                Err(ChangeError::Conflict {
                    asked,
                    found: number,
                })
            }
            Some(_) | None => Ok(()),
        }
    }
}
