//! `Authorize`: from the bytes of a question to the bytes of its answer.

use bytes::Bytes;

use super::{Call, Pdp, revision, rights};
use crate::model::caller::Rpc;
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::wire::codec::{begin_frame, end_frame};
use crate::wire::message::{Authorize, with_question};
use crate::wire::status::CallError;
use crate::wire::v1;

/// What came of a question at once.
pub(super) enum Now {
    /// The answer was written.
    Answered,
    /// The revision that is asked for was not reached, and the call has time to wait for it.
    Later(v1::RevisionToken),
}

impl Pdp {
    /// Answers a call of `Authorize` at once, with the prefix that stands before a message; `None`:
    /// the revision that is asked for has to be waited for.
    pub(crate) fn authorize_now(
        &self,
        call: &Call,
        request: &[u8],
    ) -> Result<Option<Bytes>, CallError> {
        let rpc = Rpc::Authorize;
        let mut answer = begin_frame(ANSWER);
        let now = with_question(request, |question| {
            self.now(call, rpc, question, |caller, snapshot| {
                self.decide(rpc, caller, snapshot, question, &mut answer)
            })
        })?;
        Ok(match now {
            Now::Answered => Some(end_frame(answer)),
            Now::Later(_) => None,
        })
    }

    /// Answers a call of `Authorize`.
    pub(crate) async fn authorize(&self, call: &Call, request: Bytes) -> Result<Bytes, CallError> {
        let rpc = Rpc::Authorize;
        let mut answer = Vec::with_capacity(ANSWER);
        let now = with_question(&request, |question| {
            self.now(call, rpc, question, |caller, snapshot| {
                self.decide(rpc, caller, snapshot, question, &mut answer)
            })
        })?;
        if let Now::Later(token) = now {
            self.reach(call, rpc, Some(&token)).await?;
            with_question(&request, |question| {
                self.decide_reached(call, rpc, question, &mut answer)
            })?;
        }
        Ok(answer.into())
    }

    /// Decides one request against the newest snapshot, if that is new enough for it.
    pub(super) fn now(
        &self,
        call: &Call,
        rpc: Rpc,
        question: &Authorize<'_>,
        decide: impl FnOnce(&Caller, &Snapshot) -> Result<(), CallError>,
    ) -> Result<Now, CallError> {
        self.with_newest(|snapshot| {
            let caller = call.caller(snapshot, rpc)?;
            if let Some(token) = question.min_revision {
                rights::check_min_revision(caller, true)?;
                match revision::check(&snapshot.revision, Some(token)) {
                    Err(CallError::RevisionNotReached { .. }) if call.deadline.is_some() => {
                        return Ok(Now::Later(token.into()));
                    }
                    checked => checked?,
                }
            }
            decide(caller, snapshot)?;
            Ok(Now::Answered)
        })
    }

    /// Decides one request whose revision was waited for.
    pub(super) fn decide_reached(
        &self,
        call: &Call,
        rpc: Rpc,
        question: &Authorize<'_>,
        answer: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        self.with_newest(|snapshot| {
            self.decide(rpc, call.caller(snapshot, rpc)?, snapshot, question, answer)
        })
    }
}

/// How many bytes most answers fit into; at most double of what they are, so that they are left in
/// their place when they are whole.
const ANSWER: usize = 128;
