//! `AuthorizeStream`: questions as they arrive, answered in their order.

use bytes::Bytes;
use futures_util::{Stream, stream};
use tonic::{Status, Streaming};

use super::authorize::Now;
use super::batch::write_result;
use super::{Call, Served, YIELD_EVERY};
use crate::model::caller::Rpc;
use crate::model::verdict::RefusalReason;
use crate::wire::encode::Writer;
use crate::wire::message::{self, Authorize, streamed};
use crate::wire::status::{CallError, Refusal, with_reason};
use crate::wire::v1;

const RPC: Rpc = Rpc::AuthorizeStream;

impl Served {
    /// Answers a call of `AuthorizeStream`.
    ///
    /// Each question is read when the answer before it was taken: the peer's flow control is the
    /// only queue.
    pub(crate) fn answers(
        &self,
        call: Call,
        questions: Streaming<Bytes>,
    ) -> Result<impl Stream<Item = Result<Bytes, Status>> + Send + use<>, CallError> {
        self.0.check_rpc(&call, RPC)?;
        let state = Answering {
            pdp: self.clone(),
            call,
            questions,
            answered: 0,
        };
        Ok(stream::unfold(Some(state), |state| async {
            state?.next().await
        }))
    }
}

/// A stream between two answers.
struct Answering {
    pdp: Served,
    call: Call,
    questions: Streaming<Bytes>,
    answered: usize,
}

impl Answering {
    async fn next(mut self) -> Option<(Result<Bytes, Status>, Option<Self>)> {
        let question = match self.questions.message().await {
            Ok(question) => question?,
            Err(status) => return Some((Err(with_reason(&status)), None)),
        };
        self.answered = self.answered.wrapping_add(1);
        if self.answered.is_multiple_of(YIELD_EVERY) {
            tokio::task::yield_now().await;
        }
        match self.answer(&question).await {
            Ok(answer) => Some((Ok(answer), Some(self))),
            // What is no message ends the stream, as it ends a call.
            Err(error) => Some((Err(error.to_status()), None)),
        }
    }

    /// The answer to one question; the error is one of the stream.
    async fn answer(&self, question: &[u8]) -> Result<Bytes, CallError> {
        let mut answer = Vec::with_capacity(ANSWER);
        let mut now = with_streamed(question, |asked| {
            self.pdp.0.decide_now(&self.call, RPC, asked?, &mut answer)
        })?;
        if let Ok(Now::Later(token)) = &now {
            now = match self.pdp.0.reach(&self.call, RPC, Some(token)).await {
                Ok(()) => with_streamed(question, |asked| {
                    let reached = self
                        .pdp
                        .0
                        .decide_reached(&self.call, RPC, asked?, &mut answer);
                    reached.map(|()| Now::Answered)
                })?,
                Err(error) => Err(error),
            };
        }
        let mut message = Vec::with_capacity(ANSWER);
        write_result(now, &answer, 1, &mut Writer(&mut message));
        Ok(message.into())
    }
}

/// Reads an `AuthorizeStreamRequest` and works with its question, or with what is wrong with it.
fn with_streamed<T>(
    bytes: &[u8],
    work: impl FnOnce(Result<&Authorize<'_>, CallError>) -> T,
) -> Result<T, CallError> {
    if let Ok(question) = streamed(bytes) {
        return Ok(work(question.as_ref().ok_or_else(absent)));
    }
    let v1::AuthorizeStreamRequest { request } = message::decode(bytes)?;
    let question = request.as_ref().map(Authorize::from);
    Ok(work(question.as_ref().ok_or_else(absent)))
}

fn absent() -> CallError {
    CallError::Refused(Refusal {
        reason: RefusalReason::InvalidRequest,
        field: "request".to_owned(),
        detail: "absent".to_owned(),
    })
}

/// How many bytes most answers fit into.
const ANSWER: usize = 256;
