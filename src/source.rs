//! Where bundles come from: bytes in, no meaning.
//!
//! Not here: reading what the bytes say (`document`).

pub mod files;
pub mod watch;
