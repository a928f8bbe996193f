//! Dynamic metadata: what the proxy's access log and the filters after this one see.
//!
//! A proxy pays for each member, about 1 % of what it can do: so a policy and its statement are one,
//! what does not change with the request is left to metrics, and what passes has no route.

use std::fmt::Display;

use crate::model::caller::Disclosure;
use crate::snapshot::route::Protocol;
use crate::snapshot::{Snapshot, StatementId};
use crate::wire::encode::Writer;

/// The effect of what passes.
pub(super) const ALLOW: &str = "ALLOW";

/// What came of a request, as far as it is known.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Told<'a> {
    /// The id of the decision.
    pub(crate) id: &'a str,
    /// Whether the request is a call of gRPC.
    pub(crate) protocol: Protocol,
    /// The route; told of what does not pass.
    pub(crate) route: Option<&'a str>,
    /// What decided, and how much of it the caller may see.
    pub(crate) decided_by: Option<(&'a Snapshot, Disclosure)>,
    /// Why it is no ALLOW.
    pub(crate) reason: Option<&'a str>,
    /// The statement that decided.
    pub(crate) statement: Option<StatementId>,
}

impl Told<'_> {
    /// Writes the metadata, a `Struct`, its members in the order of their names. On every outcome it
    /// has the id and the effect.
    pub(super) fn write_metadata(&self, effect: &str, metadata: &mut Writer<'_>) {
        put(metadata, "decision_id", self.id);
        put(metadata, "effect", effect);
        let discloses = |least| {
            self.decided_by
                .is_none_or(|(_, disclosed)| disclosed >= least)
        };
        if let Some(reason) = self.reason.filter(|_| discloses(Disclosure::Reason)) {
            put(metadata, "reason", reason);
        }
        if let Some((snapshot, _)) = self.decided_by.filter(|_| discloses(Disclosure::Reason)) {
            put(metadata, "revision", snapshot.revision.number);
        }
        if let Some(route) = self.route.filter(|_| effect != ALLOW) {
            put(metadata, "route", route);
        }
        if let Some((snapshot, _)) = self
            .decided_by
            .filter(|_| discloses(Disclosure::Statements))
            && let Some(id) = self.statement
            && let Some((policy, statement)) = snapshot.statement(id)
        {
            if let Some(sid) = statement.sid() {
                put(metadata, "sid", sid);
            }
            let deciding = format_args!("{}/{}", policy.name(), id.index);
            put(metadata, "statement", deciding);
        }
    }
}

/// Adds a member that is a text.
fn put(metadata: &mut Writer<'_>, name: &str, value: impl Display) {
    metadata.message(1, |entry| {
        entry.text(1, name);
        entry.message(2, |text| text.shown(3, value));
    });
}
