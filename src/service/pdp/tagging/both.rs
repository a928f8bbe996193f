//! `AuthorizeTagging`: may the principal write these tags, and do they comply, in one snapshot.

use super::{Facts, node, removed, unknown};
use crate::engine::compliance::{Rules, Staged, validate};
use crate::engine::edits::{Edit, Replacing, edits};
use crate::engine::request::{KnownTags, Request, Resource};
use crate::engine::tagging::{Inheritance, Operation, Question, Tagging, Tags};
use crate::engine::{self};
use crate::model;
use crate::model::caller::Rpc;
use crate::model::catalog::{OperationKind, TagEffect};
use crate::model::compliance::TagHistory;
use crate::model::tag::TagRef;
use crate::model::verdict::{Outcome, RefusalReason, limits};
use crate::service::pdp::desk::{Desk, find};
use crate::service::pdp::{Call, Pdp, rights};
use crate::snapshot::Snapshot;
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

    fn both(
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
        for ((resource, sent), stored) in known.iter().zip(storage.resources()).zip(&found) {
            write.judge(resource, sent.kind, stored.as_deref(), &mut response)?;
        }
        if response.verdicts.iter().any(|verdict| verdict.intercepted) {
            response.reason = v1::TaggingReason::Intercepted.into();
        } else {
            response.effect = v1::Effect::Allow.into();
            response.reason = v1::TaggingReason::Unspecified.into();
            response.obligations = asked.obligations(&decision);
        }
        Ok(response)
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

    fn judge(
        &self,
        resource: &Resource<'a>,
        kind: &str,
        stored: Option<&model::resource::Resource>,
        response: &mut v1::AuthorizeTaggingResponse,
    ) -> Result<(), CallError> {
        let tags = &self.request.tags;
        let set = tags.set.unwrap_or_default();
        let makes = self.makes(resource);
        if !makes && self.kind == OperationKind::Create && !self.target {
            // An existing parent takes no tags from a create (security 3.2).
            let verdict = v1::TaggingVerdict {
                compliant: true,
                ..v1::TaggingVerdict::default()
            };
            response.verdicts.push(verdict);
            return Ok(());
        }
        let current = match resource.tags {
            _ if makes => Tags::Sent(&[]),
            KnownTags::Sent(tags) => Tags::Sent(tags),
            KnownTags::Stored(tags) => Tags::Stored(tags),
            KnownTags::Unknown => return Err(unknown("request.resources")),
        };
        let own = makes.then(|| self.request.principal.account()).flatten();
        let node = node(self.snapshot, resource.name, stored, own)?;
        let mut write = *tags;
        write.replace |= self.replaces || (self.upserts && !makes);
        let replacing = if write.replace {
            Replacing::All
        } else {
            Replacing::Named
        };
        let removed = removed(&write, current);
        let facts = Facts {
            name: resource.name,
            kind,
            stored,
            group: resource.group,
            current,
            operation: if makes {
                Operation::Create(set)
            } else {
                Operation::Write {
                    set,
                    removed: &removed,
                }
            },
            inheritance: Inheritance::Unknown,
            history: TagHistory::Unknown,
        };
        let (verdict, fix) = facts.judge(self.snapshot, node, |staged, tagging, verdict| {
            let fix = Fix::new(staged, tagging, replacing, write.remove_all);
            (reply::tagging::verdict(verdict), fix)
        })?;
        response.verdicts.push(verdict);
        fix.add(response);
        Ok(())
    }
}

/// The edits for one resource.
enum Fix {
    /// Nothing is wrong.
    Needless,
    Edits {
        edits: Vec<v1::TagEdit>,
        complete: bool,
    },
}

impl Fix {
    fn new(staged: &Staged<'_>, tagging: &Tagging<'_>, replacing: Replacing, all: bool) -> Self {
        let rules = Rules {
            policy: staged.enforce,
            settings: staged.settings,
            capabilities: staged.capabilities,
        };
        let verdict = validate(&rules, tagging);
        if verdict.is_compliant() {
            return Self::Needless;
        }
        let found = if all {
            None
        } else {
            edits(&rules, tagging, replacing, &verdict)
        };
        let Some(found) = found else {
            return Self::Edits {
                edits: Vec::new(),
                complete: false,
            };
        };
        Self::Edits {
            complete: is_enough(&rules, tagging, replacing, &found),
            edits: found.iter().map(reply::tagging::edit).collect(),
        }
    }

    /// Puts the edits beside those for the resources before: all must ask for the same.
    fn add(self, response: &mut v1::AuthorizeTaggingResponse) {
        let Self::Edits { edits, complete } = self else {
            return;
        };
        if response.edits.is_empty() {
            response.edits = edits;
            response.edits_complete = complete;
        } else if response.edits != edits {
            response.edits_complete = false;
        } else {
            response.edits_complete &= complete;
        }
        if response.verdicts.len() > 1 {
            let same = response.verdicts.windows(2).all(|pair| match pair {
                [one, other] => one.violations == other.violations,
                _ => true,
            });
            response.edits_complete &= same;
        }
    }
}

/// Whether the tags comply after the edits, and the write is within its limits.
fn is_enough(
    rules: &Rules<'_>,
    tagging: &Tagging<'_>,
    replacing: Replacing,
    edits: &[Edit<'_>],
) -> bool {
    let question = tagging.question();
    let mut set: Vec<TagRef<'_>> = question.operation.set().to_vec();
    let mut removed: Vec<&str> = question.operation.removed().to_vec();
    for edit in edits {
        match *edit {
            Edit::Drop { key } => set.retain(|tag| tag.key != key),
            Edit::Keep { key } => removed.retain(|known| *known != key),
            Edit::Remove { key } => removed.push(key),
            Edit::Rename {
                key,
                new_key,
                value,
            } => {
                set.retain(|tag| tag.key != key && tag.key != new_key);
                let value = value.text();
                set.push(TagRef {
                    key: new_key,
                    value,
                });
            }
            Edit::Set { key, value } => {
                set.retain(|tag| tag.key != key);
                let value = value.text();
                set.push(TagRef { key, value });
            }
        }
    }
    removed.retain(|key| !set.iter().any(|tag| tag.key == *key));
    if replacing == Replacing::All {
        let keys = question.current.iter().map(|tag| tag.key);
        removed = keys
            .filter(|key| !set.iter().any(|tag| tag.key == *key))
            .collect();
    }
    let operation = match question.operation {
        Operation::Create(_) => Operation::Create(&set),
        Operation::Detect | Operation::Write { .. } => Operation::Write {
            set: &set,
            removed: &removed,
        },
    };
    let after = Tagging::new(Question {
        operation,
        ..*question
    });
    let within = set.len() <= limits::REQUEST_TAGS && removed.len() <= limits::REMOVED_KEYS;
    within && after.is_ok_and(|after| validate(rules, &after).is_compliant())
}
