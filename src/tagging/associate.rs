//! `AssociateResources` and `DissociateResources` (tag-policy 4, security 5.1).

use super::event::{Event, failure};
use super::shape::{CallFault, MAX_RESOURCES};
use super::{Actor, CallError, Gate, View, whole};
use crate::model::inheritance::OnAssociate;
use crate::model::resource::{Association, Link, LiveResource, MAX_PRIMARIES};
use crate::model::tagging::{Failure, FailureCode, Plan};

impl<V: View, G: Gate> Actor<'_, '_, V, G> {
    /// Makes associations. One that is there already stays as it is.
    ///
    /// # Errors
    ///
    /// When the call is malformed, an association cannot be, or the principal may not write what it
    /// brings.
    pub fn associate(&self, links: &[Link]) -> Result<Plan, CallError> {
        self.all(links, associate)
    }

    /// Ends associations. One that is not there is no error.
    ///
    /// # Errors
    ///
    /// When the call is malformed, or the principal may not remove what came by one.
    pub fn dissociate(&self, links: &[Link]) -> Result<Plan, CallError> {
        self.all(links, dissociate)
    }

    fn all(
        &self,
        links: &[Link],
        change: impl Fn(&mut Event<'_, '_, V, G>, &Link) -> Result<(), Failure>,
    ) -> Result<Plan, CallError> {
        check_links(links)?;
        let mut event = self.checked_event();
        for link in links {
            if let Err(failure) = change(&mut event, link) {
                event.refuse(failure);
            }
        }
        whole(event.finish())
    }
}

fn check_links(links: &[Link]) -> Result<(), CallFault> {
    let fault = |code, subject| Err(CallFault { code, subject });
    if links.is_empty() {
        return fault(FailureCode::NoResources, None);
    }
    if links.len() > MAX_RESOURCES {
        return fault(FailureCode::TooManyResources, None);
    }
    let mut sorted: Vec<&Link> = links.iter().collect();
    sorted.sort_unstable();
    let mut pairs = sorted.iter().zip(sorted.iter().skip(1));
    match pairs.find(|(one, next)| one == next) {
        Some((twice, _)) => {
            let subject = Some(twice.associated.shared());
            fault(FailureCode::DuplicateResource, subject)
        }
        None => Ok(()),
    }
}

fn associate<V: View, G: Gate>(
    event: &mut Event<'_, '_, V, G>,
    link: &Link,
) -> Result<(), Failure> {
    let unknown = |arn| failure(arn, FailureCode::ResourceNotFound);
    let primary = event.find(&link.primary);
    let primary = primary.ok_or_else(|| unknown(&link.primary))?;
    let associated = event.find(&link.associated);
    let mut associated = associated.ok_or_else(|| unknown(&link.associated))?;
    event.may_tag(&associated)?;
    let refused = |code| failure(&link.associated, code);
    let definition = event.law.definition(&link.rule);
    let definition = definition.ok_or_else(|| refused(FailureCode::RuleUnknown))?;
    let of_types = event.law.kind(&primary) == *definition.primary
        && event.law.kind(&associated) == *definition.associated;
    if !of_types || !are_near(&primary, &associated) {
        return Err(refused(FailureCode::AssociationMismatch));
    }
    let association = Association {
        primary: link.primary.clone(),
        rule: link.rule.clone(),
    };
    let Err(place) = associated.primaries.binary_search(&association) else {
        return Ok(());
    };
    if associated.primaries.len() >= MAX_PRIMARIES {
        return Err(refused(FailureCode::TooManyPrimaries));
    }
    associated.primaries.insert(place, association);
    event.put(associated.clone());
    match definition.on_associate {
        OnAssociate::Inherit => {
            let path = vec![link.primary.clone()];
            event.inherit(&primary, associated, link, primary.tags.keys(), path)
        }
        OnAssociate::Nothing => Ok(()),
    }
}

/// tag-policy 5.1: tags are "isolated by region and account": none goes from one to another.
fn are_near(primary: &LiveResource, associated: &LiveResource) -> bool {
    let same_region = match (primary.region(), associated.region()) {
        (Some(one), Some(other)) => one == other,
        (None, _) | (_, None) => true,
    };
    let same_owner = primary.owner().is_some() && primary.owner() == associated.owner();
    primary.arn != associated.arn && same_owner && same_region
}

fn dissociate<V: View, G: Gate>(
    event: &mut Event<'_, '_, V, G>,
    link: &Link,
) -> Result<(), Failure> {
    let associated = event.find(&link.associated);
    let associated =
        associated.ok_or_else(|| failure(&link.associated, FailureCode::ResourceNotFound))?;
    if associated.links().any(|known| known == *link) {
        let path = vec![link.primary.clone()];
        event.end(associated, link, path)
    } else {
        Ok(())
    }
}
