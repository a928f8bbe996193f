//! Refusals to decide, with the part of the message that each is about.

use super::Asked;
use crate::engine::decision::{Refused, Subject};
use crate::model::caller::Disclosure;
use crate::model::verdict::RefusalReason;
use crate::snapshot::StatementId;
use crate::wire::status::Refusal;

impl Asked<'_> {
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
