//! Shared text: one copy however many policies hold it. Readers never count references.

use std::sync::Arc;

/// An interned text.
pub type Symbol = Arc<str>;
