//! What a principal may see, as far as a call without context and session tells.

use jiff::Timestamp;

use crate::directory::Entry;
use crate::engine;
use crate::engine::request::{KnownGroup, KnownTags, Request, Resource};
use crate::model::action::ActionRef;
use crate::model::arn::{PrincipalRef, ResourceName};
use crate::model::verdict::RefusalReason;
use crate::snapshot::Snapshot;
use crate::wire::status::{CallError, Refusal};

/// The action by which a principal sees the tags of a resource.
const LIST_TAGS: &str = "tag:ListTagResources";

/// The tags of a resource are not known, or not for the principal.
pub(super) fn unknown(field: &str) -> CallError {
    CallError::Refused(Refusal {
        reason: RefusalReason::ResourceUnknown,
        field: field.to_owned(),
        detail: "its tags are not known, or not shown to the principal".to_owned(),
    })
}

/// Whether a principal may list the tags of a resource.
pub(super) fn sees(
    snapshot: &Snapshot,
    principal: Option<PrincipalRef<'_>>,
    name: ResourceName<'_>,
    stored: Option<&Entry>,
) -> bool {
    let Some(principal) = principal else {
        return false;
    };
    let resource = Resource {
        name,
        tags: stored.map_or(KnownTags::Unknown, |stored| {
            KnownTags::Stored(stored.tags())
        }),
        group: match stored.map(Entry::group) {
            None => KnownGroup::Unknown,
            Some(None) => KnownGroup::None,
            Some(Some(group)) => KnownGroup::Some(group),
        },
        owner: stored.and_then(Entry::owner),
    };
    may(snapshot, principal, LIST_TAGS, resource)
}

/// Whether a principal may do something without obligations, as far as a call without context and
/// session tells: what cannot be decided is no permission.
pub(super) fn may(
    snapshot: &Snapshot,
    principal: PrincipalRef<'_>,
    action: &str,
    resource: Resource<'_>,
) -> bool {
    let Ok(action) = ActionRef::parse(action) else {
        return false;
    };
    let resources = [resource];
    let request = Request::bare(principal, action, &resources, Timestamp::now());
    let decided = engine::decide(snapshot, &request);
    decided.is_ok_and(|decision| decision.is_allow())
}
