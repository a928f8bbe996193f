//! The directory on disk: one row for each resource, with its digest.
//!
//! One file, `directory.redb`, beside the authored state; one process at a time. A [`Group`] of
//! writes is there entirely and for good when [`DirectoryStore::commit`] returns, or not at all.
//!
//! A file that was damaged is told, and never loaded in part: every page is compared with its
//! checksum when the file is opened, each row with its digest, and all rows with their sum, so
//! that a row that is missing is told as well.
//!
//! After an error of the disk nothing is written until [`DirectoryStore::reopen`] has looked what
//! the file holds.
//!
//! Not here: who may write what (`management::directory`), and what readers see (`directory`).

pub mod note;
mod opening;
pub mod predefined;
mod row;
pub mod rules;
mod sum;
pub mod work;

use std::path::Path;
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use redb::{
    Database, Durability, ReadTransaction, ReadableDatabase as _, ReadableTable as _,
    ReadableTableMetadata as _, StorageBackend, Table, TableDefinition, WriteTransaction,
};

use self::opening::Opening;
pub use self::row::RowError;
use self::sum::{Sort, Sum};
use super::backup::copy_table;
use super::embedded::{StoreError, new_id};
use super::place;
use crate::model::resource::{LiveResource, Version, Write};

/// The format that is written. A newer one is refused, an older one is brought up to it.
pub const FORMAT: u64 = 1;
/// The name of the file in the directory of the store.
pub const FILE: &str = "directory.redb";

/// The resources by their ARNs: a digest, then the row.
const RESOURCES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("resources");
/// What is kept beside them, by name: a digest, then the bytes.
const NOTES: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("notes");
/// Numbers that stay, by their names: the format, the id of the store.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
/// What every change writes, in one page: the sum of the digests of all rows, the newest version.
/// What a sync takes goes by the pages that are written.
const TOTALS: TableDefinition<'_, &str, u128> = TableDefinition::new("totals");

/// The directory of one server, on disk.
#[derive(Debug)]
pub struct DirectoryStore {
    /// `None`: it was not yet possible to open it again.
    database: RwLock<Option<Database>>,
    opening: Opening,
    source: u64,
}

/// What is committed together: all of it or nothing.
#[derive(Debug, Clone, Copy)]
pub struct Group<'g> {
    /// The number of the newest change.
    pub version: Version,
    /// The resources that change; of two writes of one ARN the later stands.
    pub writes: &'g [Write],
    /// What is kept beside them: a name, and bytes or nothing.
    pub notes: &'g [(String, Option<Vec<u8>>)],
}

/// What a store holds beside its resources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The number of the newest change; 0: nothing was ever written.
    pub version: Version,
    /// How many resources there are.
    pub resources: u64,
    /// What is kept beside them, in the order of names.
    pub notes: Vec<(String, Vec<u8>)>,
}

impl DirectoryStore {
    /// Opens the store of a directory. What is not there is made, for this process' user alone.
    ///
    /// # Errors
    ///
    /// Another process has it open, a newer version wrote it, it is damaged, or the system
    /// refuses.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        Self::over(Opening::at(directory, FILE)?)
    }

    /// A store over storage of the caller's own.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn with_backend(backend: impl StorageBackend + Clone) -> Result<Self, StoreError> {
        Self::over(Opening::over(backend)?)
    }

    fn over((database, opening): (Database, Opening)) -> Result<Self, StoreError> {
        let source = prepare(&database)?;
        Ok(Self {
            database: RwLock::new(Some(database)),
            opening,
            source,
        })
    }

    /// Opens the file again after an error; returns the number of the newest change that it holds.
    /// What was committed before the error is there, and what failed entirely or not at all.
    ///
    /// # Errors
    ///
    /// A sync failed, the file is another one now, or it still cannot be read or written.
    pub fn reopen(&self) -> Result<Version, StoreError> {
        self.opening.check()?;
        let mut held = self
            .database
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // A file has one user.
        *held = None;
        let database = self.opening.again()?;
        if prepare(&database)? != self.source {
            return Err(StoreError::Damaged("it is another store".to_owned()));
        }
        let version = newest(&database.begin_read()?)?;
        *held = Some(database);
        Ok(version)
    }

    fn database<T>(
        &self,
        used: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let held = self.database.read().unwrap_or_else(PoisonError::into_inner);
        used(held.as_ref().ok_or(redb::Error::PreviousIo)?)
    }

    /// The id of the store: another one has another.
    pub fn source(&self) -> u64 {
        self.source
    }

    /// How many resources there are.
    ///
    /// # Errors
    ///
    /// The store cannot be read.
    pub fn count(&self) -> Result<u64, StoreError> {
        Ok(self.read()?.open_table(RESOURCES)?.len()?)
    }

    /// Reads everything: hands over each resource, in the order of ARNs.
    ///
    /// # Errors
    ///
    /// The store is damaged or cannot be read. What was handed over until then is not to be used.
    pub fn load(&self, mut each: impl FnMut(LiveResource)) -> Result<Loaded, StoreError> {
        let read = self.read()?;
        let mut found = Sum::default();
        let resources = read.open_table(RESOURCES)?;
        let mut names = row::Names::default();
        let mut count = 0;
        for entry in resources.iter()? {
            let (arn, sealed) = entry?;
            let (arn, sealed) = (arn.value(), sealed.value());
            let (digest, bytes) = sum::open(Sort::Resource, arn, sealed)?;
            found.add(digest);
            let resource = row::decode(arn, bytes, &mut names);
            each(resource.map_err(|error| StoreError::Damaged(format!("`{arn}`: {error}")))?);
            count += 1;
        }
        let mut notes = Vec::new();
        for entry in read.open_table(NOTES)?.iter()? {
            let (name, sealed) = entry?;
            let (digest, bytes) = sum::open(Sort::Note, name.value(), sealed.value())?;
            found.add(digest);
            notes.push((name.value().to_owned(), bytes.to_vec()));
        }
        let kept = read.open_table(TOTALS)?.get("rows")?;
        let kept = kept.map(|kept| kept.value());
        if kept != Some(found.value()) {
            let what = "its rows are not those that were written";
            return Err(StoreError::Damaged(what.to_owned()));
        }
        Ok(Loaded {
            version: newest(&read)?,
            resources: count,
            notes,
        })
    }

    /// Writes a group; returns how long the disk took when it is there for good.
    ///
    /// # Errors
    ///
    /// When the store cannot be written. Then it is not known whether the group is there, until
    /// the store is opened again.
    pub fn commit(&self, group: &Group<'_>) -> Result<Duration, StoreError> {
        let staged = self.stage()?;
        {
            let mut rows = Rows::open(&staged)?;
            for write in group.writes {
                rows.write(write.arn.as_str(), write.next.as_ref())?;
            }
            for (name, bytes) in group.notes {
                rows.note(name, bytes.as_deref())?;
            }
            rows.close(&staged, group.version)?;
        }
        Self::finish(staged)
    }

    /// Writes all resources anew, in place of those that are there, with what is kept beside them;
    /// returns how long the disk took.
    ///
    /// # Errors
    ///
    /// As [`Self::commit`].
    pub fn replace<'r>(
        &self,
        version: Version,
        resources: impl IntoIterator<Item = &'r LiveResource>,
        notes: &[(String, Option<Vec<u8>>)],
    ) -> Result<Duration, StoreError> {
        let staged = self.stage()?;
        {
            let mut rows = Rows::open(&staged)?;
            rows.clear()?;
            for resource in resources {
                rows.write(resource.arn.as_str(), Some(resource))?;
            }
            for (name, bytes) in notes {
                rows.note(name, bytes.as_deref())?;
            }
            rows.close(&staged, version)?;
        }
        Self::finish(staged)
    }

    /// Holds back every change until what is returned is dropped.
    pub(super) fn hold(&self) -> Result<WriteTransaction, StoreError> {
        self.database(|database| Ok(database.begin_write()?))
    }

    pub(super) fn read(&self) -> Result<ReadTransaction, StoreError> {
        self.database(|database| Ok(database.begin_read()?))
    }

    fn stage(&self) -> Result<WriteTransaction, StoreError> {
        let mut staged = self.hold()?;
        // A write is acknowledged when it survives whatever happens to process and machine.
        staged
            .set_durability(Durability::Immediate)
            .map_err(|error| StoreError::Damaged(error.to_string()))?;
        Ok(staged)
    }

    fn finish(staged: WriteTransaction) -> Result<Duration, StoreError> {
        let start = Instant::now();
        staged.commit()?;
        Ok(start.elapsed())
    }
}

/// The tables of one transaction, with the sum of what they hold.
struct Rows<'t> {
    resources: Table<'t, &'static str, &'static [u8]>,
    notes: Table<'t, &'static str, &'static [u8]>,
    sum: Sum,
    bytes: Vec<u8>,
}

impl<'t> Rows<'t> {
    fn open(staged: &'t WriteTransaction) -> Result<Self, StoreError> {
        let kept = staged
            .open_table(TOTALS)?
            .get("rows")?
            .map(|kept| kept.value());
        let kept = kept.ok_or_else(|| StoreError::Damaged("it has no sum".to_owned()))?;
        Ok(Self {
            resources: staged.open_table(RESOURCES)?,
            notes: staged.open_table(NOTES)?,
            sum: Sum::from(kept),
            bytes: Vec::new(),
        })
    }

    fn write(&mut self, arn: &str, next: Option<&LiveResource>) -> Result<(), StoreError> {
        let Self {
            resources,
            sum,
            bytes,
            ..
        } = self;
        let before = match next {
            None => resources.remove(arn)?,
            Some(resource) => {
                sum::seal(Sort::Resource, arn, bytes, |bytes| {
                    row::encode(resource, bytes);
                });
                sum.add(sum::digest(bytes)?);
                resources.insert(arn, &**bytes)?
            }
        };
        if let Some(before) = before {
            sum.subtract(sum::digest(before.value())?);
        }
        Ok(())
    }

    fn note(&mut self, name: &str, next: Option<&[u8]>) -> Result<(), StoreError> {
        let Self {
            notes, sum, bytes, ..
        } = self;
        let before = match next {
            None => notes.remove(name)?,
            Some(note) => {
                sum::seal(Sort::Note, name, bytes, |bytes| {
                    bytes.extend_from_slice(note);
                });
                sum.add(sum::digest(bytes)?);
                notes.insert(name, &**bytes)?
            }
        };
        if let Some(before) = before {
            sum.subtract(sum::digest(before.value())?);
        }
        Ok(())
    }

    /// Takes all resources away.
    fn clear(&mut self) -> Result<(), StoreError> {
        for entry in self.resources.iter()? {
            let (_, sealed) = entry?;
            self.sum.subtract(sum::digest(sealed.value())?);
        }
        self.resources.retain(|_, _| false)?;
        Ok(())
    }

    fn close(self, staged: &WriteTransaction, version: Version) -> Result<(), StoreError> {
        let mut totals = staged.open_table(TOTALS)?;
        totals.insert("rows", self.sum.value())?;
        totals.insert("version", u128::from(version.0))?;
        Ok(())
    }
}

/// Writes a state into a new file of a folder.
pub(super) fn copy(from: &ReadTransaction, folder: &Path) -> Result<(), StoreError> {
    let made = place::open(folder, FILE)?;
    let staged = made.begin_write()?;
    copy_table(from, &staged, RESOURCES)?;
    copy_table(from, &staged, NOTES)?;
    copy_table(from, &staged, NUMBERS)?;
    copy_table(from, &staged, TOTALS)?;
    staged.commit()?;
    Ok(())
}

/// The number of the newest change.
fn newest(read: &ReadTransaction) -> Result<Version, StoreError> {
    let version = read.open_table(TOTALS)?.get("version")?;
    let version = version.map_or(0, |version| version.value());
    let damaged = |_| StoreError::Damaged("it has no such version".to_owned());
    u64::try_from(version).map(Version).map_err(damaged)
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
        staged.open_table(RESOURCES)?;
        staged.open_table(NOTES)?;
        staged.open_table(TOTALS)?.insert("rows", 0)?;
        source
    };
    staged.commit()?;
    Ok(source)
}

#[cfg(test)]
pub(crate) mod tests;
