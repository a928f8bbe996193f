//! What all questions have around their resources: who asks for what, and the circumstances.

use super::fault::Faults;
use super::{Question, SentSession, Storage};
use crate::model::action::{ActionRef, InvalidAction};
use crate::model::arn::{InvalidArn, PrincipalRef};
use crate::model::catalog::OperationKind;
use crate::model::verdict::{RefusalReason, limits};
use crate::wire::message;
use crate::wire::status::Refusal;
use crate::wire::v1;

/// Who asks, and for what, as far as it can be read.
pub(super) struct Names<'m> {
    principal: Result<PrincipalRef<'m>, InvalidArn>,
    action: Result<ActionRef<'m>, InvalidAction>,
}

impl<'m> Names<'m> {
    /// Reads both.
    pub(super) fn read(principal: &'m str, action: &'m str, faults: &mut Faults) -> Self {
        let names = Self {
            principal: PrincipalRef::parse(principal),
            action: ActionRef::parse(action),
        };
        if let Err(error) = names.principal {
            faults.add(INVALID, || "principal".to_owned(), error.to_string());
        }
        if let Err(error) = names.action {
            faults.add(INVALID, || "action".to_owned(), error.to_string());
        }
        names
    }
}

const INVALID: RefusalReason = RefusalReason::InvalidRequest;

/// A name that cannot be read ends the reading.
#[cold]
fn unread(field: &str, error: &impl ToString) -> Refusal {
    Refusal {
        reason: INVALID,
        field: field.to_owned(),
        detail: error.to_string(),
    }
}

/// In which circumstances something is asked: the parts that all messages share.
pub(super) struct Around<'p, 'm> {
    pub(super) context: &'p message::Context<'m>,
    pub(super) session: Option<message::Session<'p>>,
    pub(super) kind: i32,
    pub(super) understands_obligations: bool,
}

impl<'p> Around<'p, '_> {
    /// Reads the rest of a question and tells what is wrong with all of it.
    pub(super) fn read(
        self,
        names: &Names<'p>,
        storage: &mut Storage<'p>,
        mut faults: Faults,
    ) -> Result<Question<'p>, Refusal> {
        storage.context.read(self.context, &mut faults);
        let session = read_session(self.session, &mut faults);
        let kind = read_kind(self.kind, &mut faults);
        let late = faults.into_result()?;
        let Names { principal, action } = *names;
        Ok(Question {
            principal: principal.map_err(|error| unread("principal", &error))?,
            action: action.map_err(|error| unread("action", &error))?,
            session,
            kind,
            understands_obligations: self.understands_obligations,
            late,
        })
    }
}

fn read_session<'m>(message: Option<message::Session<'m>>, faults: &mut Faults) -> SentSession<'m> {
    match message {
        None => SentSession::Unstated,
        Some(message::Session::Unset) => {
            let detail = "neither `policy_document` nor `none`";
            faults.add(
                RefusalReason::InvalidRequest,
                || "session".to_owned(),
                detail,
            );
            SentSession::Unstated
        }
        Some(message::Session::None) => SentSession::None,
        Some(message::Session::Policy(text)) => {
            let limit = limits::SESSION_POLICY_CHARS;
            if text.is_empty() || text.chars().take(limit + 1).count() > limit {
                let field = || "session.policy_document".to_owned();
                let detail = format!("not 1 to {limit} characters");
                faults.add(RefusalReason::InvalidDocument, field, detail);
            }
            SentSession::Policy(text)
        }
    }
}

fn read_kind(kind: i32, faults: &mut Faults) -> Option<OperationKind> {
    match v1::OperationKind::try_from(kind) {
        Ok(v1::OperationKind::Unspecified) => None,
        Ok(v1::OperationKind::Create) => Some(OperationKind::Create),
        Ok(v1::OperationKind::Query) => Some(OperationKind::Query),
        Ok(v1::OperationKind::Update) => Some(OperationKind::Update),
        Ok(v1::OperationKind::Other) => Some(OperationKind::Other),
        Err(_) => {
            faults.add(
                RefusalReason::InvalidRequest,
                || "kind".to_owned(),
                "not a known kind",
            );
            None
        }
    }
}
