//! What is kept of each change: the audit record, and the documents before and after.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{KeptDifference, StoreError};
use crate::document::object::Document;
use crate::model::object::ObjectId;

/// Who changed something, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The caller that the peer was.
    pub caller: String,
    /// The ARN of the principal that it acted as. Empty: it acted as an administrator.
    pub principal: String,
    /// The peer, as its listener knows it.
    pub peer: String,
}

/// What made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The bundle that an empty store began with. What it held is not told again.
    Import,
    /// Single objects.
    Changes,
    /// A whole bundle.
    Bundle,
    /// A return to an earlier revision.
    Rollback {
        /// Its number.
        to: u64,
    },
}

/// One change: who, when, what and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The number of the revision that it made.
    pub number: u64,
    /// The digest of the state since then.
    pub digest: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub author: Author,
    /// What made it.
    pub cause: Cause,
    /// What its author says of it.
    pub message: String,
    /// How many objects it changed.
    pub objects: u64,
}

/// What a change did to one object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub id: ObjectId,
    /// Its document before; `None`: it was not there.
    pub before: Option<Document>,
    /// Its document after; `None`: it is not there any more.
    pub after: Option<Document>,
}

impl Difference {
    /// The way back.
    #[must_use]
    pub fn inverse(self) -> Self {
        let Self { id, before, after } = self;
        Self {
            id,
            before: after,
            after: before,
        }
    }
}

#[derive(Serialize, Deserialize)]
struct KeptRecord {
    digest: u64,
    at: String,
    author: Author,
    cause: Cause,
    message: String,
    objects: u64,
}

impl Record {
    /// The record as it is kept; its number is the key.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, StoreError> {
        let kept = KeptRecord {
            digest: self.digest,
            at: self.at.to_string(),
            author: self.author.clone(),
            cause: self.cause,
            message: self.message.clone(),
            objects: self.objects,
        };
        serde_json::to_vec(&kept).map_err(damaged)
    }

    /// The record that was kept.
    pub(super) fn from_bytes(number: u64, bytes: &[u8]) -> Result<Self, StoreError> {
        let KeptRecord {
            digest,
            at,
            author,
            cause,
            message,
            objects,
        } = serde_json::from_slice(bytes).map_err(damaged)?;
        Ok(Self {
            number,
            digest,
            at: at.parse().map_err(damaged)?,
            author,
            cause,
            message,
            objects,
        })
    }
}

impl Difference {
    /// The difference that was kept.
    pub(super) fn read((id, before, after): KeptDifference<'_>) -> Result<Self, StoreError> {
        Ok(Self {
            id: ObjectId::try_from(id).map_err(damaged)?,
            before: before.map(Document::from),
            after: after.map(Document::from),
        })
    }
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("a record of the history: {error}"))
}
