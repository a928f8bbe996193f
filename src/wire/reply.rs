//! Decisions as messages: as much as the caller may see, and no more (security 8).

mod explained;
mod missing;
mod names;
mod refused;
pub(crate) mod tagging;

use arrayvec::ArrayVec;

use self::names::{effect, layer, outcome_reason, shown, told};
use super::encode::{Writer, hex};
use super::status::CallError;
use super::v1;
use crate::engine::decision::{Cause, Decision, Verdict, Verdicts};
use crate::engine::explain::Explanation;
use crate::engine::request::Request;
use crate::model::caller::Disclosure;
use crate::model::verdict::{Outcome, limits};
use crate::snapshot::{PolicyId, Revision, Snapshot, StatementId};

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
    /// Writes the answer to one question, an `AuthorizeResponse`.
    pub(crate) fn write(
        &self,
        decision: &Decision,
        verdicts: &Verdicts,
        explanation: Option<&Explanation>,
        decision_id: &str,
        answer: &mut Writer<'_>,
    ) {
        let Decision {
            outcome: _,
            reason,
            on_deny,
            cause,
            obligations: _,
        } = decision;
        let allowed = is_allowed(decision);
        answer.value(1, effect(allowed));
        if !allowed {
            answer.value(2, shown(*on_deny));
        }
        if self.disclosure >= Disclosure::Reason {
            answer.value(3, reason.map_or(v1::Reason::Unspecified, told));
            let (layer, level) = layer(cause.layer);
            answer.value(4, layer);
            answer.number(5, level);
        }
        if self.disclosure >= Disclosure::Statements {
            self.write_statements(*cause, verdicts, answer);
            self.write_verdicts(verdicts, answer);
        }
        if allowed && !decision.obligations.is_empty() {
            for obligation in self.obligations(decision) {
                answer.owned(8, &obligation);
            }
        }
        if self.disclosure >= Disclosure::Statements {
            for key in missing::keys(self.snapshot, self.request) {
                answer.bytes(9, key.as_bytes());
            }
        }
        if self.disclosure >= Disclosure::Reason {
            answer.message(10, |message| {
                write_revision(&self.snapshot.revision, message);
            });
        }
        answer.text(11, decision_id);
        if self.disclosure >= Disclosure::Explanation
            && let Some(explanation) = explanation
        {
            answer.owned(12, &explained::explanation(explanation));
        }
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
    fn write_statements(&self, cause: Cause, verdicts: &[Verdict], answer: &mut Writer<'_>) {
        let mut told = ArrayVec::<StatementId, { limits::RESOURCES + 1 }>::new();
        let causes = verdicts.iter().map(|verdict| verdict.cause);
        for id in std::iter::once(cause)
            .chain(causes)
            .filter_map(|cause| cause.statement)
        {
            if !told.contains(&id) {
                answer.message(6, |message| self.write_statement(id, message));
                // INVARIANT: there are no more verdicts than resources.
                let _ = told.try_push(id);
            }
        }
    }

    fn write_statement(&self, id: StatementId, message: &mut Writer<'_>) {
        match self.snapshot.statement(id) {
            Some((policy, statement)) => {
                message.text(1, &policy.name);
                message.text(2, statement.sid.as_deref().unwrap_or_default());
            }
            None if id.policy == PolicyId::SESSION => message.text(1, "session"),
            None => {}
        }
        message.number(3, id.index);
    }

    fn write_verdicts(&self, verdicts: &[Verdict], answer: &mut Writer<'_>) {
        for (resource, verdict) in self.request.resources.iter().zip(verdicts) {
            answer.message(7, |message| {
                let (layer, level) = layer(verdict.cause.layer);
                message.text(1, resource.name.as_str());
                message.value(2, effect(verdict.outcome == Outcome::Allow));
                message.value(3, outcome_reason(verdict.outcome));
                message.value(4, layer);
                message.number(5, level);
                if let Some(id) = verdict.cause.statement {
                    message.message(6, |statement| self.write_statement(id, statement));
                }
            });
        }
    }
}

/// Writes an `AuthorizeResult` as a field of a message: the answer, or why there is none.
pub(crate) fn write_result<T>(
    message: &mut Writer<'_>,
    field: u32,
    answer: impl FnOnce(&mut Writer<'_>) -> Result<T, CallError>,
) -> Result<T, CallError> {
    message.message(field, |result| {
        let answered = result.try_message(1, answer);
        if let Err(error) = &answered {
            result.owned(2, &error.to_item());
        }
        answered
    })
}

/// Whether a decision is told as an ALLOW. A reason without an outcome is an obligation that the
/// asker does not understand.
pub(crate) fn is_allowed(decision: &Decision) -> bool {
    decision.outcome == Outcome::Allow && decision.reason.is_none()
}

fn write_revision(revision: &Revision, message: &mut Writer<'_>) {
    message.bytes(1, &hex(revision.source));
    message.number(2, revision.number);
    message.bytes(3, &hex(revision.digest));
}

/// A revision as a message. Source and digest are written in hexadecimal.
pub(crate) fn revision(revision: &Revision) -> v1::Revision {
    v1::Revision {
        source: source_text(revision),
        number: revision.number,
        digest: format!("{:016x}", revision.digest),
    }
}

/// The revision, for callers that are told it.
pub(crate) fn told_revision(disclosure: Disclosure, told: &Revision) -> Option<v1::Revision> {
    (disclosure >= Disclosure::Reason).then(|| revision(told))
}

/// The source of a revision as text.
pub(crate) fn source_text(revision: &Revision) -> String {
    format!("{:016x}", revision.source)
}

/// The source that a text is; `None`, if it is none.
pub(crate) fn source_number(text: &str) -> Option<u64> {
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let is_source = text.len() == 16 && text.bytes().all(is_digit);
    is_source.then(|| u64::from_str_radix(text, 16).ok())?
}

fn shift(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
