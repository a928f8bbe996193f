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
use crate::document::bundle::{
    BundleDigest, BundleFiles, ContentDigester, Digester, MAX_FILE_BYTES,
};

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

/// How much of a file is read at once where it is not kept.
const PIECE: usize = 64 * 1024;

/// Reads the files of a bundle.
///
/// # Errors
///
/// The first that cannot be read, or is over a limit.
pub fn read_directory(directory: &Path) -> Result<BundleFiles, ReadFilesError> {
    let mut files = BundleFiles::default();
    visit(directory, |path, file| {
        let length = file.get_ref().metadata()?.len();
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let mut content = Vec::with_capacity(length.min(MAX_FILE_BYTES));
        file.read_to_end(&mut content)?;
        files.insert(path, content);
        Ok(())
    })?;
    Ok(files)
}

/// The digest of the files of a bundle; one piece of one file at a time is in memory.
///
/// # Errors
///
/// As [`read_directory`].
pub fn digest_directory(directory: &Path) -> Result<BundleDigest, ReadFilesError> {
    let mut digester = Digester::default();
    let mut piece = vec![0; PIECE];
    visit(directory, |path, file| {
        let mut content = ContentDigester::default();
        while let Some(read) = next(file, &mut piece)? {
            content.update(read);
        }
        digester.add_digested(path, content);
        Ok(())
    })?;
    Ok(digester.finish())
}

/// Whether a directory holds these files, and nothing else.
fn holds(directory: &Path, files: &BundleFiles) -> bool {
    let (mut piece, mut same) = (vec![0; PIECE], 0);
    let visited = visit(directory, |path, file| {
        let other = || io::Error::from(io::ErrorKind::InvalidData);
        let mut rest = files.get(&path).ok_or_else(other)?;
        while let Some(read) = next(file, &mut piece)? {
            rest = rest.strip_prefix(read).ok_or_else(other)?;
        }
        same += usize::from(rest.is_empty());
        Ok(())
    });
    visited.is_ok() && same == files.iter().len()
}

/// The next bytes of a file; `None` at its end.
fn next<'p>(file: &mut Content, piece: &'p mut [u8]) -> io::Result<Option<&'p [u8]>> {
    let length = loop {
        match file.read(piece) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            read => break read?,
        }
    };
    Ok(piece.get(..length).filter(|read| !read.is_empty()))
}

/// A file, up to one byte more than it may hold.
type Content = io::Take<fs::File>;

/// Calls `found` with the path and the content of each file.
fn visit(
    directory: &Path,
    found: impl FnMut(String, &mut Content) -> io::Result<()>,
) -> Result<(), ReadFilesError> {
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

impl<F: FnMut(String, &mut Content) -> io::Result<()>> Walk<F> {
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
        let length = self.content(path, name)?;
        self.bytes = self.bytes.saturating_add(length);
        if self.bytes > MAX_BUNDLE_BYTES {
            return Err(ReadFilesError::BundleTooLarge);
        }
        self.files += 1;
        if self.files > MAX_FILES {
            return Err(ReadFilesError::TooManyFiles);
        }
        Ok(())
    }

    /// Reads a file and tells its length: never more than the limit, whatever it was said to be.
    fn content(&mut self, path: &Path, name: String) -> Result<usize, ReadFilesError> {
        let refused = |cause| io_error(path, cause);
        let file = fs::File::open(path).map_err(refused)?;
        let limit = u64::try_from(MAX_FILE_BYTES).unwrap_or(u64::MAX);
        let most = limit.saturating_add(1);
        let mut content = file.take(most);
        (self.found)(name, &mut content).map_err(refused)?;
        let length = most.saturating_sub(content.limit());
        if length > limit {
            let path = path.to_owned();
            return Err(ReadFilesError::FileTooLarge { path });
        }
        Ok(usize::try_from(length).unwrap_or(usize::MAX))
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
    fn a_directory_holds_what_was_read_until_it_changes() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        let long = "x".repeat(PIECE + 1);
        fs::write(root.join("a.json"), &long).unwrap();
        fs::write(root.join("b.json"), "").unwrap();
        let files = read_directory(root).unwrap();
        assert!(holds(root, &files));
        let changes: [(&str, &str); 4] = [
            ("a.json", &long[1..]),
            ("a.json", &format!("{}y", &long[1..])),
            ("b.json", "1"),
            ("c.json", ""),
        ];
        for (name, text) in changes {
            fs::write(root.join(name), text).unwrap();
            assert!(!holds(root, &files), "{name}");
            fs::remove_file(root.join(name)).unwrap();
            assert!(!holds(root, &files) || name == "c.json", "{name}");
            fs::write(root.join("a.json"), &long).unwrap();
            fs::write(root.join("b.json"), "").unwrap();
        }
        assert!(holds(root, &files));
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
