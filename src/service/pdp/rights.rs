//! What a request needs which right for, looked at before anything else of it (security 1.1).
//!
//! A caller that sends what it has no right to is told so; nothing that it sent is left out.

use crate::model::arn::PrincipalRef;
use crate::model::caller::Rpc;
use crate::model::caller::supply::SupplyRight;
use crate::model::verdict::limits;
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::wire::status::{CallError, Forbidden};
use crate::wire::v1;

/// Whether a caller may use an RPC at all.
pub(super) fn check_rpc(caller: &Caller, rpc: Rpc) -> Result<(), CallError> {
    if caller.rights.rpcs.contains(rpc) {
        Ok(())
    } else {
        Err(forbid(caller, Forbidden::Rpc(rpc)))
    }
}

/// Whether a caller may send all that stands in a request.
pub(super) fn check_request(
    caller: &Caller,
    message: &v1::AuthorizeRequest,
) -> Result<(), CallError> {
    let v1::AuthorizeRequest {
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
    sent.resources("resources", resources)?;
    sent.context(context)?;
    sent.field(session.is_some(), "session", SupplyRight::Session)?;
    sent.field(is_stated(*kind), "kind", SupplyRight::Kind)?;
    sent.field(*explain, "explain", SupplyRight::Explain)?;
    sent.min_revision(min_revision.as_ref())
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
    sent.resources("candidates", candidates)?;
    sent.context(context)?;
    sent.field(session.is_some(), "session", SupplyRight::Session)?;
    sent.field(is_stated(*kind), "kind", SupplyRight::Kind)?;
    sent.min_revision(min_revision.as_ref())
}

/// Whether a caller may send all that stands in a question about tags.
pub(super) fn check_tagging(
    caller: &Caller,
    message: &v1::ValidateTaggingRequest,
) -> Result<(), CallError> {
    let v1::ValidateTaggingRequest {
        principal: _,
        resource,
        operation: _,
        tag_write: _,
        group_tags,
        ever_tagged: _,
        min_revision,
    } = message;
    let sent = Sent(caller);
    if let Some(resource) = resource {
        sent.resource(resource, |name| format!("resource.{name}"))?;
    }
    let right = SupplyRight::ResourceGroup;
    sent.field(group_tags.is_some(), "group_tags", right)?;
    sent.min_revision(min_revision.as_ref())
}

/// Whether a caller may wait for a revision.
pub(super) fn check_min_revision(
    caller: &Caller,
    token: Option<&v1::RevisionToken>,
) -> Result<(), CallError> {
    Sent(caller).min_revision(token)
}

/// Whether a caller asks for this principal.
pub(super) fn check_principal(
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
    fn resources(&self, list: &str, resources: &[v1::Resource]) -> Result<(), CallError> {
        let mut resources = resources.iter().enumerate();
        resources.try_for_each(|(place, resource)| {
            self.resource(resource, |name| format!("{list}[{place}].{name}"))
        })
    }

    /// `at` is the path of a field of the resource.
    fn resource(
        &self,
        resource: &v1::Resource,
        at: impl Fn(&str) -> String,
    ) -> Result<(), CallError> {
        let lacks = |right| !self.0.rights.supply.has(right);
        let (tags, group) = (SupplyRight::ResourceTags, SupplyRight::ResourceGroup);
        if resource.tags.is_some() && lacks(tags) {
            return Err(self.lacks(at("tags"), tags.as_str()));
        }
        if resource.resource_group.is_some() && lacks(group) {
            return Err(self.lacks(at("resource_group"), group.as_str()));
        }
        Ok(())
    }

    /// Entries beyond the limit are refused by it.
    fn context(&self, entries: &[v1::ContextEntry]) -> Result<(), CallError> {
        let mut entries = entries.iter().take(limits::CONTEXT_ENTRIES);
        let supply = &self.0.rights.supply;
        match entries.position(|entry| !supply.has_key(&entry.key)) {
            None => Ok(()),
            Some(place) => Err(self.lacks(format!("context[{place}].key"), "context:<key>")),
        }
    }

    fn min_revision(&self, token: Option<&v1::RevisionToken>) -> Result<(), CallError> {
        self.field(token.is_some(), "min_revision", SupplyRight::MinRevision)
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
