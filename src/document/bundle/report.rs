//! Errors with the files that they stand in.

use std::fmt;

use crate::document::error::{DocumentError, DocumentErrors};

/// The most errors that are told of one bundle.
pub(super) const MAX_TOLD: usize = 1_000;

/// An error with the file that it stands in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{error}")]
pub struct FileError {
    /// The path of the file, relative to the bundle.
    pub file: String,
    /// The error.
    pub error: DocumentError,
}

/// The errors of a bundle, or of one account of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileErrors {
    told: Vec<FileError>,
    omitted: usize,
}

impl FileErrors {
    /// The errors, in the order found; at most [`MAX_TOLD`].
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &FileError> {
        self.told.iter()
    }

    /// How many further errors were found beyond [`MAX_TOLD`].
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.told.is_empty() && self.omitted == 0
    }

    /// Adds one error.
    pub(super) fn push(&mut self, file: &str, error: DocumentError) {
        if self.told.len() < MAX_TOLD {
            let file = file.to_owned();
            self.told.push(FileError { file, error });
        } else {
            self.omitted += 1;
        }
    }

    /// Adds the errors of one document.
    pub(in crate::document) fn push_all(&mut self, file: &str, errors: &DocumentErrors) {
        for error in errors.iter() {
            self.push(file, error.clone());
        }
        self.omitted += errors.omitted();
    }

    /// Adds the errors of another part of the bundle.
    pub(super) fn append(&mut self, other: Self) {
        for FileError { file, error } in other.told {
            self.push(&file, error);
        }
        self.omitted += other.omitted;
    }
}

impl std::error::Error for FileErrors {}

impl fmt::Display for FileErrors {
    /// One line an error: `file:line:column: /pointer: message`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.told.iter().enumerate() {
            if place > 0 {
                formatter.write_str("\n")?;
            }
            write!(formatter, "{error}")?;
        }
        match self.omitted {
            0 => Ok(()),
            omitted => write!(formatter, "\nand {omitted} more"),
        }
    }
}
