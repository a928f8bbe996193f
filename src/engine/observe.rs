//! What evaluation tells on its way, for explanations. Deciding tells nobody and costs nothing.

use super::subcheck::Image;
use crate::model::verdict::{Layer, Outcome};
use crate::snapshot::StatementId;

/// What became of a statement whose action matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// It names other principals.
    OtherPrincipal,
    /// It covers other resources.
    OtherResource,
    /// One of its conditions does not hold.
    ConditionFails {
        /// The condition's place in the statement.
        place: usize,
        /// The tags that were in view.
        image: Image,
    },
    /// It applies.
    Holds,
}

/// Whoever wants to know.
pub(super) trait Observer {
    /// Evaluation turns to the resource at this place.
    fn resource(&mut self, place: usize);
    /// A statement whose action matches was looked at.
    fn statement(&mut self, layer: Layer, id: StatementId, step: Step);
    /// A unit came to this.
    fn unit(&mut self, layer: Layer, outcome: Outcome, statement: Option<StatementId>);
}

/// Nobody.
#[derive(Debug)]
pub(super) struct Nobody;

impl Observer for Nobody {
    #[inline]
    fn resource(&mut self, _place: usize) {}

    #[inline]
    fn statement(&mut self, _layer: Layer, _id: StatementId, _step: Step) {}

    #[inline]
    fn unit(&mut self, _layer: Layer, _outcome: Outcome, _statement: Option<StatementId>) {}
}
