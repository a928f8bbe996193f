//! One request and one snapshot: read, look up, decide, tell. No runtime and no clock.

use std::sync::Arc;

use jiff::Timestamp;

use super::ids::DecisionId;
use super::session::Sessions;
use super::{revision, rights};
use crate::directory::{Directory, Entry};
use crate::engine;
use crate::engine::decision::{Decision, Verdicts};
use crate::engine::explain::Explanation;
use crate::engine::request::Session;
use crate::model::arn::ResourceName;
use crate::model::verdict::RefusalReason;
use crate::snapshot::caller::Caller;
use crate::snapshot::{Policy, Snapshot};
use crate::telemetry::Effect;
use crate::wire::encode::Writer;
use crate::wire::message::Authorize;
use crate::wire::reply::{Asked, is_allowed};
use crate::wire::request::{Found, Question, Resources, SentSession, Storage};
use crate::wire::status::{CallError, Refusal};

/// Where one request is decided.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Desk<'a> {
    /// What decides.
    pub(crate) snapshot: &'a Snapshot,
    /// The live resources.
    pub(crate) directory: &'a Directory,
    /// The session policies that were compiled before.
    pub(crate) sessions: &'a Sessions,
    /// Who asks the server.
    pub(crate) caller: &'a Caller,
    /// The instant of the request.
    pub(crate) now: Timestamp,
}

/// What came of a request, and how many sent values were ignored for it (security 2.3).
pub(crate) struct Answered {
    /// The effect of the answer that was written.
    pub(crate) result: Result<Effect, CallError>,
    pub(crate) ignored: u64,
}

impl Desk<'_> {
    /// Answers one request: writes an `AuthorizeResponse`, or nothing. `id` makes the id of the
    /// decision, if there is one.
    pub(crate) fn answer(
        &self,
        message: &Authorize<'_>,
        id: impl FnOnce() -> DecisionId,
        answer: &mut Writer<'_>,
    ) -> Answered {
        let mut ignored = 0;
        let result = self.try_answer(message, &mut ignored, id, answer);
        Answered { result, ignored }
    }

    fn try_answer(
        &self,
        message: &Authorize<'_>,
        ignored: &mut u64,
        id: impl FnOnce() -> DecisionId,
        answer: &mut Writer<'_>,
    ) -> Result<Effect, CallError> {
        // security 1.1: before evaluation.
        rights::check_request(self.caller, message)?;
        revision::check(&self.snapshot.revision, message.min_revision)?;
        self.consider(
            message,
            ignored,
            |asked, decision, verdicts, explanation| {
                asked.write(decision, verdicts, explanation, &id(), answer);
                if is_allowed(decision) {
                    Effect::Allow
                } else {
                    Effect::Deny
                }
            },
        )
    }

    /// Decides a question that a route made of a proxy's request. What the caller may send of it
    /// are the keys of the context; the rest is the bundle's own.
    pub(crate) fn consider_routed<T>(
        &self,
        message: &Authorize<'_>,
        ignored: &mut u64,
        tell: impl FnOnce(&Asked<'_>, &Decision, &Verdicts, Option<&Explanation>) -> T,
    ) -> Result<T, CallError> {
        rights::check_routed(self.caller, message)?;
        self.consider(message, ignored, tell)
    }

    /// Decides a question whose sender was checked, and tells what came of it.
    fn consider<T>(
        &self,
        message: &Authorize<'_>,
        ignored: &mut u64,
        tell: impl FnOnce(&Asked<'_>, &Decision, &Verdicts, Option<&Explanation>) -> T,
    ) -> Result<T, CallError> {
        let mut storage = Storage::default();
        let question = Question::read(message, &mut storage).map_err(CallError::Refused)?;
        rights::check_principal(self.caller, question.principal, self.snapshot)?;
        let sent = storage.resources().iter();
        let found: Found = sent
            .map(|resource| find(self.directory, resource.name))
            .collect();
        let mut known = Resources::new();
        *ignored = storage.known(&found, &mut known);
        if message.explain {
            self.check_explain(question.principal, &known)?;
        }
        let carried = self.session(&question);
        let session = carried.as_engine(question.session);
        let request = question.as_engine(&storage, &known, session, self.now);
        let asked = Asked {
            snapshot: self.snapshot,
            request: &request,
            disclosure: self.caller.rights.disclosure,
        };
        decide(&asked, message.explain, carried.refusal(), tell)
    }

    /// The session's policy, compiled. Nothing is compiled for a request that is refused anyway.
    pub(in crate::service) fn session(&self, question: &Question<'_>) -> Carried {
        if let Some(late) = &question.late {
            return Carried::Refused(late.clone());
        }
        match question.session {
            SentSession::Unstated | SentSession::None => Carried::Nothing,
            SentSession::Policy(text) => {
                match self.sessions.get(self.caller.id, self.snapshot, text) {
                    Ok(policy) => Carried::Policy(policy),
                    Err(detail) => Carried::Refused(Refusal {
                        reason: RefusalReason::InvalidDocument,
                        field: "session.policy_document".to_owned(),
                        detail,
                    }),
                }
            }
        }
    }
}

/// What the directory knows of a name (security 2.3).
pub(super) fn find(directory: &Directory, name: ResourceName<'_>) -> Option<Entry> {
    if name.is_concrete() {
        directory.find(name.as_str())
    } else {
        None
    }
}

fn decide<T>(
    asked: &Asked<'_>,
    explain: bool,
    late: Option<Refusal>,
    tell: impl FnOnce(&Asked<'_>, &Decision, &Verdicts, Option<&Explanation>) -> T,
) -> Result<T, CallError> {
    let mut verdicts = Verdicts::new();
    let (snapshot, request) = (asked.snapshot, asked.request);
    let (decided, explanation) = if explain {
        let (decided, explanation) = engine::explain::explain(snapshot, request, &mut verdicts);
        (decided, Some(explanation))
    } else {
        (engine::decide_each(snapshot, request, &mut verdicts), None)
    };
    match (decided, late) {
        (Ok(decision), None) => Ok(tell(asked, &decision, &verdicts, explanation.as_ref())),
        // semantics 4: of several reasons the one that stands first is told.
        (Err(refused), Some(late)) if late.reason <= refused.reason => {
            Err(CallError::Refused(late))
        }
        (Err(refused), _) => Err(CallError::Refused(asked.refusal(&refused))),
        (Ok(_), Some(late)) => Err(CallError::Refused(late)),
    }
}

/// What a session carries, compiled.
pub(in crate::service) enum Carried {
    Nothing,
    Policy(Arc<Policy>),
    Refused(Refusal),
}

impl Carried {
    pub(in crate::service) fn as_engine(&self, sent: SentSession<'_>) -> Session<'_> {
        match (self, sent) {
            (Self::Policy(policy), _) => Session::Policy(policy),
            (Self::Nothing | Self::Refused(_), SentSession::Unstated) => Session::Unstated,
            // A policy that cannot be compiled is refused; until then the session has stated one.
            (Self::Nothing | Self::Refused(_), SentSession::None | SentSession::Policy(_)) => {
                Session::None
            }
        }
    }

    pub(in crate::service) fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Nothing | Self::Policy(_) => None,
            Self::Refused(refusal) => Some(refusal.clone()),
        }
    }
}
