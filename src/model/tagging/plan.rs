//! What a change of the directory comes to, before anybody commits it.

use super::{Failure, Work};
use crate::model::resource::Write;

/// The outcome of one call, or of one step of work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is committed, all of it or nothing; one write for each resource.
    pub writes: Vec<Write>,
    /// The work that is left, in order: it takes the place of all that was left before. It is
    /// committed with the writes.
    pub work: Vec<Work>,
    /// The named resources to which nothing was done, and why.
    pub refused: Vec<Failure>,
    /// What inheritance and correction could not write, by resource and key.
    pub held_back: Vec<Failure>,
}
