//! Decisions as messages: as much as the caller may see, and no more (security 8).

mod explained;
mod missing;
pub(crate) mod tagging;

use crate::engine::decision::{Cause, Decision, Refused, Subject, Verdict, Verdicts};
use crate::engine::explain::Explanation;
use crate::engine::request::Request;
use crate::model::caller::Disclosure;
use crate::model::verdict::{DenyReason, Layer, OnDeny, Outcome, RefusalReason};
use crate::snapshot::{PolicyId, Revision, Snapshot, StatementId};

use super::status::Refusal;
use super::v1;

/// What an answer is made from, beside the decision.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// What decided.
    pub(crate) snapshot: &'a Snapshot,
    /// What was asked.
    pub(crate) request: &'a Request<'a>,
    /// How much is told.
    pub(crate) disclosure: Disclosure,
}

impl Asked<'_> {
    /// The answer to one question.
    pub(crate) fn reply(
        &self,
        decision: &Decision,
        verdicts: &Verdicts,
        explanation: Option<&Explanation>,
        decision_id: String,
    ) -> v1::AuthorizeResponse {
        let Decision {
            outcome,
            reason,
            on_deny,
            cause,
            obligations: _,
        } = decision;
        // A reason without an outcome: an obligation that the asker does not understand.
        let allowed = *outcome == Outcome::Allow && reason.is_none();
        let mut message = v1::AuthorizeResponse {
            effect: effect(allowed).into(),
            on_deny: if allowed {
                v1::OnDeny::Unspecified
            } else {
                shown(*on_deny)
            }
            .into(),
            decision_id,
            ..v1::AuthorizeResponse::default()
        };
        if allowed {
            message.obligations = self.obligations(decision);
        }
        if self.disclosure >= Disclosure::Reason {
            message.reason = reason.map_or(v1::Reason::Unspecified, told).into();
            (message.layer, message.control_level) = layer(cause.layer);
            message.revision = Some(revision(&self.snapshot.revision));
        }
        if self.disclosure >= Disclosure::Statements {
            message.statements = self.statements(*cause, verdicts);
            message.verdicts = self.verdicts(verdicts);
            message.missing_keys = missing::keys(self.snapshot, self.request);
        }
        if self.disclosure >= Disclosure::Explanation {
            message.explanation = explanation.map(explained::explanation);
        }
        message
    }

    /// A refusal to decide, with the part of the message that it is about.
    pub(crate) fn refusal(&self, refused: &Refused) -> Refusal {
        let Refused { reason, subject } = *refused;
        let (field, detail) = match subject {
            Some(Subject::Resource(place)) => (format!("resources[{place}]"), String::new()),
            Some(Subject::Condition { statement, place }) => {
                ("context".to_owned(), self.key(statement, place))
            }
            None => (default_field(reason).to_owned(), String::new()),
        };
        let detail = if detail.is_empty() {
            describe(reason).to_owned()
        } else {
            detail
        };
        Refusal {
            reason,
            field,
            detail,
        }
    }

    /// The key that a refusal is about. Keys that policies read are told from level 2 on.
    fn key(&self, statement: StatementId, place: u16) -> String {
        if self.disclosure < Disclosure::Statements {
            return String::new();
        }
        let statement = self.snapshot.statement(statement);
        let condition = statement.and_then(|(_, found)| found.conditions.get(usize::from(place)));
        condition.map_or_else(String::new, |condition| {
            format!("the key `{}`", condition.key)
        })
    }

    pub(crate) fn obligations(&self, decision: &Decision) -> Vec<v1::Obligation> {
        use v1::obligation::Obligation;
        let mut list = Vec::new();
        if let Some(mask) = decision.obligations.filter_tags {
            let sent = self.request.tags.set.unwrap_or_default().iter().enumerate();
            let tested =
                sent.filter(|(place, _)| mask.checked_shr(shift(*place)).unwrap_or(0) & 1 == 1);
            let tag = |tag: &crate::model::tag::TagRef<'_>| v1::Tag {
                key: tag.key.to_owned(),
                value: tag.value.to_owned(),
            };
            let tags = tested.map(|(_, sent)| tag(sent)).collect();
            list.push(Obligation::MustFilterTags(v1::MustFilterTags { tags }));
        }
        if decision.obligations.filter_results {
            list.push(Obligation::FilterResults(v1::FilterResults {}));
        }
        list.into_iter()
            .map(|one| v1::Obligation {
                obligation: Some(one),
            })
            .collect()
    }

    /// What decided, first; then what decided each resource, each statement once.
    fn statements(&self, cause: Cause, verdicts: &[Verdict]) -> Vec<v1::StatementRef> {
        let mut ids: Vec<StatementId> = Vec::new();
        let causes = verdicts.iter().map(|verdict| verdict.cause);
        for id in std::iter::once(cause)
            .chain(causes)
            .filter_map(|cause| cause.statement)
        {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        ids.into_iter().map(|id| self.statement(id)).collect()
    }

    fn statement(&self, id: StatementId) -> v1::StatementRef {
        let index = u32::from(id.index);
        match self.snapshot.statement(id) {
            Some((policy, statement)) => v1::StatementRef {
                policy: policy.name.to_string(),
                sid: statement.sid.as_deref().unwrap_or_default().to_owned(),
                index,
            },
            None if id.policy == PolicyId::SESSION => v1::StatementRef {
                policy: "session".to_owned(),
                sid: String::new(),
                index,
            },
            None => v1::StatementRef {
                policy: String::new(),
                sid: String::new(),
                index,
            },
        }
    }

    fn verdicts(&self, verdicts: &[Verdict]) -> Vec<v1::ResourceVerdict> {
        let asked = self.request.resources.iter().zip(verdicts);
        asked
            .map(|(resource, verdict)| {
                let (layer, control_level) = layer(verdict.cause.layer);
                v1::ResourceVerdict {
                    arn: resource.name.as_str().to_owned(),
                    effect: effect(verdict.outcome == Outcome::Allow).into(),
                    reason: outcome_reason(verdict.outcome).into(),
                    layer,
                    control_level,
                    statement: verdict.cause.statement.map(|id| self.statement(id)),
                }
            })
            .collect()
    }
}

/// A revision as a message. Source and digest are written in hexadecimal.
pub(crate) fn revision(revision: &Revision) -> v1::Revision {
    v1::Revision {
        source: source_text(revision),
        number: revision.number,
        digest: format!("{:016x}", revision.digest),
    }
}

/// The source of a revision as text.
pub(crate) fn source_text(revision: &Revision) -> String {
    format!("{:016x}", revision.source)
}

fn shift(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

fn effect(allowed: bool) -> v1::Effect {
    if allowed {
        v1::Effect::Allow
    } else {
        v1::Effect::Deny
    }
}

fn shown(on_deny: OnDeny) -> v1::OnDeny {
    match on_deny {
        OnDeny::Error => v1::OnDeny::Error,
        OnDeny::EmptyResult => v1::OnDeny::EmptyResult,
    }
}

fn told(reason: DenyReason) -> v1::Reason {
    match reason {
        DenyReason::Implicit => v1::Reason::ImplicitDeny,
        DenyReason::Explicit => v1::Reason::ExplicitDeny,
        DenyReason::PrincipalUnknown => v1::Reason::PrincipalUnknown,
        DenyReason::ObligationRequired => v1::Reason::ObligationRequired,
        DenyReason::ResourceUnknown => v1::Reason::ResourceUnknown,
    }
}

fn outcome_reason(outcome: Outcome) -> v1::Reason {
    match outcome {
        Outcome::Allow => v1::Reason::Unspecified,
        Outcome::ImplicitDeny => v1::Reason::ImplicitDeny,
        Outcome::ExplicitDeny => v1::Reason::ExplicitDeny,
    }
}

fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "allowed",
        Outcome::ImplicitDeny => "no Allow holds",
        Outcome::ExplicitDeny => "a Deny holds",
    }
}

fn layer(layer: Option<Layer>) -> (i32, u32) {
    let (layer, level) = match layer {
        None => (v1::Layer::Unspecified, 0),
        Some(Layer::Control { level }) => (v1::Layer::Control, level),
        Some(Layer::Session) => (v1::Layer::Session, 0),
        Some(Layer::Identity) => (v1::Layer::Identity, 0),
        Some(Layer::ResourceGroup) => (v1::Layer::ResourceGroup, 0),
        Some(Layer::ResourceBased) => (v1::Layer::ResourceBased, 0),
        Some(Layer::AccountOwner) => (v1::Layer::AccountOwner, 0),
    };
    (layer.into(), u32::from(level))
}

fn layer_text(layer: Layer) -> String {
    match layer {
        Layer::Control { level } => format!("control policies of level {level}"),
        Layer::Session => "session policy".to_owned(),
        Layer::Identity => "identity policies of the account".to_owned(),
        Layer::ResourceGroup => "identity policies of the resource group".to_owned(),
        Layer::ResourceBased => "resource-based policies".to_owned(),
        Layer::AccountOwner => "owner of the account".to_owned(),
    }
}

/// The field that a refusal is about where the engine names no part.
fn default_field(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::InvalidRequest => "",
        RefusalReason::NoResource
        | RefusalReason::ResourceLimit
        | RefusalReason::ResourceDuplicate
        | RefusalReason::ResourceIdRequired
        | RefusalReason::TagsNotApplicable
        | RefusalReason::OwnerUnknown
        | RefusalReason::ResourceUnknown => "resources",
        RefusalReason::TagKeyDuplicate
        | RefusalReason::TagLimit
        | RefusalReason::TagWriteConflict => "tag_write",
        RefusalReason::RemovedKeysRequired => "tag_write.remove_keys",
        RefusalReason::ContextLimit
        | RefusalReason::ContextKeyDerived
        | RefusalReason::ContextKeyDuplicate
        | RefusalReason::ContextValueInvalid
        | RefusalReason::ContextKeyMissing => "context",
        RefusalReason::SessionNotApplicable | RefusalReason::SessionRequired => "session",
        RefusalReason::InvalidDocument => "session.policy_document",
        RefusalReason::KindNotStricter => "kind",
        RefusalReason::AccountQuarantined => "principal",
    }
}

/// What a refusal means, for people.
fn describe(reason: RefusalReason) -> &'static str {
    match reason {
        RefusalReason::InvalidRequest => "breaks a grammar or a length",
        RefusalReason::NoResource => "no resource is named",
        RefusalReason::ResourceLimit => "more resources than are taken",
        RefusalReason::ResourceDuplicate => "one ARN is given twice",
        RefusalReason::TagKeyDuplicate => "one tag key is given twice",
        RefusalReason::TagLimit => "more tags than are taken",
        RefusalReason::TagWriteConflict => {
            "tags are set and removed in ways that exclude each other"
        }
        RefusalReason::RemovedKeysRequired => "the action removes tags and names no key",
        RefusalReason::ContextLimit => "more context entries or values than are taken",
        RefusalReason::ContextKeyDerived => "a key that the server derives",
        RefusalReason::ContextKeyDuplicate => "two keys are equal without regard to case",
        RefusalReason::SessionNotApplicable => "the principal can have no session policy",
        RefusalReason::SessionRequired => {
            "a role session must state its policy, or that it has none"
        }
        RefusalReason::InvalidDocument => "not a valid session policy",
        RefusalReason::KindNotStricter => "less strict than the catalog's kind",
        RefusalReason::ResourceIdRequired => "the action needs the id of one resource",
        RefusalReason::TagsNotApplicable => {
            "tags are taken only for an ARN that names one resource"
        }
        RefusalReason::OwnerUnknown => "the account that owns the resource cannot be told",
        RefusalReason::AccountQuarantined => "the documents of its account are refused",
        RefusalReason::ContextValueInvalid => {
            "a value cannot be read as the type it is compared as"
        }
        RefusalReason::ContextKeyMissing => "a key that is always present was not sent",
        RefusalReason::ResourceUnknown => "its tags or its group are needed and not known",
    }
}

#[cfg(test)]
mod tests;
