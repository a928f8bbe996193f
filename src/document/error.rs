//! Why a document is refused: kinds with stable codes, each at a position.

use std::fmt;

use super::bundle::error::EntryErrorKind;
use super::json::JsonSort;
use super::policy::PolicyErrorKind;
use super::position::Position;
use super::routes::RouteErrorKind;
use super::tag_policy::TagPolicyErrorKind;

/// The most errors, and the most warnings, that are told of one document.
pub const MAX_TOLD: usize = 100;

/// One reason for which a document is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {kind}")]
pub struct DocumentError {
    /// What is wrong.
    pub kind: DocumentErrorKind,
    /// Where.
    pub at: Position,
}

/// What is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentErrorKind {
    /// It is no JSON of the shape that is asked for.
    #[error(transparent)]
    Shape(#[from] ShapeErrorKind),
    /// It is no RAM policy.
    #[error(transparent)]
    Policy(#[from] PolicyErrorKind),
    /// It is no tag policy.
    #[error(transparent)]
    TagPolicy(#[from] TagPolicyErrorKind),
    /// It is no document of a bundle or case, or names what is not there.
    #[error(transparent)]
    Entry(#[from] EntryErrorKind),
    /// It is no table of routes.
    #[error(transparent)]
    Route(#[from] RouteErrorKind),
}

impl DocumentErrorKind {
    /// The stable code, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Shape(kind) => kind.code(),
            Self::Policy(kind) => kind.code(),
            Self::TagPolicy(kind) => kind.code(),
            Self::Entry(kind) => kind.code(),
            Self::Route(kind) => kind.code(),
        }
    }
}

/// What is wrong with the JSON of a document, whatever it is about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ShapeErrorKind {
    /// The bytes are no UTF-8.
    #[error("not UTF-8")]
    NotUtf8,
    /// The text is no JSON.
    #[error("not JSON: {cause}")]
    Syntax {
        /// What the parser says.
        cause: String,
    },
    /// The text is longer than is taken.
    #[error("longer than {limit} bytes")]
    TooLarge {
        /// The most bytes that are taken.
        limit: usize,
    },
    /// More levels than [`super::json::MAX_NESTING`].
    #[error("nested deeper than {} levels", super::json::MAX_NESTING)]
    TooDeep,
    /// A member that this object cannot have.
    #[error("unknown member `{name}`")]
    UnknownMember {
        /// Its name.
        name: Excerpt,
    },
    /// A member that stands twice.
    #[error("member `{name}` is given twice")]
    DuplicateMember {
        /// Its name.
        name: Excerpt,
    },
    /// A member that this object must have.
    #[error("member `{name}` is missing")]
    MissingMember {
        /// Its name.
        name: &'static str,
    },
    /// A value of another sort.
    #[error("expected {expected}, found {found}")]
    WrongType {
        /// What may stand here.
        expected: &'static str,
        /// What stands here.
        found: JsonSort,
    },
    /// A text that is none of those that may stand here.
    #[error("expected {expected}, found `{found}`")]
    UnknownWord {
        /// What may stand here.
        expected: &'static str,
        /// What stands here.
        found: Excerpt,
    },
    /// An array without elements, or an object without members, that must have some.
    #[error("empty, where at least one is needed")]
    Empty,
    /// More elements or members than are taken.
    #[error("more than {} {}", .0.most, .0.what)]
    TooMany(Limit),
}

impl ShapeErrorKind {
    /// The stable code, for machines.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 => "NOT_UTF8",
            Self::Syntax { .. } => "NOT_JSON",
            Self::TooLarge { .. } => "DOCUMENT_TOO_LARGE",
            Self::TooDeep => "NESTED_TOO_DEEP",
            Self::UnknownMember { .. } => "UNKNOWN_MEMBER",
            Self::DuplicateMember { .. } => "DUPLICATE_MEMBER",
            Self::MissingMember { .. } => "MISSING_MEMBER",
            Self::WrongType { .. } => "WRONG_TYPE",
            Self::UnknownWord { .. } => "UNKNOWN_WORD",
            Self::Empty => "EMPTY",
            Self::TooMany(limit) => limit.code,
        }
    }
}

/// A limit on how many of something a document may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Limit {
    /// What they are, in the plural: `statements`.
    pub what: &'static str,
    /// The most that are taken.
    pub most: usize,
    /// The code of a document that holds more: `TOO_MANY_STATEMENTS`.
    pub code: &'static str,
}

/// Text of a document as messages show it: one line, at most 80 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Excerpt(Box<str>);

impl Excerpt {
    const CHARS: usize = 80;
}

impl From<&str> for Excerpt {
    fn from(text: &str) -> Self {
        let mut shown = String::new();
        for character in text.chars().take(Self::CHARS) {
            if character.is_control() {
                shown.extend(character.escape_default());
            } else {
                shown.push(character);
            }
        }
        if text.chars().nth(Self::CHARS).is_some() {
            shown.push('…');
        }
        Self(shown.into_boxed_str())
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// All reasons for which one document is refused; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentErrors {
    first: DocumentError,
    others: Vec<DocumentError>,
    omitted: usize,
}

impl DocumentErrors {
    /// One error.
    pub fn one(kind: impl Into<DocumentErrorKind>, at: Position) -> Self {
        Self::from(DocumentError {
            kind: kind.into(),
            at,
        })
    }

    /// Those that were told, and how many more there were; `None` without any.
    pub(super) fn collect(told: Vec<DocumentError>, omitted: usize) -> Option<Self> {
        let mut told = told.into_iter();
        let first = told.next()?;
        Some(Self {
            first,
            others: told.collect(),
            omitted,
        })
    }

    /// The error that stands first in the document.
    pub fn first(&self) -> &DocumentError {
        &self.first
    }

    /// The errors, in the order of the document; at most [`MAX_TOLD`].
    pub fn iter(&self) -> impl Iterator<Item = &DocumentError> {
        std::iter::once(&self.first).chain(&self.others)
    }

    /// How many further errors were found beyond [`MAX_TOLD`].
    pub fn omitted(&self) -> usize {
        self.omitted
    }

    /// The errors with the name of their file before each: `file:line:column: /pointer: message`.
    pub fn in_file<'a>(&'a self, file: &'a str) -> impl fmt::Display + 'a {
        Lines {
            errors: self,
            file: Some(file),
        }
    }
}

impl From<DocumentError> for DocumentErrors {
    fn from(first: DocumentError) -> Self {
        Self {
            first,
            others: Vec::new(),
            omitted: 0,
        }
    }
}

impl std::error::Error for DocumentErrors {}

impl fmt::Display for DocumentErrors {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = Lines {
            errors: self,
            file: None,
        };
        lines.fmt(formatter)
    }
}

struct Lines<'a> {
    errors: &'a DocumentErrors,
    file: Option<&'a str>,
}

impl fmt::Display for Lines<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, error) in self.errors.iter().enumerate() {
            if place > 0 {
                formatter.write_str("\n")?;
            }
            if let Some(file) = self.file {
                write!(formatter, "{file}:")?;
            }
            write!(formatter, "{error}")?;
        }
        match self.errors.omitted {
            0 => Ok(()),
            omitted => write!(formatter, "\nand {omitted} more"),
        }
    }
}
