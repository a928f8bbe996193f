//! `Remediate`: the group's tags, then correction, for resources as they are (tag-policy 3.3).

use super::event::failure;
use super::shape::check_resources;
use super::{Actor, CallError, Gate, View, partial};
use crate::model::arn::Arn;
use crate::model::inheritance::Authority;
use crate::model::tagging::{FailureCode, Plan};

impl<V: View, G: Gate> Actor<'_, '_, V, G> {
    /// Writes what repairs resources; a resource whose repair the principal may not write is told in
    /// the plan. A second time nothing is written (security 5.3).
    ///
    /// # Errors
    ///
    /// When the call is malformed.
    pub fn remediate(&self, arns: &[Arn]) -> Result<Plan, CallError> {
        check_resources(arns)?;
        let mut event = self.event();
        for arn in arns {
            let repaired = match event.find(arn) {
                Some(resource) => event.pass(resource, Authority::Principal, Vec::new(), |_| {}),
                None => Err(failure(arn, FailureCode::ResourceNotFound)),
            };
            if let Err(failure) = repaired {
                event.refuse(failure);
            }
        }
        Ok(partial(event.finish()))
    }
}
