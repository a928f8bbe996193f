//! `BatchAuthorize`: many questions against one snapshot, read and answered one after the other.
//!
//! What only prost can settle starts anew with what prost made of the bytes. Nothing is told and
//! nothing is counted of a batch that turns out to be malformed.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::{Call, Pdp, YIELD_EVERY};
use crate::model::caller::Rpc;
use crate::model::verdict::limits;
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::telemetry::Effect;
use crate::wire::encode::Writer;
use crate::wire::message::{self, Authorize, Items, Unread};
use crate::wire::status::{CallError, CallLimit};
use crate::wire::v1;

const RPC: Rpc = Rpc::BatchAuthorize;

impl Pdp {
    /// Answers a call of `BatchAuthorize`.
    pub(crate) async fn batch(&self, call: &Call, request: Bytes) -> Result<Bytes, CallError> {
        let snapshot = self.snapshot()?;
        let caller = call.caller(&snapshot, RPC)?;
        if let Ok((requests, sub_checks)) = Items::new(&request).count() {
            check_budget(requests, sub_checks)?;
            let mut batch = Batch::new(self, caller, &snapshot, requests);
            if batch.answer_bytes(&request).await == Ok(()) {
                return Ok(batch.end());
            }
        }
        let v1::BatchAuthorizeRequest { requests } = message::decode(&request)?;
        let sub_checks = requests.iter().map(|request| request.resources.len()).sum();
        check_budget(requests.len(), sub_checks)?;
        let mut batch = Batch::new(self, caller, &snapshot, requests.len());
        for request in &requests {
            batch.answer(&request.into()).await;
        }
        Ok(batch.end())
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
    /// When the question before was answered.
    last: Instant,
    counted: Vec<(Effect, Duration)>,
    ignored: u64,
    /// One answer, before its length is known.
    one: Vec<u8>,
    answers: Vec<u8>,
}

impl<'a> Batch<'a> {
    fn new(pdp: &'a Pdp, caller: &'a Caller, snapshot: &'a Snapshot, requests: usize) -> Self {
        Self {
            pdp,
            caller,
            snapshot,
            last: Instant::now(),
            counted: Vec::with_capacity(requests),
            ignored: 0,
            one: Vec::with_capacity(ANSWER),
            answers: Vec::with_capacity(requests.saturating_mul(ANSWER)),
        }
    }

    async fn answer_bytes(&mut self, request: &[u8]) -> Result<(), Unread> {
        let mut items = Items::new(request);
        while let Some(bytes) = items.next_item()? {
            self.rest().await;
            let mut question = Authorize::default();
            question.merge(bytes)?;
            self.answer_one(&question);
        }
        Ok(())
    }

    async fn answer(&mut self, question: &Authorize<'_>) {
        self.rest().await;
        self.answer_one(question);
    }

    /// Lets others run from time to time.
    async fn rest(&mut self) {
        let answered = self.counted.len();
        if answered > 0 && answered.is_multiple_of(YIELD_EVERY) {
            tokio::task::yield_now().await;
            self.last = Instant::now();
        }
    }

    fn answer_one(&mut self, question: &Authorize<'_>) {
        let Self { pdp, one, .. } = self;
        one.clear();
        let desk = pdp.desk(self.caller, self.snapshot);
        let answered = desk.answer(question, || pdp.ids.next(), &mut Writer(one));
        self.ignored = self.ignored.saturating_add(answered.ignored);
        let now = Instant::now();
        let effect = *answered.result.as_ref().unwrap_or(&Effect::Error);
        self.counted.push((effect, now - self.last));
        self.last = now;
        write_result(answered.result, one, 1, &mut Writer(&mut self.answers));
    }

    fn end(self) -> Bytes {
        self.pdp.count_ignored(self.ignored);
        for (effect, duration) in self.counted {
            self.pdp.tally.count(RPC, effect, duration);
        }
        self.answers.into()
    }
}

/// Writes an `AuthorizeResult`: the answer, or why there is none.
pub(super) fn write_result<T>(
    answered: Result<T, CallError>,
    answer: &[u8],
    field: u32,
    message: &mut Writer<'_>,
) {
    message.message(field, |result| match answered {
        Ok(_) => result.bytes(1, answer),
        Err(error) => result.owned(2, &error.to_item()),
    });
}

/// How many bytes most answers fit into.
const ANSWER: usize = 192;
