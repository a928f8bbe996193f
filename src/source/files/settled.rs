//! Reads a directory that somebody may be writing to: again, until two readings agree.

use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use super::{ReadFilesError, digest_directory, read_directory};
use crate::document::bundle::{BundleDigest, BundleFiles};

/// How often a directory is read before it counts as one that never settles.
const READINGS: usize = 10;
/// The pause between two readings that do not agree.
const PAUSE: Duration = Duration::from_millis(50);

/// The files of a directory at one time.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The files.
    pub files: BundleFiles,
    /// Their digest.
    pub digest: BundleDigest,
}

/// Reads the files of a bundle as they are once two readings, one after the other, agree.
///
/// # Errors
///
/// The first that cannot be read in two readings, or that no two readings agree.
pub fn read_settled(directory: &Path) -> Result<Seen, ReadFilesError> {
    let mut before = digest_directory(directory);
    for _ in 1..READINGS {
        let now = read_directory(directory).map(|files| Seen {
            digest: BundleDigest::of(&files),
            files,
        });
        before = match (before, now) {
            (Ok(before), Ok(now)) if before == now.digest => return Ok(now),
            (Err(before), Err(now)) if before.to_string() == now.to_string() => return Err(now),
            (_, Ok(now)) => Ok(now.digest),
            (_, Err(now)) => Err(now),
        };
        sleep(PAUSE);
    }
    before.and_then(|_| {
        let path = directory.to_owned();
        Err(ReadFilesError::Unsettled { path })
    })
}
