//! Writes of tags to the directory: what is refused, and what is left to do in the background.
//!
//! What the state machine (`tagging`), the writer that commits and the services share.
//!
//! Not here: may this principal, and do the tags comply (`engine`).

mod code;
mod plan;
mod work;

pub use code::{Failure, FailureCode};
pub use plan::Plan;
pub use work::{Backfill, Cause, Forget, PrimaryChange, Progress, Sweep, Touched, Work};
