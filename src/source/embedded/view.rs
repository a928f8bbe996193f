//! One state of the store, read from start to end: no change that comes later is seen.

use redb::{ReadTransaction, ReadableTable as _};

use super::record::{Difference, Record};
use super::{DIFFERENCES, DIGEST, HISTORY, NUMBERS, OBJECTS, StateDigest, StoreError};
use crate::document::object::Document;
use crate::model::object::ObjectId;
use crate::snapshot::Revision;

/// One state of the store.
#[derive(Debug)]
pub struct View {
    pub(super) read: ReadTransaction,
    source: u64,
}

/// Whether a list tells the documents, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Documents {
    /// It does, up to this many bytes.
    Told {
        /// The most bytes; the first object is told whatever its size.
        most: usize,
    },
    /// It does not.
    Left,
}

/// Some of the objects, in the order of the texts of their ids.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct List {
    /// The objects.
    pub objects: Vec<Listed>,
    /// Whether it ends for the size of the documents.
    pub is_cut: bool,
}

/// One object of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its id.
    pub id: ObjectId,
    /// Its document, where it is told.
    pub document: Option<Document>,
}

impl List {
    /// Adds an object, if there is place for its document.
    pub fn add(&mut self, id: ObjectId, document: &[u8], left: &mut Documents) -> bool {
        let document = match left {
            Documents::Left => None,
            Documents::Told { most } => {
                let rest = most.checked_sub(document.len());
                if rest.is_none() && !self.objects.is_empty() {
                    self.is_cut = true;
                    return false;
                }
                *most = rest.unwrap_or_default();
                Some(document.into())
            }
        };
        self.objects.push(Listed { id, document });
        true
    }
}

impl View {
    pub(super) fn new(read: ReadTransaction, source: u64) -> Self {
        Self { read, source }
    }

    /// Which state it is. The number is 0 before the first change.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn revision(&self) -> Result<Revision, StoreError> {
        let number = self.read.open_table(NUMBERS)?.get("revision")?;
        let number = number.map_or(0, |number| number.value());
        Ok(super::revision(self.source, number, self.digest()?))
    }

    fn digest(&self) -> Result<StateDigest, StoreError> {
        let digest = self.read.open_table(DIGEST)?.get("objects")?;
        let digest = digest.and_then(|bytes| StateDigest::from_bytes(bytes.value()));
        digest.ok_or_else(|| StoreError::Damaged("it has no digest".to_owned()))
    }

    /// The document of an object.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn get(&self, id: &ObjectId) -> Result<Option<Document>, StoreError> {
        let objects = self.read.open_table(OBJECTS)?;
        let found = objects.get(&*id.to_string())?;
        Ok(found.map(|document| document.value().into()))
    }

    /// Objects whose ids begin with `prefix`, after the one with the text `after`; at most `most`.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn list(
        &self,
        prefix: &str,
        after: &str,
        most: usize,
        documents: Documents,
    ) -> Result<List, StoreError> {
        let objects = self.read.open_table(OBJECTS)?;
        let mut list = List::default();
        let mut left = documents;
        for entry in objects.range(prefix.max(after)..)? {
            let (text, document) = entry?;
            let text = text.value();
            if list.objects.len() >= most || !text.starts_with(prefix) {
                break;
            }
            if text != after && !list.add(id(text)?, document.value(), &mut left) {
                break;
            }
        }
        Ok(list)
    }

    /// The records of the changes before a number, the newest first; at most `most`.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn records(&self, before: u64, most: usize) -> Result<Vec<Record>, StoreError> {
        let history = self.read.open_table(HISTORY)?;
        let entries = history.range(..before)?.rev().take(most);
        entries
            .map(|entry| {
                let (number, record) = entry?;
                Record::from_bytes(number.value(), record.value())
            })
            .collect()
    }

    /// The record of one change, if it is still there.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn record(&self, number: u64) -> Result<Option<Record>, StoreError> {
        let history = self.read.open_table(HISTORY)?;
        let found = history.get(number)?;
        found
            .map(|record| Record::from_bytes(number, record.value()))
            .transpose()
    }

    /// What one change did.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn differences(&self, number: u64) -> Result<Vec<Difference>, StoreError> {
        let differences = self.read.open_table(DIFFERENCES)?;
        let entries = differences.range((number, 0)..(number.saturating_add(1), 0))?;
        entries
            .map(|entry| Difference::read(entry?.1.value()))
            .collect()
    }

    /// Compares the objects with the digest of the state.
    pub(super) fn verify(&self) -> Result<(), StoreError> {
        let mut found = StateDigest::default();
        for entry in self.read.open_table(OBJECTS)?.iter()? {
            let (text, document) = entry?;
            id(text.value())?;
            found.add(text.value(), document.value());
        }
        if found == self.digest()? {
            Ok(())
        } else {
            let what = "its objects are not those of its revision";
            Err(StoreError::Damaged(what.to_owned()))
        }
    }
}

/// The id that a text of the store is.
pub(super) fn id(text: &str) -> Result<ObjectId, StoreError> {
    ObjectId::try_from(text).map_err(|error| StoreError::Damaged(error.to_string()))
}
