//! A change on its way: seen by nobody until it is committed, gone without a trace if it is not.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use redb::{Durability, ReadableTable as _, WriteTransaction};

use super::answers::{self, Answer, AnswerKey};
use super::record::{Author, Cause, Difference, Record};
use super::{
    DIFFERENCES, DIGEST, HISTORY, Keep, MENTIONS, NUMBERS, OBJECTS, StateDigest, StoreError,
};
use crate::document::object::{Document, mentions};
use crate::model::object::ObjectId;
use crate::snapshot::Revision;

/// The most records that one change forgets, so that its cost has a bound.
const FORGOTTEN_AT_ONCE: usize = 16;

/// A change that is staged. Dropped, it changes nothing.
pub struct Staging {
    pub(super) staged: WriteTransaction,
    source: u64,
    keep: Keep,
    number: u64,
    digest: StateDigest,
    /// The documents before the change, of the objects that it touches.
    before: BTreeMap<ObjectId, Option<Document>>,
}

/// What is said of a change beside what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub author: Author,
    /// What makes it.
    pub cause: Cause,
    /// What its author says of it.
    pub message: String,
    /// The call, if its answer is to be kept.
    pub key: Option<AnswerKey>,
}

/// A change that is there for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The revision that it made.
    pub revision: Revision,
    /// How long the disk took.
    pub sync: Duration,
}

impl Staging {
    pub(super) fn new(
        mut staged: WriteTransaction,
        source: u64,
        keep: Keep,
    ) -> Result<Self, StoreError> {
        // A change is acknowledged when it survives whatever happens to process and machine.
        staged
            .set_durability(Durability::Immediate)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        let (number, digest) = {
            let numbers = staged.open_table(NUMBERS)?;
            let number = numbers.get("revision")?.map(|number| number.value());
            let digests = staged.open_table(DIGEST)?;
            let digest = digests.get("objects")?;
            let digest = digest.and_then(|bytes| StateDigest::from_bytes(bytes.value()));
            number.zip(digest)
        }
        .ok_or_else(|| StoreError::Damaged("it has no revision".to_owned()))?;
        Ok(Self {
            staged,
            source,
            keep,
            number,
            digest,
            before: BTreeMap::new(),
        })
    }

    /// The revision before the change.
    pub fn base(&self) -> Revision {
        super::revision(self.source, self.number, self.digest)
    }

    /// The answer that was given to a call before.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn answered(&self, key: &AnswerKey, now: Timestamp) -> Result<Option<Answer>, StoreError> {
        answers::find(&self.staged, key, now)
    }

    /// The document of an object, with the change as far as it is staged.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn get(&self, id: &ObjectId) -> Result<Option<Document>, StoreError> {
        let objects = self.staged.open_table(OBJECTS)?;
        let found = objects.get(&*id.to_string())?;
        Ok(found.map(|document| document.value().into()))
    }

    /// Gives an object its document, or takes it away.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn set(&mut self, id: &ObjectId, document: Option<&[u8]>) -> Result<(), StoreError> {
        let text = id.to_string();
        let mut objects = self.staged.open_table(OBJECTS)?;
        let before: Option<Document> = match document {
            Some(document) => objects.insert(&*text, document)?,
            None => objects.remove(&*text)?,
        }
        .map(|before| before.value().into());
        drop(objects);
        let mut named = self.staged.open_table(MENTIONS)?;
        if let Some(before) = &before {
            self.digest.subtract(&text, before);
            for mention in mentions(id, before) {
                named.remove(&*format!("{mention}\n{text}"))?;
            }
        }
        if let Some(document) = document {
            self.digest.add(&text, document);
            for mention in mentions(id, document) {
                named.insert(&*format!("{mention}\n{text}"), ())?;
            }
        }
        self.before.entry(id.clone()).or_insert(before);
        Ok(())
    }

    /// What the change comes to: each object once, without those that it leaves as they were.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn differences(&self) -> Result<Vec<Difference>, StoreError> {
        let objects = self.staged.open_table(OBJECTS)?;
        let mut found = Vec::new();
        for (id, before) in &self.before {
            let after = objects.get(&*id.to_string())?;
            let after: Option<Document> = after.map(|after| after.value().into());
            if *before != after {
                let (id, before) = (id.clone(), before.clone());
                found.push(Difference { id, before, after });
            }
        }
        Ok(found)
    }

    /// The revision that a commit would make.
    pub fn next(&self) -> Revision {
        super::revision(self.source, self.number + 1, self.digest)
    }

    /// Makes the change, with its record, and returns when it is on the disk.
    ///
    /// # Errors
    ///
    /// When the store cannot be written. Then nothing is changed.
    pub fn commit(self, entry: Entry, differences: &[Difference]) -> Result<Committed, StoreError> {
        let revision = self.next();
        let Entry {
            at,
            author,
            cause,
            message,
            key,
        } = entry;
        let record = Record {
            number: revision.number,
            digest: revision.digest,
            at,
            author,
            cause,
            message,
            objects: count(differences),
        };
        self.write_record(&record, differences)?;
        self.forget(at)?;
        if let Some(key) = key {
            let answer = Answer {
                asked: key.asked,
                number: revision.number,
                digest: revision.digest,
                objects: record.objects,
            };
            answers::keep(&self.staged, &key, answer, at)?;
        }
        {
            let digest = self.digest.to_bytes();
            let mut digests = self.staged.open_table(DIGEST)?;
            digests.insert("objects", digest.as_slice())?;
            let mut numbers = self.staged.open_table(NUMBERS)?;
            numbers.insert("revision", revision.number)?;
        }
        let start = Instant::now();
        self.staged.commit()?;
        let sync = start.elapsed();
        Ok(Committed { revision, sync })
    }

    /// Keeps the answer to a call that changed nothing. What is staged must change nothing.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn commit_answer(self, key: &AnswerKey, now: Timestamp) -> Result<(), StoreError> {
        let base = self.base();
        let answer = Answer {
            asked: key.asked,
            number: base.number,
            digest: base.digest,
            objects: 0,
        };
        answers::keep(&self.staged, key, answer, now)?;
        self.staged.commit()?;
        Ok(())
    }

    fn write_record(&self, record: &Record, changed: &[Difference]) -> Result<(), StoreError> {
        let mut history = self.staged.open_table(HISTORY)?;
        history.insert(record.number, &*record.to_bytes()?)?;
        if record.cause == Cause::Import {
            return Ok(());
        }
        let mut differences = self.staged.open_table(DIFFERENCES)?;
        for (place, difference) in (0..).zip(changed) {
            let Difference { id, before, after } = difference;
            let (id, before, after) = (id.to_string(), before.as_deref(), after.as_deref());
            differences.insert((record.number, place), (&*id, before, after))?;
        }
        Ok(())
    }

    /// Forgets the oldest records: beyond the number that is kept, and those that are too old.
    fn forget(&self, now: Timestamp) -> Result<(), StoreError> {
        let newest = self.number + 1;
        let least = newest.saturating_sub(self.keep.changes.max(1)) + 1;
        let days = i64::from(self.keep.days) * 24;
        let oldest = now.checked_sub(SignedDuration::from_hours(days));
        let oldest = oldest.unwrap_or(Timestamp::MIN);
        let mut history = self.staged.open_table(HISTORY)?;
        let mut forgotten = Vec::new();
        for entry in history.range(..newest)?.take(FORGOTTEN_AT_ONCE) {
            let (number, record) = entry?;
            let number = number.value();
            if number >= least && Record::from_bytes(number, record.value())?.at >= oldest {
                break;
            }
            forgotten.push(number);
        }
        let mut differences = self.staged.open_table(DIFFERENCES)?;
        for number in forgotten {
            history.remove(number)?;
            differences.retain_in((number, 0)..(number + 1, 0), |_, _| false)?;
        }
        Ok(())
    }
}

impl std::fmt::Debug for Staging {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Staging");
        shown.field("base", &self.base()).finish_non_exhaustive()
    }
}

fn count(differences: &[Difference]) -> u64 {
    u64::try_from(differences.len()).unwrap_or(u64::MAX)
}
