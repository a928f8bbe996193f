//! Keys that calls of an action always carry and that were read as absent (security 2.2).

use crate::engine::request::{Context, Request};
use crate::model::settings::MissingRequired;
use crate::snapshot::Snapshot;
use crate::snapshot::action::FoldedAction;

/// The missing keys: first those of every action, then the action's own.
pub(super) fn keys(snapshot: &Snapshot, request: &Request<'_>) -> Vec<String> {
    // Where a missing key refuses the request, none was read as absent.
    if snapshot.settings.missing_required == MissingRequired::Refuse {
        return Vec::new();
    }
    let Context {
        source_ip,
        secure_transport,
        entries,
        ..
    } = request.context;
    let mut missing = Vec::new();
    if source_ip.is_none() {
        missing.push("acs:SourceIp".to_owned());
    }
    if secure_transport.is_none() {
        missing.push("acs:SecureTransport".to_owned());
    }
    let found = snapshot.actions.find(&FoldedAction::new(request.action));
    let facts = found.action.and_then(|action| action.facts.as_ref());
    let required = facts.map(|facts| &*facts.required_keys).unwrap_or_default();
    let sent = |key: &str| {
        entries
            .iter()
            .any(|entry| entry.key.eq_ignore_ascii_case(key) && !entry.values.is_empty())
    };
    missing.extend(
        required
            .iter()
            .filter(|key| !sent(key))
            .map(ToString::to_string),
    );
    missing
}
