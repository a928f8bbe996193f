//! Authored state as objects: what a store keeps, and what changes are made of.
//!
//! A bundle directory and the objects say the same: [`split`] and [`join`] lead from one to the
//! other. A change is judged by what it touches: the rest is looked up through [`Authored`], so that
//! it costs what it changes.
//!
//! Order has a meaning only inside documents: in which order organizations attach policies, and the
//! statements of a policy. Objects have none among each other.
//!
//! Not here: where objects are kept, and what they compile to (`compiler::change`).

mod around;
mod authored;
mod change;
mod inheritance;
mod join;
mod memory;
mod mention;
pub(crate) mod read;
mod split;
mod text;

pub use authored::{Authored, Document, Touched, Unreadable};
pub(crate) use change::attachments;
pub use change::{ReadChange, ReadChangeError, read_change};
pub use join::{JoinError, join};
pub use memory::Memory;
pub use mention::{Mention, mentions};
pub use read::{Objects, read_objects};
pub use split::split;
