//! Moves between resource groups, and what they bring (tag-policy 3.4, security 5.1).

use super::event::{Event, failure};
use super::shape::check_resources;
use super::{Actor, CallError, Gate, View, whole};
use crate::model::account::Name;
use crate::model::arn::Arn;
use crate::model::inheritance::Authority;
use crate::model::resource::LiveResource;
use crate::model::tagging::{Failure, FailureCode, Plan};

impl<V: View, G: Gate> Actor<'_, '_, V, G> {
    /// Moves resources into a group, or out of any. What the old group brought stays.
    ///
    /// # Errors
    ///
    /// When the call is malformed, a resource is not known, or the principal may not write what the
    /// move brings.
    pub fn move_to(&self, arns: &[Arn], group: Option<&Name>) -> Result<Plan, CallError> {
        check_resources(arns)?;
        let mut event = self.checked_event();
        for arn in arns {
            let moved = match event.find(arn) {
                Some(resource) => move_one(&mut event, resource, group),
                None => Err(failure(arn, FailureCode::ResourceNotFound)),
            };
            if let Err(failure) = moved {
                event.refuse(failure);
            }
        }
        whole(event.finish())
    }
}

fn move_one<V: View, G: Gate>(
    event: &mut Event<'_, '_, V, G>,
    mut resource: LiveResource,
    group: Option<&Name>,
) -> Result<(), Failure> {
    if resource.group.as_ref() == group {
        return Ok(());
    }
    resource.group = group.cloned();
    if group.is_none() {
        // tag-policy 7, rule 34: "resource leaves the group: leave the resource's tag".
        event.put(resource);
        return Ok(());
    }
    event.pass(resource, Authority::Principal, Vec::new(), |_| {})
}
