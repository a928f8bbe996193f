//! Writes of tags to the directory: what is refused, and what is left to do in the background.
//!
//! What the state machine (`tagging`), the writer that commits and the services share.
//!
//! Not here: may this principal, and do the tags comply (`engine`).

mod code;
mod plan;
mod predefined;
mod work;

pub use code::{Failure, FailureCode};
pub use plan::Plan;
pub use predefined::{
    MAX_KEYS_OF_CALL, MAX_PREDEFINED_KEYS, MAX_PREDEFINED_VALUES, PredefinedValues, PredefinedWrite,
};
pub use work::{Backfill, Cause, Forget, PrimaryChange, Progress, Sweep, Touched, Work};
