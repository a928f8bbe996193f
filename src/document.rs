//! Documents: JSON text in, model out, every refusal with its position.
//!
//! A document is read in two steps. [`json`] makes a tree of it in one pass, under limits of size
//! and nesting. A reader then walks the tree with a [`cursor::Cursor`] and tells what it cannot
//! take to a [`cursor::Sink`], so that all errors of a document come at once.
//! What is not understood is refused, never dropped.
//!
//! Not here: files and directories (`source`), and whether documents fit together (`compiler`).

pub mod bundle;
pub mod callers;
pub mod case;
pub mod catalog;
pub mod counted;
pub mod cursor;
pub mod error;
pub mod finding;
pub mod inheritance;
pub mod json;
pub mod lint;
pub mod object;
pub mod policy;
pub mod position;
pub mod routes;
pub mod settings;
pub mod shipped;
pub mod tag_policy;
pub mod write;

pub use cursor::{Parsed, read};
pub use error::{DocumentError, DocumentErrorKind, DocumentErrors};
pub use lint::{Lint, LintKind};
pub use policy::{PolicyOptions, read_policy};
pub use position::{Position, Source};
