//! What a request must be before it is decided: counts, duplicates, and what its action demands.
//!
//! Texts were read at the edge. Of several faults the first in the order of [`RefusalReason`] is
//! told, so that engine and reference tell the same one.

use super::decision::{Refused, Subject};
use super::derived::is_derived;
use super::principal::Asker;
use super::request::{ContextEntry, KnownTags, Request, Resource, Session, TagWrite};
use super::view::ActionView;
use crate::model::account::RoleKind;
use crate::model::arn::{PrincipalRef, ResourceName};
use crate::model::catalog::{OperationKind, TagEffect};
use crate::model::settings::Operators;
use crate::model::tag::TagRef;
use crate::model::verdict::{RefusalReason, limits};
use crate::snapshot::Snapshot;
use crate::snapshot::account::AccountTable;
use crate::snapshot::principal::PrincipalKind;

/// The first fault that was found so far.
#[derive(Debug, Default)]
pub(super) struct Faults(Option<Refused>);

impl Faults {
    /// Notes a fault; the one that stands first in the order of telling is kept.
    pub(super) fn note(&mut self, reason: RefusalReason, subject: Option<Subject>) {
        if self.0.is_none_or(|kept| reason < kept.reason) {
            self.0 = Some(Refused { reason, subject });
        }
    }

    fn note_if(&mut self, fault: bool, reason: RefusalReason) {
        if fault {
            self.note(reason, None);
        }
    }

    /// Takes over what another found.
    pub(super) fn merge(&mut self, other: &Self) {
        if let Some(Refused { reason, subject }) = other.0 {
            self.note(reason, subject);
        }
    }

    /// Whether this is the fault to tell.
    pub(super) fn is(&self, reason: RefusalReason) -> bool {
        self.0.is_some_and(|kept| kept.reason == reason)
    }

    /// The fault to tell.
    pub(super) fn result(&self) -> Result<(), Refused> {
        self.0.map_or(Ok(()), Err)
    }
}

/// Checks all that can be told without reading a policy.
pub(super) fn request(
    request: &Request<'_>,
    snapshot: &Snapshot,
    action: &ActionView<'_>,
    asker: &Asker<'_>,
) -> Result<(), Refused> {
    let mut faults = Faults::default();
    resources(&mut faults, request.resources);
    tag_write(&mut faults, request, action);
    context(&mut faults, snapshot, request.context.entries);
    session(&mut faults, request, asker);
    faults.note_if(action.kind_refused, RefusalReason::KindNotStricter);
    for (place, resource) in request.resources.iter().enumerate() {
        applicable(&mut faults, place, resource, request, action);
    }
    if snapshot.accounts.has_quarantined() {
        quarantined(&mut faults, request, action, &snapshot.accounts);
    }
    faults.result()
}

fn resources(faults: &mut Faults, resources: &[Resource<'_>]) {
    faults.note_if(resources.is_empty(), RefusalReason::NoResource);
    if resources.len() > limits::RESOURCES {
        // No fault of a single resource stands before it.
        faults.note(RefusalReason::ResourceLimit, None);
        return;
    }
    if resources.len() > 1 {
        different(faults, resources);
    }
    for resource in resources {
        if let KnownTags::Sent(tags) = resource.tags {
            tag_list(faults, tags, limits::RESOURCE_TAGS);
        }
    }
}

fn different(faults: &mut Faults, resources: &[Resource<'_>]) {
    let mut seen = Seen::default();
    for (place, resource) in resources.iter().enumerate() {
        let name = resource.name.as_str();
        let earlier = resources.iter().take(place);
        if seen.may_hold(name) && earlier.map(|one| one.name.as_str()).any(|one| one == name) {
            faults.note(
                RefusalReason::ResourceDuplicate,
                Some(Subject::Resource(place)),
            );
        }
    }
}

fn tag_list(faults: &mut Faults, tags: &[TagRef<'_>], limit: usize) {
    if tags.len() > limit {
        faults.note(RefusalReason::TagLimit, None);
    } else if tags.len() > 1 {
        let twice = has_duplicate(&tags.iter().map(|tag| tag.key));
        faults.note_if(twice, RefusalReason::TagKeyDuplicate);
    }
}

#[inline]
fn has_duplicate<'a>(keys: &(impl Iterator<Item = &'a str> + Clone)) -> bool {
    let mut seen = Seen::default();
    let mut places = keys.clone().enumerate();
    places.any(|(place, key)| seen.may_hold(key) && stands_before(keys.clone(), place, key))
}

#[inline(never)]
fn stands_before<'a>(keys: impl Iterator<Item = &'a str>, place: usize, key: &str) -> bool {
    keys.take(place).any(|earlier| earlier == key)
}

/// Marks of the texts that were seen: a text is compared with all before it only where one of them
/// left the same mark. Texts that are equal without regard to ASCII case leave the same.
#[derive(Debug, Default)]
struct Seen(u64);

impl Seen {
    /// Whether a text may have been seen before; it is seen now.
    #[inline]
    fn may_hold(&mut self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let last = bytes.last_chunk().map_or(0, |last| {
            // The last two letters tell most keys apart; the upper bits of a product mix both.
            (u32::from(u16::from_le_bytes(*last)) | 0x2020).wrapping_mul(0x9e37_79b1) >> 26
        });
        let first = bytes.first().map_or(0, |first| u32::from(first | 0x20));
        let length = u32::try_from(bytes.len() % 64).unwrap_or_default();
        let mark = 1 << ((last ^ first ^ length) % 64);
        let held = self.0 & mark != 0;
        self.0 |= mark;
        held
    }
}

/// security 4: "A key both new and removed, replace with removed keys, or a removing action that
/// names none: INVALID_ARGUMENT."
fn tag_write(faults: &mut Faults, request: &Request<'_>, action: &ActionView<'_>) {
    let TagWrite {
        set,
        remove_keys,
        remove_all,
        replace,
    } = request.tags;
    let new = set.unwrap_or_default();
    tag_list(faults, new, limits::REQUEST_TAGS);
    if remove_keys.len() > limits::REMOVED_KEYS {
        faults.note(RefusalReason::TagLimit, None);
        return;
    }
    faults.note_if(
        has_duplicate(&remove_keys.iter().copied()),
        RefusalReason::TagKeyDuplicate,
    );
    let both = remove_keys
        .iter()
        .any(|key| new.iter().any(|tag| tag.key == *key));
    // docs/semantics.md 5: `replace` of the catalog too, and an upsert on a known resource.
    let overwrites = action.upsert && request.resources.iter().any(is_known);
    let replaces = replace || action.tags == TagEffect::Replace || overwrites;
    let removes = !remove_keys.is_empty();
    let exclusive = remove_all && (removes || replaces || !new.is_empty());
    let conflict = both || (replaces && removes) || exclusive;
    faults.note_if(conflict, RefusalReason::TagWriteConflict);
    let nothing = action.tags == TagEffect::Remove && !removes && !remove_all;
    faults.note_if(nothing, RefusalReason::RemovedKeysRequired);
}

fn is_known(resource: &Resource<'_>) -> bool {
    resource.name.is_concrete() && !matches!(resource.tags, KnownTags::Unknown)
}

fn context(faults: &mut Faults, snapshot: &Snapshot, entries: &[ContextEntry<'_>]) {
    if entries.len() > limits::CONTEXT_ENTRIES {
        faults.note(RefusalReason::ContextLimit, None);
        return;
    }
    let mut seen = Seen::default();
    for (place, entry) in entries.iter().enumerate() {
        let values = entry.values.len();
        faults.note_if(values > limits::CONTEXT_VALUES, RefusalReason::ContextLimit);
        let derived = is_derived(entry.key, &snapshot.catalog.tag_families);
        faults.note_if(derived, RefusalReason::ContextKeyDerived);
        let twice = seen.may_hold(entry.key)
            && entries
                .iter()
                .take(place)
                .any(|other| other.key.eq_ignore_ascii_case(entry.key));
        faults.note_if(twice, RefusalReason::ContextKeyDuplicate);
        let single =
            snapshot.settings.operators == Operators::Documented || has_prefix(entry.key, "acs:");
        faults.note_if(single && values > 1, RefusalReason::ContextValueInvalid);
    }
}

fn has_prefix(key: &str, prefix: &str) -> bool {
    key.get(..prefix.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
}

/// security 2.6: "A session policy on another kind of principal is INVALID_ARGUMENT."
fn session(faults: &mut Faults, request: &Request<'_>, asker: &Asker<'_>) {
    let (is_role, is_session) = match request.principal {
        PrincipalRef::Role { session, .. } => (true, session.is_some()),
        PrincipalRef::Root { .. }
        | PrincipalRef::User { .. }
        | PrincipalRef::Federated { .. }
        | PrincipalRef::Service { .. } => (false, false),
    };
    let plain = match asker {
        Asker::Identity(known) => known.kind == PrincipalKind::Role(RoleKind::Plain),
        Asker::Unknown | Asker::Foreign => is_role,
        Asker::Root | Asker::External => false,
    };
    match request.session {
        Session::Unstated => faults.note_if(is_session, RefusalReason::SessionRequired),
        Session::None => {}
        Session::Policy(_) => faults.note_if(!plain, RefusalReason::SessionNotApplicable),
    }
}

/// security 7.4: "at start, with none: UNAVAILABLE `ACCOUNT_QUARANTINED`"; the principal's account,
/// then those that own the resources.
fn quarantined(
    faults: &mut Faults,
    request: &Request<'_>,
    action: &ActionView<'_>,
    accounts: &AccountTable,
) {
    let now = request.context.current_time;
    let is_apart = |account: Option<&str>| {
        account.is_some_and(|account| accounts.is_quarantined(account, now))
    };
    let own = is_apart(request.principal.account());
    faults.note_if(own, RefusalReason::AccountQuarantined);
    for (place, resource) in request.resources.iter().enumerate() {
        if is_apart(super::subcheck::owner(resource, request, action)) {
            let subject = Subject::Resource(place);
            faults.note(RefusalReason::AccountQuarantined, Some(subject));
        }
    }
}

/// security 2.5 and 2.10: ids, tags and owner, by the kind of the action.
fn applicable(
    faults: &mut Faults,
    place: usize,
    resource: &Resource<'_>,
    request: &Request<'_>,
    action: &ActionView<'_>,
) {
    let subject = Some(Subject::Resource(place));
    let needs_id = match resource.name {
        ResourceName::All => !action.all_resources,
        ResourceName::Arn(arn) => match action.kind {
            OperationKind::Create | OperationKind::Query => false,
            OperationKind::Update | OperationKind::Other => !arn.is_concrete(),
        },
    };
    if needs_id {
        faults.note(RefusalReason::ResourceIdRequired, subject);
    }
    if matches!(resource.tags, KnownTags::Sent(_)) && !resource.name.is_concrete() {
        faults.note(RefusalReason::TagsNotApplicable, subject);
    }
    if super::subcheck::owner(resource, request, action).is_none() {
        faults.note(RefusalReason::OwnerUnknown, subject);
    }
}
