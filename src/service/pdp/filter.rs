//! `FilterResources`: which of some resources a principal may see (security 3.7).

use std::sync::Arc;

use jiff::Timestamp;
use tokio::time::Instant;

use super::desk::{Carried, find};
use super::{Call, Pdp, YIELD_EVERY, rights};
use crate::directory::Entry;
use crate::engine;
use crate::engine::decision::Decision;
use crate::engine::request::Resource;
use crate::model::caller::{Disclosure, Rpc};
use crate::model::verdict::{Outcome, RefusalReason, limits};
use crate::snapshot::Snapshot;
use crate::telemetry::Effect;
use crate::wire::message::Context;
use crate::wire::reply::{Asked, told_revision};
use crate::wire::request::{Candidates, Question, SentResource, Storage};
use crate::wire::status::{CallError, CallLimit};
use crate::wire::v1;

/// One call, read.
struct Filtering<'m> {
    snapshot: Arc<Snapshot>,
    storage: Storage<'m>,
    question: Question<'m>,
    candidates: Candidates<'m>,
    carried: Carried,
    now: Timestamp,
    disclosure: Disclosure,
}

impl Pdp {
    pub(crate) async fn filter(
        &self,
        call: &Call,
        message: &v1::FilterResourcesRequest,
    ) -> Result<v1::FilterResourcesResponse, CallError> {
        let rpc = Rpc::FilterResources;
        self.check_rpc(call, rpc)?;
        let found = message.candidates.len();
        if found > limits::CANDIDATES {
            return Err(CallError::OverLimit {
                limit: CallLimit::Candidates,
                found,
            });
        }
        self.reach(call, rpc, message.min_revision.as_ref()).await?;
        let context = Context::from(message.context.as_slice());
        let filtering = self.read_filter(call, message, &context)?;
        let mut arns = Vec::new();
        for (place, candidate) in filtering.candidates.resources().iter().enumerate() {
            if place > 0 && place % YIELD_EVERY == 0 {
                tokio::task::yield_now().await;
            }
            let stored = find(&self.shared.directory, candidate.name);
            let differs = filtering.candidates.differs(candidate, stored.as_ref());
            self.count_ignored(u64::from(differs));
            let start = Instant::now();
            let seen = filtering.sees(place, candidate, stored.as_ref());
            let effect = match seen {
                Ok(true) => Effect::Allow,
                Ok(false) => Effect::Deny,
                Err(_) => Effect::Error,
            };
            self.tally
                .count(Rpc::FilterResources, effect, start.elapsed());
            if seen? {
                arns.push(candidate.name.as_str().to_owned());
            }
        }
        Ok(v1::FilterResourcesResponse {
            arns,
            revision: told_revision(filtering.disclosure, &filtering.snapshot.revision),
            decision_id: self.ids.next().to_string(),
        })
    }

    fn read_filter<'m>(
        &self,
        call: &Call,
        message: &'m v1::FilterResourcesRequest,
        context: &'m Context<'_>,
    ) -> Result<Filtering<'m>, CallError> {
        let snapshot = self.snapshot()?;
        let mut storage = Storage::default();
        let caller = call.caller(&snapshot, Rpc::FilterResources)?;
        rights::check_filter(caller, message)?;
        let (question, candidates) =
            Question::read_filter(message, context, &mut storage).map_err(CallError::Refused)?;
        rights::check_principal(caller, question.principal, &snapshot)?;
        let carried = self.desk(caller, &snapshot).session(&question);
        if let Some(refusal) = carried.refusal() {
            return Err(CallError::Refused(refusal));
        }
        let (now, disclosure) = (Timestamp::now(), caller.rights.disclosure);
        Ok(Filtering {
            snapshot,
            storage,
            question,
            candidates,
            carried,
            now,
            disclosure,
        })
    }
}

impl<'m> Filtering<'m> {
    /// Whether the principal may see a candidate.
    fn sees(
        &self,
        place: usize,
        candidate: &SentResource<'m>,
        stored: Option<&Entry>,
    ) -> Result<bool, CallError> {
        // security 3.7: a candidate without the request's tags is dropped, and then only resource
        // tags, group, type and ARN decide.
        match self.candidates.known(candidate, stored) {
            Some(known) => self.decide(place, known),
            None => Ok(false),
        }
    }

    fn decide(&self, place: usize, known: Resource<'_>) -> Result<bool, CallError> {
        let session = self.carried.as_engine(self.question.session);
        let resources = [known];
        let request = self
            .question
            .as_engine(&self.storage, &resources, session, self.now);
        match engine::decide(&self.snapshot, &request) {
            Ok(Decision {
                outcome,
                reason,
                obligations,
                ..
            }) => Ok(outcome == Outcome::Allow && reason.is_none() && obligations.is_empty()),
            // security 3.7: what is not known is dropped.
            Err(refused) if refused.reason == RefusalReason::ResourceUnknown => Ok(false),
            Err(refused) => {
                let (snapshot, disclosure) = (&*self.snapshot, self.disclosure);
                let asked = Asked {
                    snapshot,
                    request: &request,
                    disclosure,
                };
                let mut refusal = asked.refusal(&refused);
                let here = format!("candidates[{place}]");
                refusal.field = refusal.field.replacen("resources[0]", &here, 1);
                Err(CallError::Refused(refusal))
            }
        }
    }
}
