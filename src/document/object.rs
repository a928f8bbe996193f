//! Authored state as objects: what a store keeps, and what changes are made of.
//!
//! A bundle directory and the objects say the same. A change is judged by what it touches: the rest
//! is looked up through [`Authored`], so that it costs what it changes.
//!
//! Not here: where objects are kept, and what they compile to (`compiler::change`).

mod authored;
mod mention;

pub use authored::{Authored, Document, Touched, Unreadable};
pub use mention::{Mention, mentions};
