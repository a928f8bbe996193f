//! `AuthorizeStream`: questions as they arrive, answered in their order.
//!
//! Questions that are there together are answered in one turn, each by the newest snapshot. A stream
//! that tonic reads is answered one by one.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::{Stream, stream};
use tonic::{Status, Streaming};

use super::authorize::Now;
use super::turn::Turn;
use super::{Call, Pdp, Served, YIELD_EVERY};
use crate::model::caller::Rpc;
use crate::model::verdict::RefusalReason;
use crate::service::peer::Peer;
use crate::wire::codec::{PREFIX, append_frame};
use crate::wire::encode::Writer;
use crate::wire::message::{self, Authorize, streamed};
use crate::wire::reply::write_result;
use crate::wire::status::{CallError, Refusal, with_reason};
use crate::wire::v1;

const RPC: Rpc = Rpc::AuthorizeStream;

impl Pdp {
    /// Answers items of a stream from a peer that are there together, and lets others run in between:
    /// appends the answers to those that are there, each behind its prefix.
    ///
    /// # Errors
    ///
    /// What ends a call of `AuthorizeStream`: a peer that may not use it, and an item that is no
    /// message.
    pub async fn stream<'q>(
        self: &Arc<Self>,
        peer: &Arc<Peer>,
        items: impl IntoIterator<Item = &'q [u8]>,
        answers: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        let call = Call {
            peer: Some(Arc::clone(peer)),
            deadline: None,
        };
        let answering = Answering::new(&Served(Arc::clone(self)), call)?;
        let mut turn = answering.turn();
        for item in items {
            if turn.is_over() {
                std::mem::replace(&mut turn, answering.turn()).end();
                tokio::task::yield_now().await;
            }
            match turn.answer(item, answers) {
                Ok(()) => {}
                Err(Unanswered::Later(token)) => {
                    answers.extend(answering.later(item.to_vec(), token).await?);
                }
                Err(Unanswered::Malformed(error)) => return Err(error),
            }
        }
        turn.end();
        Ok(())
    }
}

/// What answers the questions of one stream.
#[derive(Debug, Clone)]
pub(in crate::service) struct Answering {
    pdp: Served,
    call: Arc<Call>,
}

/// An answer that is waited for, with its prefix; the error is one of the stream.
pub(in crate::service) type Later =
    Pin<Box<dyn Future<Output = Result<Vec<u8>, CallError>> + Send>>;

/// Why a question has no answer.
pub(in crate::service) enum Unanswered {
    /// Not yet: its revision has to be waited for.
    Later(v1::RevisionToken),
    /// What was sent is no message: it ends the stream, as it ends a call.
    Malformed(CallError),
}

impl Answering {
    /// For a call that may use the RPC.
    pub(in crate::service) fn new(pdp: &Served, call: Call) -> Result<Self, CallError> {
        pdp.0.check_rpc(&call, RPC)?;
        Ok(Self {
            pdp: pdp.clone(),
            call: Arc::new(call),
        })
    }

    /// The call.
    pub(in crate::service) fn call(&self) -> &Call {
        &self.call
    }

    /// Begins to answer questions that are there.
    pub(in crate::service) fn turn(&self) -> AnsweringTurn<'_> {
        AnsweringTurn {
            answering: self,
            turn: None,
            answered: 0,
        }
    }

    /// Answers a question when its revision is there, or tells in its place why it is not.
    pub(in crate::service) fn later(&self, question: Vec<u8>, token: v1::RevisionToken) -> Later {
        let Self { pdp, call } = self.clone();
        Box::pin(async move {
            let reached = pdp.0.reach(&call, RPC, Some(&token)).await;
            let mut answer = Vec::with_capacity(ANSWER);
            append_frame(&mut answer, |body| {
                with_streamed(&question, |asked| {
                    // What is wrong with a question is told in its place.
                    let _ = write_result(&mut Writer(body), 1, |answer| {
                        reached?;
                        pdp.0.decide_reached(&call, RPC, asked?, answer.0)
                    });
                })
            })?;
            Ok(answer)
        })
    }

    /// Answers the questions of a stream that tonic reads.
    ///
    /// Each question is read when the answer before it was taken: the peer's flow control is the
    /// only queue.
    pub(in crate::service) fn answers(
        self,
        questions: Streaming<Bytes>,
    ) -> impl Stream<Item = Result<Bytes, Status>> + Send {
        let state = OneByOne {
            answering: self,
            questions,
            answered: 0,
        };
        stream::unfold(Some(state), |state| async { state?.next().await })
    }
}

/// Answers to questions that are there together.
pub(in crate::service) struct AnsweringTurn<'s> {
    answering: &'s Answering,
    /// `None` before the first question.
    turn: Option<Turn<'s>>,
    answered: usize,
}

impl AnsweringTurn<'_> {
    /// Whether others should run before the next question.
    pub(in crate::service) fn is_over(&self) -> bool {
        self.answered >= YIELD_EVERY
    }

    /// Answers a question: appends the answer to others, with its prefix.
    pub(in crate::service) fn answer(
        &mut self,
        question: &[u8],
        answers: &mut Vec<u8>,
    ) -> Result<(), Unanswered> {
        let Answering { pdp, call } = self.answering;
        let turn = self.turn.get_or_insert_with(|| Turn::new(&pdp.0));
        self.answered += 1;
        append_frame(answers, |body| {
            let answered = with_streamed(question, |asked| {
                write_result(&mut Writer(body), 1, |answer| {
                    let asked = asked?;
                    pdp.0.now(call, RPC, asked, |caller, snapshot| {
                        turn.decide(caller, snapshot, asked, answer)
                    })
                })
            });
            match answered {
                Ok(Ok(Now::Later(token))) => Err(Unanswered::Later(token)),
                // What is wrong with a question is told in its place.
                Ok(Ok(Now::Answered) | Err(_)) => Ok(()),
                Err(error) => Err(Unanswered::Malformed(error)),
            }
        })
    }

    /// Ends the turn: counts its decisions.
    pub(in crate::service) fn end(self) {
        if let Some(turn) = self.turn {
            turn.done().count(&self.answering.pdp.0, RPC);
        }
    }
}

/// A stream that tonic reads, between two answers.
struct OneByOne {
    answering: Answering,
    questions: Streaming<Bytes>,
    answered: usize,
}

impl OneByOne {
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
            // Tonic writes the prefix.
            Ok(answer) => Some((Ok(Bytes::from(answer).slice(PREFIX..)), Some(self))),
            Err(error) => Some((Err(error.to_status()), None)),
        }
    }

    async fn answer(&self, question: &[u8]) -> Result<Vec<u8>, CallError> {
        let mut answer = Vec::with_capacity(ANSWER);
        let mut turn = self.answering.turn();
        let answered = turn.answer(question, &mut answer);
        turn.end();
        match answered {
            Ok(()) => Ok(answer),
            Err(Unanswered::Later(token)) => self.answering.later(question.to_vec(), token).await,
            Err(Unanswered::Malformed(error)) => Err(error),
        }
    }
}

/// Reads an `AuthorizeStreamRequest` and works with its question, or with what is wrong with it.
fn with_streamed<T>(
    bytes: &[u8],
    work: impl FnOnce(Result<&Authorize<'_>, CallError>) -> T,
) -> Result<T, CallError> {
    let mut question = Authorize::default();
    if let Ok(is_asked) = streamed(bytes, &mut question) {
        return Ok(work(if is_asked {
            Ok(&question)
        } else {
            Err(absent())
        }));
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
