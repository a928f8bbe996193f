//! Reads the directory of a bundle into memory, in one order whatever the file system's.
//!
//! Symbolic links are followed, so that a directory may be mounted file by file. Names that start
//! with a dot are passed over, and so are `*.md` files; any other name that ends neither in `.json`
//! nor in `.jsonl` is refused, because a policy that is passed over is a hole. The cases below
//! `tests` are not read.
//!
//! Not here: what the files say (`document::bundle`).

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

mod settled;
mod watch;

pub use self::settled::{Seen, read_settled};
pub use self::watch::{Config as WatchConfig, Found, Watch};
use crate::document::bundle::{BundleDigest, BundleFiles, Digester, MAX_FILE_BYTES};

/// The most bytes of all files together.
pub const MAX_BUNDLE_BYTES: usize = 1024 * 1024 * 1024;
/// The most files, and the most names in one directory.
pub const MAX_FILES: usize = 1_000_000;
/// The most directories that stand in each other.
pub const MAX_DEPTH: usize = 8;

/// Why a directory could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadFilesError {
    /// The file system refused.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the file system says.
        cause: io::Error,
    },
    /// A name that is no Unicode.
    #[error("the name of {} is not Unicode", path.display())]
    Name {
        /// The file or directory.
        path: PathBuf,
    },
    /// No plain file, or neither JSON nor JSON Lines.
    #[error("{} is no file whose name ends in `.json` or `.jsonl`", path.display())]
    Kind {
        /// The file.
        path: PathBuf,
    },
    /// A file over the limit.
    #[error("{} is longer than {MAX_FILE_BYTES} bytes", path.display())]
    FileTooLarge {
        /// The file.
        path: PathBuf,
    },
    /// Files over the limit.
    #[error("the files are longer than {MAX_BUNDLE_BYTES} bytes together")]
    BundleTooLarge,
    /// Too many files.
    #[error("more than {MAX_FILES} files")]
    TooManyFiles,
    /// Files that changed between every two readings.
    #[error("the files of {} change while they are read", path.display())]
    Unsettled {
        /// The directory.
        path: PathBuf,
    },
    /// Directories too deep; links may lead in a circle.
    #[error("{} stands deeper than {MAX_DEPTH} directories", path.display())]
    TooDeep {
        /// The directory.
        path: PathBuf,
    },
}

/// Reads the files of a bundle.
///
/// # Errors
///
/// The first that cannot be read, or is over a limit.
pub fn read_directory(directory: &Path) -> Result<BundleFiles, ReadFilesError> {
    let mut files = BundleFiles::default();
    visit(directory, |path, content| files.insert(path, content))?;
    Ok(files)
}

/// The digest of the files of a bundle; one file at a time is in memory.
///
/// # Errors
///
/// As [`read_directory`].
pub fn digest_directory(directory: &Path) -> Result<BundleDigest, ReadFilesError> {
    let mut digester = Digester::default();
    visit(directory, |path, content| digester.add(path, &content))?;
    Ok(digester.finish())
}

/// Calls `found` with the path and the content of each file.
fn visit(directory: &Path, found: impl FnMut(String, Vec<u8>)) -> Result<(), ReadFilesError> {
    let mut walk = Walk {
        found,
        files: 0,
        bytes: 0,
    };
    walk.directory(directory, "", 0)
}

struct Walk<F> {
    found: F,
    files: usize,
    bytes: usize,
}

impl<F: FnMut(String, Vec<u8>)> Walk<F> {
    fn directory(
        &mut self,
        directory: &Path,
        prefix: &str,
        depth: usize,
    ) -> Result<(), ReadFilesError> {
        if depth > MAX_DEPTH {
            let path = directory.to_owned();
            return Err(ReadFilesError::TooDeep { path });
        }
        for name in names(directory)? {
            if name.starts_with('.') || (prefix.is_empty() && name == "tests") {
                continue;
            }
            let path = directory.join(&name);
            let below = format!("{prefix}{name}");
            let metadata = fs::metadata(&path).map_err(|cause| io_error(&path, cause))?;
            if metadata.is_dir() {
                self.directory(&path, &format!("{below}/"), depth + 1)?;
            } else {
                self.file(&path, below, &metadata)?;
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        path: &Path,
        name: String,
        metadata: &fs::Metadata,
    ) -> Result<(), ReadFilesError> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("json" | "jsonl") if metadata.is_file() => {}
            Some("md") => return Ok(()),
            _ => {
                let path = path.to_owned();
                return Err(ReadFilesError::Kind { path });
            }
        }
        let content = content(path)?;
        self.bytes = self.bytes.saturating_add(content.len());
        if self.bytes > MAX_BUNDLE_BYTES {
            return Err(ReadFilesError::BundleTooLarge);
        }
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(ReadFilesError::TooManyFiles);
        }
        (self.found)(name, content);
        Ok(())
    }
}

/// The names in a directory, in byte order.
fn names(directory: &Path) -> Result<Vec<String>, ReadFilesError> {
    let entries = fs::read_dir(directory).map_err(|cause| io_error(directory, cause))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|cause| io_error(directory, cause))?;
        let name = entry.file_name().into_string();
        names.push(name.map_err(|_| ReadFilesError::Name { path: entry.path() })?);
        if names.len() > MAX_FILES {
            return Err(ReadFilesError::TooManyFiles);
        }
    }
    names.sort_unstable();
    Ok(names)
}

/// The content of a file, never more than the limit, whatever its length was said to be.
fn content(path: &Path) -> Result<Vec<u8>, ReadFilesError> {
    let file = fs::File::open(path).map_err(|cause| io_error(path, cause))?;
    let limit = u64::try_from(MAX_FILE_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    let mut content = Vec::new();
    file.take(limit)
        .read_to_end(&mut content)
        .map_err(|cause| io_error(path, cause))?;
    if content.len() > MAX_FILE_BYTES {
        let path = path.to_owned();
        return Err(ReadFilesError::FileTooLarge { path });
    }
    Ok(content)
}

fn io_error(path: &Path, cause: io::Error) -> ReadFilesError {
    let path = path.to_owned();
    ReadFilesError::Io { path, cause }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(files: &BundleFiles) -> Vec<&str> {
        files.iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn files_come_in_order_through_links_and_without_what_is_no_part() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::create_dir_all(root.join("..data/policies/system")).unwrap();
        fs::write(root.join("..data/policies/system/A.json"), "1").unwrap();
        fs::create_dir(root.join("tests")).unwrap();
        fs::write(root.join("tests/cases.txt"), "").unwrap();
        fs::write(root.join("README.md"), "").unwrap();
        fs::write(root.join("bundle.json"), "{}").unwrap();
        std::os::unix::fs::symlink("..data/policies", root.join("policies")).unwrap();
        let files = read_directory(root).unwrap();
        assert_eq!(paths(&files), ["bundle.json", "policies/system/A.json"]);
        assert_eq!(files.get("policies/system/A.json"), Some(b"1".as_slice()));
    }

    #[test]
    fn other_names_and_circles_are_refused() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::os::unix::fs::symlink(root, root.join("policies")).unwrap();
        let error = read_directory(root).unwrap_err();
        assert!(matches!(error, ReadFilesError::TooDeep { .. }), "{error}");
        fs::remove_file(root.join("policies")).unwrap();
        fs::write(root.join("deny.json.bak"), "").unwrap();
        let error = read_directory(root).unwrap_err();
        assert!(matches!(error, ReadFilesError::Kind { .. }), "{error}");
        let error = read_directory(&root.join("nothing")).unwrap_err();
        assert!(matches!(error, ReadFilesError::Io { .. }), "{error}");
    }
}
