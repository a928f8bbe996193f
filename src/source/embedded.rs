//! The embedded store: objects, the history of their changes, and what was answered to whom.
//!
//! One file, `policy.redb`, in a directory that is for the server's user alone; one process at a
//! time. A change is staged in a write transaction ([`Staging`]) that nobody else sees, and is
//! there entirely and for good when [`Staging::commit`] returns, or not at all. Readers
//! ([`View`]) see one state from start to end, and never wait.
//!
//! A file that was damaged is told, and never loaded in part: every page is compared with its
//! checksum when the file is opened, and the objects with the digest of the state.
//!
//! Not here: what the documents say, who may change them, and what is compiled (`management`).

mod answers;
mod digest;
mod lookup;
mod record;
mod staging;
mod view;

use std::io;
use std::path::{Path, PathBuf};

use redb::backends::InMemoryBackend;
use redb::{Database, ReadTransaction, ReadableDatabase as _, TableDefinition, WriteTransaction};

pub use self::answers::{Answer, AnswerKey};
pub use self::digest::StateDigest;
pub use self::record::{Author, Cause, Difference, Record};
pub use self::staging::{Committed, Entry, Staging};
pub use self::view::{Documents, List, Listed, View};
use crate::snapshot::Revision;
use crate::source::backup::copy_table;
use crate::source::{place, random};

/// The format that is written. A newer one is refused, an older one is brought up to it.
pub const FORMAT: u64 = 1;
/// The name of the file in the directory of the store.
pub const FILE: &str = "policy.redb";

/// The objects' documents by the texts of their ids.
const OBJECTS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("objects");
/// What objects name: the text of a mention, a line feed, the text of the object's id.
const MENTIONS: TableDefinition<'_, &str, ()> = TableDefinition::new("mentions");
/// What is known of each change, by its revision's number.
const HISTORY: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("history");
/// What each change did, by its revision's number and the place among its differences.
const DIFFERENCES: TableDefinition<'_, (u64, u64), KeptDifference<'_>> =
    TableDefinition::new("differences");
/// The text of an id, the document before and the document after.
type KeptDifference<'a> = (&'a str, Option<&'a [u8]>, Option<&'a [u8]>);
/// What was answered, by who asked and the key of the call.
const ANSWERS: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("answers");
/// Numbers by their names: the format, the id of the store, the newest revision.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
/// The digest of the objects, under one key.
const DIGEST: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("digest");

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory or the file cannot be made or opened.
    #[error("{}: {cause}", path.display())]
    Place {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// Another process has it open.
    #[error("{}: another process uses this store", .0.display())]
    InUse(PathBuf),
    /// A newer version wrote it.
    #[error("the store has format {found}; this version reads formats up to {known}")]
    NewerFormat {
        /// Its format.
        found: u64,
        /// The newest that is known.
        known: u64,
    },
    /// What the file holds is not what was written to it.
    #[error("the store is damaged: {0}")]
    Damaged(String),
    /// The disk did not sync. What it holds is known when another process opens the store.
    #[error("the disk did not sync; nobody can tell what it holds until the server starts again")]
    Unsynced,
    /// It cannot be read or written.
    #[error("the store cannot be read or written: {0}")]
    Failed(#[source] redb::Error),
}

impl<E: Into<redb::Error>> From<E> for StoreError {
    fn from(error: E) -> Self {
        let error = error.into();
        if let redb::Error::Corrupted(what) = error {
            Self::Damaged(what)
        } else {
            Self::Failed(error)
        }
    }
}

/// How much history is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// The most changes.
    pub changes: u64,
    /// The oldest change, in days.
    pub days: u32,
}

impl Default for Keep {
    fn default() -> Self {
        Self {
            changes: 10_000,
            days: 90,
        }
    }
}

/// The store of one server.
#[derive(Debug)]
pub struct Store {
    database: Database,
    source: u64,
    keep: Keep,
}

impl Store {
    /// Opens the store of a directory. What is not there is made, for this process' user alone.
    ///
    /// # Errors
    ///
    /// Another process has it open, a newer version wrote it, it is damaged, or the system
    /// refuses.
    pub fn open(directory: &Path, keep: Keep) -> Result<Self, StoreError> {
        let database = place::open(directory, FILE)?;
        Self::over(database, keep)
    }

    /// A store without a file: it ends with the process.
    ///
    /// # Errors
    ///
    /// When there is not enough memory.
    pub fn in_memory(keep: Keep) -> Result<Self, StoreError> {
        let mut builder = Database::builder();
        builder.set_cache_size(place::CACHE_BYTES);
        Self::over(builder.create_with_backend(InMemoryBackend::new())?, keep)
    }

    fn over(database: Database, keep: Keep) -> Result<Self, StoreError> {
        let source = prepare(&database)?;
        let store = Self {
            database,
            source,
            keep,
        };
        store.view()?.verify()?;
        Ok(store)
    }

    /// The state as it is now, for reading.
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub fn view(&self) -> Result<View, StoreError> {
        Ok(View::new(self.database.begin_read()?, self.source))
    }

    /// Begins a change. There is one at a time; a second caller waits.
    ///
    /// # Errors
    ///
    /// When the store cannot be written.
    pub fn stage(&self) -> Result<Staging, StoreError> {
        Staging::new(self.database.begin_write()?, self.source, self.keep)
    }

    /// Gives the store another id, so that no revision from now on is taken for one of before.
    pub(super) fn renew(&self) -> Result<(), StoreError> {
        let staged = self.database.begin_write()?;
        staged.open_table(NUMBERS)?.insert("source", new_id()?)?;
        staged.commit()?;
        Ok(())
    }

    /// Holds back every change until what is returned is dropped.
    pub(super) fn hold(&self) -> Result<WriteTransaction, StoreError> {
        Ok(self.database.begin_write()?)
    }

    pub(super) fn read(&self) -> Result<ReadTransaction, StoreError> {
        Ok(self.database.begin_read()?)
    }

    /// The id of the store: that of its revisions.
    pub fn source(&self) -> u64 {
        self.source
    }
}

/// Writes a state into a new file of a folder.
pub(super) fn copy(from: &ReadTransaction, folder: &Path) -> Result<(), StoreError> {
    let made = place::open(folder, FILE)?;
    let staged = made.begin_write()?;
    copy_table(from, &staged, OBJECTS)?;
    copy_table(from, &staged, MENTIONS)?;
    copy_table(from, &staged, HISTORY)?;
    copy_table(from, &staged, DIFFERENCES)?;
    copy_table(from, &staged, ANSWERS)?;
    copy_table(from, &staged, NUMBERS)?;
    copy_table(from, &staged, DIGEST)?;
    staged.commit()?;
    Ok(())
}

/// Makes the tables of a new store, looks at the format of another; returns the store's id.
fn prepare(database: &Database) -> Result<u64, StoreError> {
    let staged = database.begin_write()?;
    let source = {
        let mut numbers = staged.open_table(NUMBERS)?;
        if let Some(source) = place::id(&numbers, FORMAT)? {
            return Ok(source);
        }
        let source = new_id()?;
        numbers.insert("format", FORMAT)?;
        numbers.insert("source", source)?;
        numbers.insert("revision", 0)?;
        staged.open_table(OBJECTS)?;
        staged.open_table(MENTIONS)?;
        staged.open_table(HISTORY)?;
        staged.open_table(DIFFERENCES)?;
        staged.open_table(ANSWERS)?;
        let mut digest = staged.open_table(DIGEST)?;
        digest.insert("objects", StateDigest::default().to_bytes().as_slice())?;
        source
    };
    staged.commit()?;
    Ok(source)
}

/// An id that no other store has.
pub(super) fn new_id() -> Result<u64, StoreError> {
    let random = random().map_err(|cause| StoreError::Place {
        path: PathBuf::from("the system's random numbers"),
        cause,
    });
    Ok(u64::from_le_bytes(random?))
}

/// The revision of a state.
fn revision(source: u64, number: u64, digest: StateDigest) -> Revision {
    Revision {
        source,
        number,
        digest: digest.short(),
    }
}

#[cfg(test)]
mod tests;
