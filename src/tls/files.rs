//! Reads the files of credentials, as they are once two readings agree.
//!
//! A mounted secret is replaced by one rename, but its files are opened one by one; a pair that was
//! read across such a change would be refused for nothing.

use std::fs;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

/// The most bytes of a file.
const MAX_BYTES: u64 = 1024 * 1024;
/// How often files are read before they count as ones that never settle.
const READINGS: usize = 10;
/// The pause between two readings that do not agree.
const PAUSE: Duration = Duration::from_millis(50);

/// Why a file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file system refused.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the file system says.
        cause: io::Error,
    },
    /// It is a directory, a pipe or a device.
    #[error("{} is no plain file", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// It is over the limit.
    #[error("{} is longer than {MAX_BYTES} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It changed between every two readings.
    #[error("{} changes while it is read", path.display())]
    Unsettled {
        /// The first of the files.
        path: PathBuf,
    },
}

/// A file, as it was read.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
    /// Its permissions.
    pub(super) mode: u32,
}

/// What tells one state of some files from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(super) fn of(files: &[Content]) -> Self {
        let mut hash = Sha256::new();
        for file in files {
            hash.update(Sha256::digest(&file.bytes));
            hash.update(file.mode.to_le_bytes());
        }
        Self(hash.finalize().into())
    }
}

/// Reads files as they are at one time.
pub(super) fn read_settled(paths: &[&Path]) -> Result<Vec<Content>, ReadError> {
    let mut before = read_all(paths);
    for _ in 1..READINGS {
        let now = read_all(paths);
        match (&before, &now) {
            (Ok(one), Ok(other)) if one == other => return now,
            (Err(one), Err(other)) if one.to_string() == other.to_string() => return now,
            (Ok(_) | Err(_), _) => before = now,
        }
        sleep(PAUSE);
    }
    before.and_then(|_| {
        let path = paths.first().map(|path| path.to_path_buf());
        let path = path.unwrap_or_default();
        Err(ReadError::Unsettled { path })
    })
}

/// Reads files one after the other.
pub(super) fn read_all(paths: &[&Path]) -> Result<Vec<Content>, ReadError> {
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Result<Content, ReadError> {
    let io_error = |cause| ReadError::Io {
        path: path.to_owned(),
        cause,
    };
    // A pipe would be waited for when it is opened.
    if !fs::metadata(path).map_err(io_error)?.is_file() {
        let path = path.to_owned();
        return Err(ReadError::Kind { path });
    }
    let file = fs::File::open(path).map_err(io_error)?;
    let mode = file.metadata().map_err(io_error)?.permissions().mode();
    let mut bytes = Vec::new();
    let mut limited = file.take(MAX_BYTES + 1);
    let length = limited.read_to_end(&mut bytes).map_err(io_error)?;
    if u64::try_from(length).is_ok_and(|length| length <= MAX_BYTES) {
        let path = path.to_owned();
        Ok(Content { path, bytes, mode })
    } else {
        let path = path.to_owned();
        Err(ReadError::TooLarge { path })
    }
}
