//! A bundle: the files of a directory, read into one [`Bundle`] (design, section 6).
//!
//! All errors are told at once, each with file, JSON Pointer, line and column. What stands below
//! `accounts/<id>` concerns that account alone: its errors quarantine it, and the others go on
//! (security 7.4). Any other error refuses the bundle.
//!
//! Not here: reading the directory (`source::files`), and compiling (`compiler`).

pub(super) mod account;
mod ahead;
mod batch;
mod digest;
pub(super) mod entry;
pub mod error;
pub(super) mod inheritance;
pub(super) mod layout;
pub(super) mod links;
mod manifest;
pub(super) mod organization;
mod packed;
pub(super) mod parts;
pub(super) mod reading;
mod report;
mod whole;

use std::collections::{BTreeMap, BTreeSet};

pub use self::digest::{BundleDigest, ContentDigester, Digester};
pub use self::packed::PackedFiles;
pub use self::report::{FileError, FileErrors, MAX_TOLD};

use self::parts::Manifest;
use self::reading::{Kept, Reading};
use super::lint::Lint;
use crate::model::arn::AccountId;
use crate::model::bundle::Bundle;

/// The format that is read.
pub const FORMAT: u64 = 1;
/// The most bytes of one file.
pub const MAX_FILE_BYTES: usize = 256 * 1024 * 1024;
/// The most bytes of one line of a file of JSON Lines, and of a policy with what it is attached to.
pub const MAX_LINE_BYTES: usize = 256 * 1024;

/// The files of a bundle: content by path, with `/` between names, relative to its directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BundleFiles(BTreeMap<String, Vec<u8>>);

impl BundleFiles {
    /// Adds a file, or replaces it.
    pub fn insert(&mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) {
        self.0.insert(path.into(), content.into());
    }

    /// The files, by path.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &[u8])> {
        self.0.iter().map(|(path, content)| (&**path, &**content))
    }

    /// The content of a file.
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.0.get(path).map(Vec::as_slice)
    }

    /// Whether a file stands below `accounts/<id>`.
    pub fn has_account(&self, account: &AccountId) -> bool {
        self.0.keys().any(|path| is_of(path, account))
    }

    /// The files with those of some accounts as they are in others.
    #[must_use]
    pub fn with_accounts(mut self, accounts: &BTreeSet<AccountId>, others: Self) -> Self {
        let replaced = |path: &String| {
            let account = layout::account_of(path);
            account.is_some_and(|account| accounts.contains(&account))
        };
        self.0.retain(|path, _| !replaced(path));
        self.0
            .extend(others.0.into_iter().filter(|(path, _)| replaced(path)));
        self
    }
}

fn is_of(path: &str, account: &AccountId) -> bool {
    layout::account_of(path).as_ref() == Some(account)
}

/// What the errors of one account do to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strictness {
    /// The account is left out and listed: a server goes on with the others.
    Quarantine,
    /// The bundle is refused.
    Strict,
}

/// A bundle that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// What the files say, without the accounts that are quarantined.
    pub bundle: Bundle,
    /// The accounts that are left out, with their errors.
    pub quarantined: Vec<Quarantined>,
    /// What is probably wrong.
    pub lints: Vec<FileLint>,
}

/// An account whose files have errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarantined {
    /// The account.
    pub account: AccountId,
    /// Why; at least one error.
    pub errors: FileErrors,
}

/// A warning with the file that it stands in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLint {
    /// The path of the file, relative to the bundle.
    pub file: String,
    /// The warning.
    pub lint: Lint,
}

impl std::fmt::Display for FileLint {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}:{}", self.file, self.lint)
    }
}

/// Reads the files of a bundle.
///
/// ```
/// use tagwarden::document::bundle::{BundleFiles, Strictness, read_bundle};
///
/// let mut files = BundleFiles::default();
/// files.insert("bundle.json", r#"{"format": 2}"#);
/// files.insert("notes.json", "{}");
/// let errors = read_bundle(&files, Strictness::Strict).unwrap_err();
/// let expected = "bundle.json:1:12: /format: format 2 is not known; this version reads format 1\n\
///                 notes.json:1:1: no file of a bundle has this name";
/// assert_eq!(errors.to_string(), expected);
/// ```
///
/// # Errors
///
/// All errors of the bundle, if one of them concerns more than one account, or if `strictness`
/// asks for it.
pub fn read_bundle(files: &BundleFiles, strictness: Strictness) -> Result<Loaded, FileErrors> {
    read(files, strictness, Manifest::Compared)
}

/// Reads files of which some are not those that the manifest names, because it was met before.
///
/// # Errors
///
/// As [`read_bundle`].
pub fn read_mixed(files: &BundleFiles, strictness: Strictness) -> Result<Loaded, FileErrors> {
    read(files, strictness, Manifest::Met)
}

fn read(
    files: &BundleFiles,
    strictness: Strictness,
    manifest: Manifest,
) -> Result<Loaded, FileErrors> {
    let mut reading = Reading::new();
    reading.read_settings(files, manifest);
    reading.read_catalogs(files);
    reading.read_ahead(files);
    reading.read_documents(files);
    reading.check_links(Kept::Files);
    reading.finish(strictness)
}
