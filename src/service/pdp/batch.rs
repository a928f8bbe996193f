//! `BatchAuthorize`: many questions against one snapshot, read and answered one after the other.
//!
//! What only prost can settle starts anew with what prost made of the bytes. Nothing is told and
//! nothing is counted of a batch that turns out to be malformed.

use super::turn::{Done, Turn};
use super::{Pdp, YIELD_EVERY, rights};
use crate::model::caller::{Origin, Rpc};
use crate::model::verdict::limits;
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::wire::encode::Writer;
use crate::wire::message::{self, Authorize, Items, Unread};
use crate::wire::reply::write_result;
use crate::wire::status::{CallError, CallLimit};
use crate::wire::v1;

const RPC: Rpc = Rpc::BatchAuthorize;

impl Pdp {
    /// Answers many requests from somewhere, and lets others run in between: appends the bytes of the
    /// answer to those that are there.
    ///
    /// # Errors
    ///
    /// As a call of `BatchAuthorize`.
    pub async fn batch(
        &self,
        origin: &Origin,
        request: &[u8],
        answers: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        let snapshot = self.snapshot()?;
        let caller = snapshot.callers.find(origin);
        rights::check_rpc(caller, RPC)?;
        if let Ok((requests, sub_checks)) = Items::new(request).count() {
            check_budget(requests, sub_checks)?;
            let begin = answers.len();
            let mut batch = Batch::new(self, caller, &snapshot, requests, answers);
            if batch.answer_bytes(request).await == Ok(()) {
                batch.end();
                return Ok(());
            }
            answers.truncate(begin);
        }
        let v1::BatchAuthorizeRequest { requests } = message::decode(request)?;
        let sub_checks = requests.iter().map(|request| request.resources.len()).sum();
        check_budget(requests.len(), sub_checks)?;
        let mut batch = Batch::new(self, caller, &snapshot, requests.len(), answers);
        for request in &requests {
            batch.rest().await;
            batch.answer(&request.into());
        }
        batch.end();
        Ok(())
    }
}

/// security 9: sub-checks are counted before work.
fn check_budget(requests: usize, sub_checks: usize) -> Result<(), CallError> {
    let over = |limit, found| Err(CallError::OverLimit { limit, found });
    if requests > limits::BATCH {
        return over(CallLimit::Batch, requests);
    }
    if sub_checks > limits::SUB_CHECKS {
        return over(CallLimit::SubChecks, sub_checks);
    }
    Ok(())
}

/// A batch that is being answered.
struct Batch<'a> {
    pdp: &'a Pdp,
    caller: &'a Caller,
    snapshot: &'a Snapshot,
    turn: Turn<'a>,
    /// How many decisions the turn has made.
    made: usize,
    done: Vec<Done>,
    answers: &'a mut Vec<u8>,
}

impl<'a> Batch<'a> {
    fn new(
        pdp: &'a Pdp,
        caller: &'a Caller,
        snapshot: &'a Snapshot,
        requests: usize,
        answers: &'a mut Vec<u8>,
    ) -> Self {
        answers.reserve(requests.saturating_mul(ANSWER));
        Self {
            pdp,
            caller,
            snapshot,
            turn: Turn::new(pdp),
            made: 0,
            done: Vec::new(),
            answers,
        }
    }

    async fn answer_bytes(&mut self, request: &[u8]) -> Result<(), Unread> {
        let mut items = Items::new(request);
        while let Some(bytes) = items.next_item()? {
            self.rest().await;
            let mut question = Authorize::default();
            question.merge(bytes)?;
            self.answer(&question);
        }
        Ok(())
    }

    /// Lets others run from time to time.
    async fn rest(&mut self) {
        if self.made == YIELD_EVERY {
            self.done.push(self.turn.done());
            tokio::task::yield_now().await;
            self.turn = Turn::new(self.pdp);
            self.made = 0;
        }
    }

    fn answer(&mut self, question: &Authorize<'_>) {
        let Self {
            turn,
            caller,
            snapshot,
            answers,
            ..
        } = self;
        self.made += 1;
        // What is wrong with a question is told in its place.
        let _ = write_result(&mut Writer(answers), 1, |answer| {
            turn.decide(caller, snapshot, question, answer)
        });
    }

    fn end(self) {
        for done in self.done.into_iter().chain([self.turn.done()]) {
            done.count(self.pdp, RPC);
        }
    }
}

/// How many bytes most answers fit into.
const ANSWER: usize = 128;
