//! A call of `AuthorizeStream` as nearly all are: messages that are not compressed and not over the
//! limit.
//!
//! The questions that arrived are answered in one go, in one piece of the answer's body; nothing is
//! waited for to make it larger. What is unusual is left to tonic, with what was read of the body:
//! only it knows what is wrong. Further questions are read when the answers were taken: the peer's
//! flow control is the only queue.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use tonic::Status;
use tonic::body::Body;

use super::body::{Unread, status_of, status_ok, with_body};
use super::cut::{Cutter, Next};
use super::open::{Open, Stream};
use super::{BoxAnswer, Services};
use crate::service::authorization::Method;
use crate::service::pdp::{self, Answering, Later, Unanswered};
use crate::wire::status::CallError;

/// How many bytes of answers are sent in one piece, but for the last of them.
const PIECE: usize = 32 * 1_024;

/// Begins to answer a call.
pub(super) fn answer(
    services: &Arc<Services>,
    call: pdp::Call,
    request: Request<Incoming>,
) -> Response<Body> {
    let deadline = call.deadline;
    let answering = match Answering::new(&services.authorization.pdp, call) {
        Ok(answering) => answering,
        Err(error) => return error.to_status().into_http(),
    };
    let answers = Answers {
        services: Arc::clone(services),
        answering,
        questions: Some(Questions {
            request,
            cutter: Cutter::new(services.authorization.message_bytes),
        }),
        state: State::Open,
        expected: 0,
    };
    let open = Open::new(answers, deadline, services.phases.clone());
    with_body(Body::new(open))
}

/// The body of the answers.
struct Answers {
    services: Arc<Services>,
    answering: Answering,
    /// `None`: they were left to tonic.
    questions: Option<Questions>,
    state: State,
    /// How many bytes the last piece had.
    expected: usize,
}

/// What is read.
struct Questions {
    request: Request<Incoming>,
    cutter: Cutter,
}

enum State {
    /// Questions are answered.
    Open,
    /// Others run before the next question is.
    Resting,
    /// An answer is waited for.
    Waiting(Later),
    /// The rest was left to tonic, which begins to answer.
    Leaving(BoxAnswer),
    /// Tonic answers.
    Left(Body),
    /// The status is left to send.
    Ending(HeaderMap),
    Ended,
}

/// Why no further question is answered now.
enum Stop {
    /// None is there.
    Wanting,
    /// Enough were.
    Enough,
    /// The revision that one asks for has to be waited for.
    Later(Later),
    /// The rest is left to tonic, behind a frame that was read.
    Unusual(Option<Result<Frame<Bytes>, hyper::Error>>),
    /// There are no more.
    End,
    Failed(CallError),
}

impl Answers {
    /// Answers what is there.
    fn answer(&mut self, context: &mut Context<'_>, answers: &mut Vec<u8>) -> Stop {
        let Some(questions) = &mut self.questions else {
            return Stop::End;
        };
        let mut turn = self.answering.turn();
        let expected = self.expected;
        let stop = loop {
            if turn.is_over() || answers.len() >= PIECE {
                break Stop::Enough;
            }
            let question = match questions.cutter.next() {
                Next::Message(question) => question,
                Next::Unusual => break Stop::Unusual(None),
                Next::Wanting => match questions.read(context) {
                    None => continue,
                    Some(stop) => break stop,
                },
            };
            if answers.is_empty() {
                answers.reserve(expected);
            }
            match turn.answer(question, answers) {
                Ok(()) => {}
                Err(Unanswered::Later(token)) => {
                    break Stop::Later(self.answering.later(question.to_vec(), token));
                }
                Err(Unanswered::Malformed(error)) => break Stop::Failed(error),
            }
        };
        turn.end();
        stop
    }

    /// What follows.
    fn stop(&mut self, stop: Stop) -> State {
        match stop {
            Stop::Wanting => State::Open,
            Stop::Enough => State::Resting,
            Stop::Later(later) => State::Waiting(later),
            Stop::Unusual(frame) => self.leave(frame),
            Stop::End => State::Ending(status_ok()),
            Stop::Failed(error) => State::Ending(status_of(&error.to_status())),
        }
    }

    /// Leaves the rest to tonic.
    fn leave(&mut self, frame: Option<Result<Frame<Bytes>, hyper::Error>>) -> State {
        let Some(Questions { request, cutter }) = self.questions.take() else {
            return State::Ended;
        };
        let rest = Some(cutter.into_rest()).filter(|rest| !rest.is_empty());
        let read = rest.map(|rest| Ok(Frame::data(rest))).into_iter();
        let read: Vec<_> = read.chain(frame).collect();
        let mut request = request.map(|body| Body::new(Unread::new(read, body)));
        self.answering.call().extend(request.extensions_mut());
        State::Leaving(self.services.authorization.call(Method::Stream, request))
    }

    /// The next piece of the body, from questions that are there.
    fn piece(&mut self, context: &mut Context<'_>) -> Option<Bytes> {
        let mut answers = Vec::new();
        let stop = self.answer(context, &mut answers);
        self.state = self.stop(stop);
        if answers.is_empty() {
            return None;
        }
        self.expected = answers.len();
        Some(answers.into())
    }
}

impl Questions {
    /// Reads further, when nothing more can be cut. `None`: something was read.
    fn read(&mut self, context: &mut Context<'_>) -> Option<Stop> {
        match Pin::new(self.request.body_mut()).poll_frame(context) {
            Poll::Pending => Some(Stop::Wanting),
            Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
                Ok(piece) => {
                    self.cutter.push(piece);
                    None
                }
                Err(trailers) => Some(Stop::Unusual(Some(Ok(trailers)))),
            },
            Poll::Ready(Some(Err(error))) => Some(Stop::Unusual(Some(Err(error)))),
            Poll::Ready(None) if self.cutter.is_amid() => Some(Stop::Unusual(None)),
            Poll::Ready(None) => Some(Stop::End),
        }
    }
}

impl Stream for Answers {
    fn is_resting(&self) -> bool {
        matches!(self.state, State::Resting)
    }
}

impl HttpBody for Answers {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let body = self.get_mut();
        loop {
            match &mut body.state {
                State::Open => {
                    if let Some(piece) = body.piece(context) {
                        return Poll::Ready(Some(Ok(Frame::data(piece))));
                    }
                    if matches!(body.state, State::Open) {
                        return Poll::Pending;
                    }
                }
                State::Resting => {
                    body.state = State::Open;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                State::Waiting(later) => match ready!(later.as_mut().poll(context)) {
                    Ok(answer) => {
                        body.state = State::Open;
                        return Poll::Ready(Some(Ok(Frame::data(answer.into()))));
                    }
                    Err(error) => body.state = State::Ending(status_of(&error.to_status())),
                },
                State::Leaving(left) => {
                    let Ok(answer) = ready!(left.as_mut().poll(context));
                    body.state = left_to(answer);
                }
                State::Left(left) => return Pin::new(left).poll_frame(context),
                State::Ending(trailers) => {
                    let trailers = std::mem::take(trailers);
                    body.state = State::Ended;
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                State::Ended => return Poll::Ready(None),
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.state {
            State::Ended => true,
            State::Left(left) => left.is_end_stream(),
            State::Open
            | State::Resting
            | State::Waiting(_)
            | State::Leaving(_)
            | State::Ending(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::default()
    }
}

/// How tonic goes on: the head of this answer was sent already, so that a status in the head of
/// tonic's stands at the end.
fn left_to(answer: Response<Body>) -> State {
    match Status::from_header_map(answer.headers()) {
        Some(status) => State::Ending(status_of(&status)),
        None => State::Left(answer.into_body()),
    }
}
