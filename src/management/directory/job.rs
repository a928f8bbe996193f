//! A call that waits for its turn, whatever it answers.

use tokio::sync::oneshot;

use super::{Done, Turn, WriteFault};
use crate::model::resource::Version;
use crate::model::tagging::Plan;

/// A call.
pub(super) trait Job: Send {
    /// Works it out.
    fn evaluate(&mut self, turn: &Turn<'_>) -> Plan;

    /// Tells what came of it.
    fn answer(self: Box<Self>, outcome: Result<Option<Version>, WriteFault>);
}

/// A call of somebody who waits for what it tells.
pub(super) struct Asked<T, F> {
    evaluate: F,
    told: Option<T>,
    reply: oneshot::Sender<Result<Done<T>, WriteFault>>,
}

/// Where the answer comes.
type Answer<T> = oneshot::Receiver<Result<Done<T>, WriteFault>>;

impl<T, F: FnMut(&Turn<'_>) -> (T, Plan)> Asked<T, F> {
    pub(super) fn new(evaluate: F) -> (Self, Answer<T>) {
        let (reply, answer) = oneshot::channel();
        let asked = Self {
            evaluate,
            told: None,
            reply,
        };
        (asked, answer)
    }
}

impl<T: Send, F: FnMut(&Turn<'_>) -> (T, Plan) + Send> Job for Asked<T, F> {
    fn evaluate(&mut self, turn: &Turn<'_>) -> Plan {
        let (told, plan) = (self.evaluate)(turn);
        self.told = Some(told);
        plan
    }

    fn answer(self: Box<Self>, outcome: Result<Option<Version>, WriteFault>) {
        let Self { told, reply, .. } = *self;
        // Whoever asked may have gone. What was never worked out is in conflict.
        let done = outcome.and_then(|version| {
            let told = told.ok_or(WriteFault::Conflict)?;
            Ok(Done { told, version })
        });
        let _ = reply.send(done);
    }
}
