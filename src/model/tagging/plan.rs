//! What a change of the directory comes to, before anybody commits it.

use super::{Failure, PredefinedWrite, Progress, Work};
use crate::model::resource::Write;

/// The outcome of one call, or of one step of work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is committed, all of it or nothing; one write for each resource.
    pub writes: Vec<Write>,
    /// What becomes of predefined keys.
    pub predefined: Vec<PredefinedWrite>,
    /// The work that is left, to be kept with the writes beside what was left before. After a step
    /// of work it takes the place of that work.
    pub left: Vec<Work>,
    /// The named resources to which nothing was done, and why.
    pub refused: Vec<Failure>,
    /// What inheritance and correction could not write, by resource and key.
    pub held_back: Vec<Failure>,
    /// How far a back-fill came that this step ends.
    pub filled: Option<Progress>,
}
