//! What evaluation tells on its way, for explanations. Deciding tells nobody and costs nothing.

use super::subcheck::{Image, SubCheck};
use crate::model::verdict::{Layer, Outcome};
use crate::snapshot::StatementId;
use crate::snapshot::condition::Condition;

/// What became of a statement whose action matches.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'s> {
    /// It names other principals.
    OtherPrincipal,
    /// It covers other resources.
    OtherResource,
    /// This condition does not hold with these tags in view.
    Fails(&'s Condition, Image),
    /// It applies.
    Applies,
}

/// Whoever wants to know.
pub(super) trait Observer {
    /// A statement whose action matches was looked at.
    fn statement(&mut self, check: &SubCheck<'_>, id: StatementId, step: Step<'_>);
    /// The statements since the last unit made one of this layer, and it came to this.
    fn unit(&mut self, layer: Layer, outcome: Outcome);
    /// The units since the last resource came to this.
    fn resource(&mut self, check: &SubCheck<'_>, outcome: Outcome);
}

/// Nobody.
#[derive(Debug)]
pub(super) struct Nobody;

impl Observer for Nobody {
    #[inline]
    fn statement(&mut self, _check: &SubCheck<'_>, _id: StatementId, _step: Step<'_>) {}

    #[inline]
    fn unit(&mut self, _layer: Layer, _outcome: Outcome) {}

    #[inline]
    fn resource(&mut self, _check: &SubCheck<'_>, _outcome: Outcome) {}
}
