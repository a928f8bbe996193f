//! The directory and the files of the stores, for one user and one process.

use std::cmp::Ordering;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};

use redb::backends::FileBackend;
use redb::{Builder, Database, DatabaseError, ReadableTable as _, StorageBackend, Table};

use super::embedded::StoreError;

/// The most bytes of one file that are kept in memory.
pub(super) const CACHE_BYTES: usize = 64 * 1_024 * 1_024;

/// Opens a file of a directory; makes what is not there.
///
/// A new file gets its name only when it is a whole store, so that an empty one is never taken
/// for a store that holds nothing.
pub(super) fn open(directory: &Path, name: &str) -> Result<Database, StoreError> {
    open_with(directory, name, |file| file)
}

/// The same, with what the file is to be seen through.
pub(super) fn open_with<B: StorageBackend>(
    directory: &Path,
    name: &str,
    through: impl FnOnce(FileBackend) -> B,
) -> Result<Database, StoreError> {
    make_directory(directory).map_err(|cause| at(directory, cause))?;
    let path = directory.join(name);
    if path.try_exists().map_err(|cause| at(&path, cause))? {
        return open_existing(&path, through);
    }
    let new = directory.join(format!("{name}.new"));
    let file = open_file(&new, Missing::Made).map_err(|cause| at(&new, cause))?;
    let made = database(&mut Database::builder(), file, &new, through)?;
    fs::rename(&new, &path).map_err(|cause| at(&path, cause))?;
    let parent = File::open(directory).and_then(|directory| directory.sync_all());
    parent.map_err(|cause| at(directory, cause))?;
    Ok(made)
}

/// Opens a file that is there.
pub(super) fn open_existing<B: StorageBackend>(
    path: &Path,
    through: impl FnOnce(FileBackend) -> B,
) -> Result<Database, StoreError> {
    let mut builder = Database::builder();
    // Every page is compared with its checksum, not only after a crash.
    builder.set_check_integrity_on_open(true);
    let file = open_file(path, Missing::Refused).map_err(|cause| at(path, cause))?;
    let is_empty = file.metadata().map_err(|cause| at(path, cause))?.len() == 0;
    if is_empty {
        return Err(StoreError::Damaged("the file is empty".to_owned()));
    }
    database(&mut builder, file, path, through)
}

/// The id of a store by its table of numbers; `None` for one that was just made. Another format
/// than the one known is refused.
pub(super) fn id(numbers: &Table<'_, &str, u64>, known: u64) -> Result<Option<u64>, StoreError> {
    let Some(found) = numbers.get("format")?.map(|found| found.value()) else {
        return Ok(None);
    };
    match found.cmp(&known) {
        Ordering::Equal => {
            let id = numbers.get("source")?.map(|source| source.value());
            let damaged = || StoreError::Damaged("it has no id".to_owned());
            id.map(Some).ok_or_else(damaged)
        }
        // There is no older format yet: a smaller number was never written.
        Ordering::Less => Err(StoreError::Damaged(format!(
            "no version wrote format {found}"
        ))),
        Ordering::Greater => Err(StoreError::NewerFormat { found, known }),
    }
}

fn database<B: StorageBackend>(
    builder: &mut Builder,
    file: File,
    path: &Path,
    through: impl FnOnce(FileBackend) -> B,
) -> Result<Database, StoreError> {
    builder.set_cache_size(CACHE_BYTES);
    let file = FileBackend::new(file);
    let opened = file.and_then(|file| builder.create_with_backend(through(file)));
    opened.map_err(|error| refused(error, path))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the enum may grow; what is not known here is told as it is"
)]
fn refused(error: DatabaseError, path: &Path) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen => StoreError::InUse(path.to_path_buf()),
        DatabaseError::UpgradeRequired(version) => {
            StoreError::Damaged(format!("the file has version {version}"))
        }
        // What is no store, or was cut.
        DatabaseError::Storage(redb::StorageError::Io(cause))
            if matches!(
                cause.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
        {
            StoreError::Damaged(cause.to_string())
        }
        other => other.into(),
    }
}

fn at(path: &Path, cause: io::Error) -> StoreError {
    let path = PathBuf::from(path);
    StoreError::Place { path, cause }
}

/// Makes a directory for its owner alone. One that is there must not be open to others.
pub(super) fn make_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)?;
    let mode = fs::metadata(directory)?.mode() & 0o777;
    let of_others = mode & 0o077;
    if of_others == 0 {
        return Ok(());
    }
    let refused = format!("the directory is open to others (mode {mode:04o}); it needs mode 0700");
    Err(io::Error::other(refused))
}

/// What becomes of a file that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Made,
    Refused,
}

fn open_file(path: &Path, missing: Missing) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(missing == Missing::Made)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(fs::Permissions::from_mode(0o600))?;
    Ok(file)
}
