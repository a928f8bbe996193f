//! From files to a snapshot: read, compile, and everything that is wrong on the way.

use std::path::Path;

use jiff::Timestamp;

use crate::compiler::{self, error::CompileErrors};
use crate::document::bundle::{BundleFiles, FileErrors, Loaded, Strictness, read_bundle};
use crate::document::finding::Finding;
use crate::snapshot::Snapshot;
use crate::source::files::{ReadFilesError, read_directory};

/// Why a bundle is not put into force.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its files cannot be read.
    #[error(transparent)]
    Read(#[from] ReadFilesError),
    /// Its documents are refused.
    #[error("{0}")]
    Refused(#[from] FileErrors),
    /// Its documents do not fit together.
    #[error("{0}")]
    Compile(#[from] CompileErrors),
}

impl LoadError {
    /// All that is wrong.
    pub fn findings(&self) -> Vec<Finding> {
        match self {
            Self::Read(error) => vec![Finding::whole(error.to_string())],
            Self::Refused(errors) => Finding::errors(errors),
            Self::Compile(errors) => {
                let errors = errors.0.iter();
                errors
                    .map(|error| Finding::whole(error.to_string()))
                    .collect()
            }
        }
    }
}

/// A bundle that was read and compiled.
#[derive(Debug)]
pub struct Compiled {
    /// What it says.
    pub loaded: Loaded,
    /// What it was compiled to; its revision is not set.
    pub snapshot: Snapshot,
}

/// Reads and compiles the bundle of a directory.
///
/// # Errors
///
/// All that is wrong with it.
pub fn load(directory: &Path, strictness: Strictness) -> Result<Compiled, LoadError> {
    compile(&read_directory(directory)?, strictness)
}

/// Compiles the files of a bundle.
///
/// # Errors
///
/// All that is wrong with them.
pub fn compile(files: &BundleFiles, strictness: Strictness) -> Result<Compiled, LoadError> {
    compile_loaded(read_bundle(files, strictness)?)
}

/// Compiles what was read. Accounts that were set apart are known as such.
///
/// # Errors
///
/// Every place where the documents do not fit together.
pub(super) fn compile_loaded(loaded: Loaded) -> Result<Compiled, LoadError> {
    let mut snapshot = compiler::compile(&loaded.bundle)?;
    for apart in &loaded.quarantined {
        let account = apart.account.as_str().into();
        snapshot.accounts.quarantine(account, Timestamp::MIN);
    }
    Ok(Compiled { loaded, snapshot })
}
