//! What was found in documents, in one form for people and machines: errors and warnings.

use std::borrow::Cow;

use super::bundle::{FileErrors, FileLint};
use super::counted::counted;
use super::error::DocumentError;
use super::lint::Lint;
use super::position::Position;

/// One error or warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whether it refuses.
    pub severity: Severity,
    /// The file, relative to its bundle. Empty: the bundle as a whole.
    pub file: String,
    /// Where it stands; `None`: the file as a whole.
    pub at: Option<Position>,
    /// The stable code.
    pub code: Cow<'static, str>,
    /// For people.
    pub message: String,
}

/// Whether a finding refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// It does.
    Error,
    /// It is probably wrong.
    Warning,
}

impl Severity {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Finding {
    /// An error of a document.
    pub fn error(file: impl Into<String>, error: &DocumentError) -> Self {
        Self {
            severity: Severity::Error,
            file: file.into(),
            at: Some(error.at.clone()),
            code: error.kind.code().into(),
            message: error.kind.to_string(),
        }
    }

    /// A warning about a document.
    pub fn warning(file: impl Into<String>, lint: &Lint) -> Self {
        Self {
            severity: Severity::Warning,
            file: file.into(),
            at: Some(lint.at.clone()),
            code: lint.kind.code().into(),
            message: lint.kind.to_string(),
        }
    }

    /// An error of a bundle as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: String::new(),
            at: None,
            code: "BUNDLE_REFUSED".into(),
            message: message.into(),
        }
    }

    /// The errors of a bundle, and how many are not told.
    pub fn errors(errors: &FileErrors) -> Vec<Self> {
        let mut found: Vec<Self> = errors
            .iter()
            .map(|one| Self::error(&*one.file, &one.error))
            .collect();
        if errors.omitted() > 0 {
            found.push(Self::whole(counted(errors.omitted(), "further error")));
        }
        found
    }

    /// The warnings about a bundle.
    pub fn warnings(lints: &[FileLint]) -> Vec<Self> {
        lints
            .iter()
            .map(|one| Self::warning(&*one.file, &one.lint))
            .collect()
    }
}
