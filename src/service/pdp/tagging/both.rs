//! `AuthorizeTagging`: may the principal write these tags, and do they comply, in one snapshot.

use tokio::time::Instant;

use super::facts::{Change, Facts, Settled, node};
use super::outcome;
use super::sight::unknown;
use crate::directory::Entry;
use crate::engine::compliance::validate_staged;
use crate::engine::edits::{Fix, Replacing, Target, fix};
use crate::engine::request::{KnownTags, Request, Resource};
use crate::engine::tagging::{Inheritance, Tags};
use crate::engine::{self};
use crate::model::caller::Rpc;
use crate::model::catalog::{OperationKind, TagEffect};
use crate::model::compliance::TagHistory;
use crate::model::verdict::{Outcome, RefusalReason};
use crate::service::pdp::desk::{Desk, find};
use crate::service::pdp::{Call, Pdp, rights};
use crate::snapshot::Snapshot;
use crate::telemetry::Effect;
use crate::wire::message::Authorize;
use crate::wire::reply::{self, Asked};
use crate::wire::request::{Found, Question as Sent, Resources, Storage};
use crate::wire::status::{CallError, Refusal};
use crate::wire::v1;

impl Pdp {
    pub(super) async fn authorize_tagging(
        &self,
        call: &Call,
        message: &v1::AuthorizeTaggingRequest,
    ) -> Result<v1::AuthorizeTaggingResponse, CallError> {
        let v1::AuthorizeTaggingRequest { request } = message;
        let absent = || invalid("request", "absent");
        let request = request.as_ref().ok_or_else(absent)?;
        if request.explain {
            return Err(invalid("request.explain", "nothing is explained here"));
        }
        let rpc = Rpc::AuthorizeTagging;
        self.reach(call, rpc, request.min_revision.as_ref()).await?;
        let snapshot = self.snapshot()?;
        self.both(call, &snapshot, request)
    }

    /// Asks both questions of a snapshot, and counts the decision.
    fn both(
        &self,
        call: &Call,
        snapshot: &Snapshot,
        message: &v1::AuthorizeRequest,
    ) -> Result<v1::AuthorizeTaggingResponse, CallError> {
        let start = Instant::now();
        let answered = self.try_both(call, snapshot, message);
        let effect = match &answered {
            Ok(response) if response.effect() == v1::Effect::Allow => Effect::Allow,
            Ok(_) => Effect::Deny,
            Err(_) => Effect::Error,
        };
        self.tally
            .count(Rpc::AuthorizeTagging, effect, start.elapsed());
        answered
    }

    fn try_both(
        &self,
        call: &Call,
        snapshot: &Snapshot,
        message: &v1::AuthorizeRequest,
    ) -> Result<v1::AuthorizeTaggingResponse, CallError> {
        let caller = call.caller(snapshot, Rpc::AuthorizeTagging)?;
        let message = Authorize::from(message);
        // security 1.1: before evaluation.
        rights::check_request(caller, &message)?;
        let now = self.shared.clock.now();
        let desk = Desk {
            snapshot,
            directory: &self.shared.directory,
            sessions: &self.shared.sessions,
            caller,
            now,
        };
        let mut storage = Storage::default();
        let sent = Sent::read(&message, &mut storage).map_err(CallError::Refused)?;
        rights::check_principal(caller, sent.principal, snapshot)?;
        let resources = storage.resources().iter();
        let found: Found = resources
            .map(|resource| find(desk.directory, resource.name))
            .collect();
        let mut known = Resources::new();
        self.count_ignored(storage.known(&found, &mut known));
        let carried = desk.session(&sent);
        if let Some(late) = carried.refusal() {
            return Err(CallError::Refused(late));
        }
        let session = carried.as_engine(sent.session);
        let request = sent.as_engine(&storage, &known, session, now);
        let asked = Asked {
            snapshot,
            request: &request,
            disclosure: caller.rights.disclosure,
        };
        let decision = engine::decide(snapshot, &request)
            .map_err(|refused| CallError::Refused(asked.refusal(&refused)))?;
        let mut response = v1::AuthorizeTaggingResponse {
            effect: v1::Effect::Deny.into(),
            reason: v1::TaggingReason::NotAuthorized.into(),
            decision_id: self.ids.next().to_string(),
            ..v1::AuthorizeTaggingResponse::default()
        };
        // security 8: "a RAM refusal says NOT_AUTHORIZED, no edits".
        if decision.outcome != Outcome::Allow {
            return Ok(response);
        }
        response.revision = Some(reply::revision(&snapshot.revision));
        let write = Write::new(snapshot, &request);
        let mut asked_of = Vec::with_capacity(known.len());
        for ((resource, sent), stored) in known.iter().zip(storage.resources()).zip(&found) {
            asked_of.push(write.of(resource, sent.kind, stored.as_ref())?);
        }
        self.judge(&asked_of, &mut response)?;
        if response.verdicts.iter().any(|verdict| verdict.intercepted) {
            response.reason = v1::TaggingReason::Intercepted.into();
        } else {
            response.effect = v1::Effect::Allow.into();
            response.reason = v1::TaggingReason::Unspecified.into();
            response.obligations = asked.obligations(&decision);
        }
        Ok(response)
    }

    /// Judges all resources, and finds the edits that make all of them right.
    fn judge(
        &self,
        asked_of: &[Option<(Settled<'_>, Replacing)>],
        response: &mut v1::AuthorizeTaggingResponse,
    ) -> Result<(), CallError> {
        let mut taggings = Vec::with_capacity(asked_of.len());
        for asked in asked_of {
            let Some((settled, replacing)) = asked else {
                response.verdicts.push(v1::TaggingVerdict {
                    compliant: true,
                    ..v1::TaggingVerdict::default()
                });
                continue;
            };
            let tagging = settled.tagging()?;
            let verdict = validate_staged(&settled.staged, &tagging);
            let rpc = Rpc::AuthorizeTagging;
            self.tally.count_outcome(rpc, outcome(&verdict));
            response.verdicts.push(reply::tagging::verdict(&verdict));
            taggings.push((settled, tagging, *replacing));
        }
        let targets: Vec<Target<'_, '_>> = taggings
            .iter()
            .map(|(settled, tagging, replacing)| Target {
                rules: settled.staged.enforced(),
                tagging,
                replacing: *replacing,
            })
            .collect();
        let Fix { edits, is_complete } = fix(&targets);
        response.edits_complete = is_complete && !edits.is_empty();
        response.edits = edits.iter().map(reply::tagging::edit).collect();
        Ok(())
    }
}

fn invalid(field: &str, detail: &str) -> CallError {
    CallError::Refused(Refusal {
        reason: RefusalReason::InvalidRequest,
        field: field.to_owned(),
        detail: detail.to_owned(),
    })
}

/// What a request does with tags.
struct Write<'a> {
    snapshot: &'a Snapshot,
    request: &'a Request<'a>,
    kind: OperationKind,
    upserts: bool,
    replaces: bool,
    target: bool,
}

impl<'a> Write<'a> {
    fn new(snapshot: &'a Snapshot, request: &'a Request<'a>) -> Self {
        let facts = snapshot.catalog.facts(request.action);
        Self {
            snapshot,
            request,
            kind: request.kind.unwrap_or(facts.kind),
            upserts: facts.upsert,
            replaces: request.tags.replace || facts.tags == TagEffect::Replace,
            target: facts.tags == TagEffect::Target,
        }
    }

    /// semantics 9: the resource being made.
    fn makes(&self, resource: &Resource<'_>) -> bool {
        let new = match resource.tags {
            KnownTags::Unknown => true,
            KnownTags::Sent(_) | KnownTags::Stored(_) => !resource.name.is_concrete(),
        };
        let creates = self.kind == OperationKind::Create && !self.target;
        new && (creates || (self.upserts && resource.name.is_concrete()))
    }

    /// What the call does to one resource; `None`: nothing.
    fn of(
        &self,
        resource: &Resource<'a>,
        kind: &'a str,
        stored: Option<&'a Entry>,
    ) -> Result<Option<(Settled<'a>, Replacing)>, CallError> {
        let makes = self.makes(resource);
        if !makes && self.kind == OperationKind::Create && !self.target {
            // An existing parent takes no tags from a create (security 3.2).
            return Ok(None);
        }
        let current = match resource.tags {
            _ if makes => Tags::Sent(&[]),
            KnownTags::Sent(tags) => Tags::Sent(tags),
            KnownTags::Stored(tags) => Tags::Stored(tags),
            KnownTags::Unknown => return Err(unknown("request.resources")),
        };
        let own = makes.then(|| self.request.principal.account()).flatten();
        let node = node(self.snapshot, resource.name, stored, own)?;
        let mut write = self.request.tags;
        write.replace |= self.replaces || (self.upserts && !makes);
        let replacing = match (write.remove_all, write.replace) {
            (true, _) => Replacing::Everything,
            (false, true) => Replacing::All,
            (false, false) => Replacing::Named,
        };
        let facts = Facts {
            name: resource.name,
            kind,
            stored,
            group: resource.group,
            current,
            change: if makes {
                Change::Create(write.set.unwrap_or_default())
            } else {
                Change::of_write(&write, current)
            },
            inheritance: Inheritance::Unknown,
            history: TagHistory::Unknown,
        };
        Ok(Some((facts.settle(self.snapshot, node)?, replacing)))
    }
}
