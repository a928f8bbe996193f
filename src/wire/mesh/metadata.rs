//! Dynamic metadata: what the proxy's access log and the filters after this one see.
//!
//! A proxy pays for each member, about 1 % of what it can do: so a policy and its statement are one,
//! what does not change with the request is left to metrics, and what passes has no route.

use std::collections::BTreeMap;

use prost_types::value::Kind;
use prost_types::{Struct, Value};

use crate::model::caller::Disclosure;
use crate::snapshot::route::Protocol;
use crate::snapshot::{Snapshot, StatementId};

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
    /// The metadata. On every outcome it has the id and the effect.
    pub(super) fn metadata(&self, effect: &str) -> Struct {
        let mut fields = BTreeMap::new();
        let mut put = |name: &str, value| fields.insert(name.to_owned(), value);
        put("decision_id", text(self.id));
        put("effect", text(effect));
        if let Some(route) = self.route.filter(|_| effect != ALLOW) {
            put("route", text(route));
        }
        if let Some((snapshot, disclosure)) = self.decided_by {
            if disclosure >= Disclosure::Reason {
                put("revision", text(&snapshot.revision.number.to_string()));
                if let Some(reason) = self.reason {
                    put("reason", text(reason));
                }
            }
            if disclosure >= Disclosure::Statements
                && let Some(id) = self.statement
                && let Some((policy, statement)) = snapshot.statement(id)
            {
                let deciding = format!("{}/{}", policy.name(), id.index);
                put("statement", text(&deciding));
                if let Some(sid) = statement.sid() {
                    put("sid", text(sid));
                }
            }
        } else if let Some(reason) = self.reason {
            put("reason", text(reason));
        }
        Struct { fields }
    }
}

fn text(text: &str) -> Value {
    Value {
        kind: Some(Kind::StringValue(text.to_owned())),
    }
}
