//! What a request needs which right for, looked at before anything else of it (security 1.1).
//!
//! A caller that sends what it has no right to is told so; nothing that it sent is left out.

use crate::model::arn::PrincipalRef;
use crate::model::caller::Rpc;
use crate::model::caller::supply::SupplyRight;
use crate::model::verdict::limits;
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::wire::message;
use crate::wire::status::{CallError, Forbidden};
use crate::wire::v1;

/// Whether a caller may use an RPC at all.
pub(in crate::service) fn check_rpc(caller: &Caller, rpc: Rpc) -> Result<(), CallError> {
    if caller.rights.rpcs.contains(rpc) {
        Ok(())
    } else {
        Err(forbid(caller, Forbidden::Rpc(rpc)))
    }
}

/// Whether a caller may send all that stands in a request.
pub(in crate::service) fn check_request(
    caller: &Caller,
    message: &message::Authorize<'_>,
) -> Result<(), CallError> {
    let message::Authorize {
        principal: _,
        action: _,
        resources,
        tag_write: _,
        context,
        session,
        kind,
        min_revision,
        explain,
        understands_obligations: _,
    } = message;
    let sent = Sent(caller);
    let (tags, group) = (resources.first_tags, resources.first_group);
    let at = |name: &str, place: usize| format!("resources[{place}].{name}");
    sent.resources(tags, group, at)?;
    let keys = context.entries.iter();
    sent.context(keys.map(|entry| entry.key))?;
    sent.field(session.is_some(), "session", SupplyRight::Session)?;
    sent.field(is_stated(*kind), "kind", SupplyRight::Kind)?;
    sent.field(*explain, "explain", SupplyRight::Explain)?;
    sent.min_revision(min_revision.is_some())
}

/// Whether a caller may send what a route tells of the circumstances.
pub(super) fn check_routed(
    caller: &Caller,
    message: &message::Authorize<'_>,
) -> Result<(), CallError> {
    let keys = message.context.entries.iter();
    Sent(caller).context(keys.map(|entry| entry.key))
}

/// Whether a caller may send all that stands in a filter message.
pub(super) fn check_filter(
    caller: &Caller,
    message: &v1::FilterResourcesRequest,
) -> Result<(), CallError> {
    let v1::FilterResourcesRequest {
        principal: _,
        action: _,
        candidates,
        filter_tags: _,
        context,
        session,
        kind,
        min_revision,
    } = message;
    let sent = Sent(caller);
    let (tags, group) = first_of(candidates);
    let at = |name: &str, place: usize| format!("candidates[{place}].{name}");
    sent.resources(tags, group, at)?;
    let keys = context.iter().take(limits::CONTEXT_ENTRIES);
    sent.context(keys.map(|entry| &*entry.key))?;
    sent.field(session.is_some(), "session", SupplyRight::Session)?;
    sent.field(is_stated(*kind), "kind", SupplyRight::Kind)?;
    sent.min_revision(min_revision.is_some())
}

/// Whether a caller may send all that stands in a question about tags.
pub(super) fn check_tagging(
    caller: &Caller,
    message: &message::ValidateTagging<'_>,
) -> Result<(), CallError> {
    let message::ValidateTagging {
        principal: _,
        resource,
        tags: _,
        operation: _,
        tag_write: _,
        group_tags,
        ever_tagged: _,
        min_revision,
    } = message;
    let sent = Sent(caller);
    if let Some(resource) = resource {
        let (tags, group) = (resource.tags.is_some(), resource.group.is_some());
        let at = |name: &str, _| format!("resource.{name}");
        sent.resources(tags.then_some(0), group.then_some(0), at)?;
    }
    let right = SupplyRight::ResourceGroup;
    sent.field(group_tags.is_some(), "group_tags", right)?;
    sent.min_revision(min_revision.is_some())
}

/// Whether a caller may wait for a revision.
pub(super) fn check_min_revision(caller: &Caller, is_sent: bool) -> Result<(), CallError> {
    Sent(caller).min_revision(is_sent)
}

/// Whether a caller asks for this principal.
pub(in crate::service) fn check_principal(
    caller: &Caller,
    principal: PrincipalRef<'_>,
    snapshot: &Snapshot,
) -> Result<(), CallError> {
    if caller.may_act_for(principal, snapshot) {
        Ok(())
    } else {
        Err(forbid(caller, Forbidden::Principal))
    }
}

/// The places of the first resources with tags and with a group.
fn first_of(resources: &[v1::Resource]) -> (Option<usize>, Option<usize>) {
    let first = |has: fn(&v1::Resource) -> bool| resources.iter().position(has);
    (
        first(|resource| resource.tags.is_some()),
        first(|resource| resource.resource_group.is_some()),
    )
}

fn is_stated(kind: i32) -> bool {
    kind != v1::OperationKind::Unspecified as i32
}

#[cold]
fn forbid(caller: &Caller, what: Forbidden) -> CallError {
    CallError::CallerNotAllowed {
        caller: caller.name.clone(),
        what,
    }
}

/// What a caller sent.
struct Sent<'a>(&'a Caller);

impl Sent<'_> {
    /// `tags` and `group` are the places of the first resources that are sent with them, and `at`
    /// is the path of a field of one.
    fn resources(
        &self,
        tags: Option<usize>,
        group: Option<usize>,
        at: impl Fn(&str, usize) -> String,
    ) -> Result<(), CallError> {
        let supply = &self.0.rights.supply;
        let (tags_right, group_right) = (SupplyRight::ResourceTags, SupplyRight::ResourceGroup);
        let tags = tags.filter(|_| !supply.has(tags_right));
        let group = group.filter(|_| !supply.has(group_right));
        // Of one resource its tags are told first.
        let tags_first = match (tags, group) {
            (None, None) => return Ok(()),
            (Some(tags), Some(group)) => tags <= group,
            (tags, None | Some(_)) => tags.is_some(),
        };
        let (place, name, right) = if tags_first {
            (tags, "tags", tags_right)
        } else {
            (group, "resource_group", group_right)
        };
        let place = place.unwrap_or_default();
        Err(self.lacks(at(name, place), right.as_str()))
    }

    /// Entries beyond the limit are refused by it.
    fn context<'k>(&self, mut keys: impl Iterator<Item = &'k str>) -> Result<(), CallError> {
        let supply = &self.0.rights.supply;
        match keys.position(|key| !supply.has_key(key)) {
            None => Ok(()),
            Some(place) => Err(self.lacks(format!("context[{place}].key"), "context:<key>")),
        }
    }

    fn min_revision(&self, is_sent: bool) -> Result<(), CallError> {
        self.field(is_sent, "min_revision", SupplyRight::MinRevision)
    }

    fn field(&self, is_sent: bool, name: &str, right: SupplyRight) -> Result<(), CallError> {
        if is_sent && !self.0.rights.supply.has(right) {
            Err(self.lacks(name.to_owned(), right.as_str()))
        } else {
            Ok(())
        }
    }

    #[cold]
    fn lacks(&self, field: String, right: &'static str) -> CallError {
        forbid(self.0, Forbidden::Field { field, right })
    }
}
