//! The tag directory as a state machine: what a call, or a step of work that an earlier one left,
//! writes (tag-policy 3 to 5 and 7, security 4 and 5).
//!
//! Everything is worked out on a [`View`] of the directory at one moment; the result is a list of
//! writes, which a writer commits whole, what was refused or held back, and the work that is left.
//!
//! Not here: keeping resources (`directory`), committing (`source`), and who may call (`service`).

mod view;

pub use view::{Overlay, View};
