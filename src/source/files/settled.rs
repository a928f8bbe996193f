//! Reads a directory that somebody may be writing to: again, until two readings agree.

use std::path::Path;
use std::thread::{Builder, scope, sleep};
use std::time::Duration;

use super::{ReadFilesError, holds, read_directory};
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
    let mut before = read_directory(directory);
    for _ in 1..READINGS {
        before = match before {
            Ok(files) => match agreed(directory, &files) {
                Some(digest) => return Ok(Seen { files, digest }),
                None => read_directory(directory),
            },
            Err(before) => match read_directory(directory) {
                Err(now) if before.to_string() == now.to_string() => return Err(now),
                now => now,
            },
        };
        sleep(PAUSE);
    }
    before.and_then(|_| {
        let path = directory.to_owned();
        Err(ReadFilesError::Unsettled { path })
    })
}

/// The digest of files, if a second reading agrees with them: both are worked out at once.
fn agreed(directory: &Path, files: &BundleFiles) -> Option<BundleDigest> {
    let mut digest = None;
    let agrees = scope(|threads| {
        let thread = Builder::new().name("digest".to_owned());
        // Where there can be no other thread, it is made below.
        let _ = thread.spawn_scoped(threads, || digest = Some(BundleDigest::of(files)));
        holds(directory, files)
    });
    agrees.then(|| digest.unwrap_or_else(|| BundleDigest::of(files)))
}
