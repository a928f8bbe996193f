//! Tags that a request sets, removes, or tells of its resources.

use crate::model::arn::ResourceName;
use crate::model::bundle::Bundle;
use crate::model::catalog::{ActionFacts, TagEffect};
use crate::model::request::{AccessRequest, RequestTags};
use crate::model::tag::{TagRef, check_key};
use crate::model::verdict::{RefusalReason, limits};

use super::super::subcheck::{Part, part_of};

/// The faults of all tags of a request.
pub(super) fn faults(
    bundle: &Bundle,
    request: &AccessRequest,
    facts: &ActionFacts,
    names: &[ResourceName<'_>],
) -> Vec<RefusalReason> {
    let mut faults = Vec::new();
    for asked in &request.resources {
        if let Some(tags) = &asked.tags {
            faults.extend(set_faults(tags, limits::RESOURCE_TAGS));
        }
    }
    let tags = &request.tags;
    if let Some(set) = &tags.set {
        faults.extend(set_faults(set, limits::REQUEST_TAGS));
    }
    faults.extend(removal_faults(tags));
    let replace = tags.replace || catalog_replaces(bundle, request, facts, names);
    faults.extend(conflicts(tags, replace));
    // Decision 5: an action whose catalog entry says `remove` needs keys, or `remove_all`.
    if facts.tags == TagEffect::Remove && tags.remove_keys.is_empty() && !tags.remove_all {
        faults.push(RefusalReason::RemovedKeysRequired);
    }
    faults
}

/// security 2.10: over a limit the call is refused, never truncated. security 7.3: texts.
fn set_faults(tags: &[(String, String)], limit: usize) -> Vec<RefusalReason> {
    let mut faults = Vec::new();
    if tags.len() > limit {
        faults.push(RefusalReason::TagLimit);
    }
    for (key, value) in tags {
        if TagRef::parse(key, value).is_err() {
            faults.push(RefusalReason::InvalidRequest);
        }
    }
    if twice(tags.iter().map(|(key, _)| key)) {
        faults.push(RefusalReason::TagKeyDuplicate);
    }
    faults
}

fn removal_faults(tags: &RequestTags) -> Vec<RefusalReason> {
    let mut faults = Vec::new();
    if tags.remove_keys.len() > limits::REMOVED_KEYS {
        faults.push(RefusalReason::TagLimit);
    }
    if tags.remove_keys.iter().any(|key| check_key(key).is_err()) {
        faults.push(RefusalReason::InvalidRequest);
    }
    // Decision 5: so is a removed key that stands twice.
    if twice(tags.remove_keys.iter()) {
        faults.push(RefusalReason::TagKeyDuplicate);
    }
    faults
}

fn twice<'a>(keys: impl Iterator<Item = &'a String>) -> bool {
    let mut seen: Vec<&String> = Vec::new();
    for key in keys {
        if seen.contains(&key) {
            return true;
        }
        seen.push(key);
    }
    false
}

/// Decision 5: a key both new and removed, `replace` with removed keys, `remove_all` with any
/// other.
fn conflicts(tags: &RequestTags, replace: bool) -> Vec<RefusalReason> {
    let set = tags.set.as_deref().unwrap_or_default();
    let both = set
        .iter()
        .any(|(key, _)| tags.remove_keys.iter().any(|removed| removed == key));
    let removes = !tags.remove_keys.is_empty();
    let all_and_other = tags.remove_all && (removes || replace || !set.is_empty());
    if both || (replace && removes) || all_and_other {
        vec![RefusalReason::TagWriteConflict]
    } else {
        Vec::new()
    }
}

/// Decision 5: `tags = replace`, or `upsert` on a known resource.
fn catalog_replaces(
    bundle: &Bundle,
    request: &AccessRequest,
    facts: &ActionFacts,
    names: &[ResourceName<'_>],
) -> bool {
    let known = |name: &ResourceName<'_>| {
        let asked = request
            .resources
            .iter()
            .any(|asked| asked.arn == name.as_str() && asked.tags.is_some());
        let stored = bundle
            .resources
            .iter()
            .any(|stored| stored.arn.as_str() == name.as_str());
        part_of(facts, *name, asked || stored) == Part::Existing
    };
    facts.tags == TagEffect::Replace || (facts.upsert && names.iter().any(known))
}
