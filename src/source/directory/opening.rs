//! How the file is opened, and opened again after the disk failed.
//!
//! A write that failed leaves the file as a cut of the power would, and it is opened again as after
//! one. After a sync that failed nobody can tell what the disk holds: the system may have given up
//! what was to be written, and shows it all the same. Such a file is not used again by this process.

use std::fmt;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{BackendError, Database, StorageBackend};

use crate::source::embedded::StoreError;
use crate::source::place;

type Again = dyn Fn(&Syncs) -> Result<Database, StoreError> + Send + Sync;

/// The way to one file.
pub(super) struct Opening {
    again: Box<Again>,
    syncs: Syncs,
}

impl fmt::Debug for Opening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Opening");
        shown.field("syncs", &self.syncs).finish_non_exhaustive()
    }
}

impl Opening {
    /// Opens a file of a directory; makes what is not there, but not again.
    pub(super) fn at(directory: &Path, name: &'static str) -> Result<(Database, Self), StoreError> {
        let syncs = Syncs::default();
        let database = place::open_with(directory, name, |file| syncs.watch(file))?;
        let path = directory.join(name);
        let again = move |syncs: &Syncs| place::open_existing(&path, |file| syncs.watch(file));
        let again = Box::new(again);
        Ok((database, Self { again, syncs }))
    }

    /// Opens storage of the caller's own.
    pub(super) fn over<B: StorageBackend + Clone>(
        backend: B,
    ) -> Result<(Database, Self), StoreError> {
        let again = move |syncs: &Syncs| {
            let mut builder = Database::builder();
            builder.set_cache_size(place::CACHE_BYTES);
            builder.set_check_integrity_on_open(true);
            Ok(builder.create_with_backend(syncs.watch(backend.clone()))?)
        };
        let syncs = Syncs::default();
        let database = again(&syncs)?;
        let again = Box::new(again);
        Ok((database, Self { again, syncs }))
    }

    /// Opens it again. Nobody has it open any more.
    ///
    /// # Errors
    ///
    /// A sync failed before, or it cannot be opened.
    pub(super) fn again(&self) -> Result<Database, StoreError> {
        self.check()?;
        (self.again)(&self.syncs)
    }

    /// Whether every sync was done.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        if self.syncs.0.load(Ordering::Acquire) {
            Err(StoreError::Unsynced)
        } else {
            Ok(())
        }
    }
}

/// Whether a sync failed.
#[derive(Debug, Clone, Default)]
pub(super) struct Syncs(Arc<AtomicBool>);

impl Syncs {
    fn watch<B>(&self, inner: B) -> Watched<B> {
        let syncs = self.clone();
        Watched { inner, syncs }
    }
}

/// Storage whose syncs are watched.
#[derive(Debug)]
struct Watched<B> {
    inner: B,
    syncs: Syncs,
}

type Locked<T> = Result<T, BackendError>;

impl<B: StorageBackend> StorageBackend for Watched<B> {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.inner.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        let done = self.inner.sync_data();
        if done.is_err() {
            self.syncs.0.store(true, Ordering::Release);
        }
        done
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<()> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Locked<bool> {
        self.inner.query_lock_range(start, end)
    }
}
