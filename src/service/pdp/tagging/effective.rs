//! `GetEffectiveTagPolicy`: the policy in its canonical form, and who put each value there.

use super::sight::may;
use crate::document::tag_policy::canonical;
use crate::engine::request::{KnownGroup, KnownTags, Resource};
use crate::model::arn::{PrincipalRef, ResourceName};
use crate::model::caller::Rpc;
use crate::model::organization::TagMode;
use crate::model::tag_policy::{Cell, Lock, Note, NoteKind, Origin};
use crate::model::verdict::RefusalReason;
use crate::service::pdp::{Call, Pdp, rights};
use crate::wire::reply;
use crate::wire::status::{CallError, Refusal, TaggingFault};
use crate::wire::v1;

/// The action by which a principal sees an effective policy.
const GET_POLICY: &str = "tag:GetEffectivePolicy";

impl Pdp {
    pub(super) fn effective_tag_policy(
        &self,
        call: &Call,
        message: &v1::GetEffectiveTagPolicyRequest,
    ) -> Result<v1::GetEffectiveTagPolicyResponse, CallError> {
        let v1::GetEffectiveTagPolicyRequest {
            principal,
            account,
            mode,
        } = message;
        let snapshot = self.snapshot()?;
        // security 1.2: anonymous callers have "the decision RPCs and ValidateTagging".
        let caller = call.caller(&snapshot, Rpc::GetEffectiveTagPolicy)?;
        let mode = read_mode(*mode)?;
        if !principal.is_empty() {
            let arn = format!("acs:tag:*:{account}:*");
            let principal = PrincipalRef::parse(principal)
                .map_err(|error| invalid("principal", error.to_string()))?;
            rights::check_principal(caller, principal, &snapshot)?;
            let name =
                ResourceName::parse(&arn).map_err(|error| invalid("account", error.to_string()))?;
            let resource = Resource {
                name,
                tags: KnownTags::Unknown,
                group: KnownGroup::None,
                owner: None,
            };
            if !may(&snapshot, principal, GET_POLICY, resource) {
                return Err(CallError::Tagging {
                    reason: TaggingFault::NotAuthorized,
                    field: "principal",
                });
            }
        }
        let node = snapshot.tags.account(account).ok_or(CallError::Tagging {
            reason: TaggingFault::NodeNotFound,
            field: "account",
        })?;
        let path = node.path();
        let staged = node.policies.of(mode);
        let provenance = &staged.provenance;
        let notes = provenance.notes.iter();
        Ok(v1::GetEffectiveTagPolicyResponse {
            dialect: staged.policy.dialect.to_string(),
            policy_json: canonical(&staged.policy).to_string(),
            origins: provenance
                .cells
                .iter()
                .flat_map(|cell| {
                    let kept = cell.values.iter().map(|value| (value, false));
                    let removed = cell.removed.iter().map(|value| (value, true));
                    let all = kept.chain(removed);
                    all.map(|((value, by), removed)| origin(&path, &cell.cell, value, by, removed))
                })
                .collect(),
            notes: notes.map(|found| note(&path, found)).collect(),
            path: path.iter().map(|name| (*name).to_owned()).collect(),
            revision: Some(reply::revision(&snapshot.revision)),
        })
    }
}

fn invalid(field: &str, detail: String) -> CallError {
    CallError::Refused(Refusal {
        reason: RefusalReason::InvalidRequest,
        field: field.to_owned(),
        detail,
    })
}

fn read_mode(mode: i32) -> Result<TagMode, CallError> {
    match v1::TagPolicyMode::try_from(mode) {
        Ok(v1::TagPolicyMode::Unspecified | v1::TagPolicyMode::Enforce) => Ok(TagMode::Enforce),
        Ok(v1::TagPolicyMode::Warn) => Ok(TagMode::Warn),
        Ok(v1::TagPolicyMode::Report) => Ok(TagMode::Report),
        Err(_) => Err(invalid("mode", "not a known mode".to_owned())),
    }
}

fn at(path: &[&str], depth: usize) -> String {
    path.get(depth).copied().unwrap_or_default().to_owned()
}

fn origin(
    path: &[&str],
    cell: &Cell,
    value: &str,
    by: &Origin,
    removed: bool,
) -> v1::TagValueOrigin {
    v1::TagValueOrigin {
        section: cell.section.as_str().to_owned(),
        policy_key: cell.key.to_string(),
        setting: cell.setting.as_str().to_owned(),
        value: value.to_owned(),
        removed,
        node: at(path, by.depth),
        policy: by.policy.to_string(),
        operator: by.operator.to_string(),
    }
}

fn note(path: &[&str], note: &Note) -> v1::TagPolicyNote {
    let named = |depth, policy: &str| format!("{}: {policy}", at(path, depth));
    let origins = |origins: &[Origin]| -> Vec<String> {
        let origins = origins.iter();
        origins.map(|by| named(by.depth, &by.policy)).collect()
    };
    let held = |locks: &[Lock]| -> Vec<String> {
        let locks = locks.iter();
        locks.map(|lock| named(lock.depth, &lock.policy)).collect()
    };
    let (code, others) = match &note.kind {
        NoteKind::Locked(locks) => ("LOCKED", held(locks)),
        NoteKind::ScopeUnderLock(locks) => ("SCOPE_UNDER_LOCK", held(locks)),
        NoteKind::EmptyScope => ("EMPTY_SCOPE", Vec::new()),
        NoteKind::OverLimit { contributors, .. } => ("OVER_LIMIT", origins(contributors)),
        NoteKind::PeerAssigned(by) => ("PEER_ASSIGNED", origins(std::slice::from_ref(by))),
        NoteKind::PeerRemoved(by) => ("PEER_REMOVED", origins(std::slice::from_ref(by))),
        NoteKind::Weakened(_) => ("WEAKENED", Vec::new()),
        NoteKind::TargetNotAllowed(value) => ("TARGET_NOT_ALLOWED", vec![value.to_string()]),
        NoteKind::Inert => ("INERT", Vec::new()),
    };
    let by = note.by.as_ref();
    v1::TagPolicyNote {
        section: note.cell.section.as_str().to_owned(),
        policy_key: note.cell.key.to_string(),
        setting: note.cell.setting.as_str().to_owned(),
        node: by.map(|by| at(path, by.depth)).unwrap_or_default(),
        policy: by.map(|by| by.policy.to_string()).unwrap_or_default(),
        operator: by.map(|by| by.operator.to_string()).unwrap_or_default(),
        code: code.to_owned(),
        others,
    }
}
