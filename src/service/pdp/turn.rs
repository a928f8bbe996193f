//! Decisions that are made one right after the other, before others run: the clocks are read once
//! for all of them, and they are counted together.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::Pdp;
use crate::model::caller::Rpc;
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::telemetry::{Effect, Made};
use crate::wire::encode::Writer;
use crate::wire::message::Authorize;
use crate::wire::status::CallError;

/// Decisions in the making.
#[derive(Debug)]
pub(super) struct Turn<'p> {
    pdp: &'p Pdp,
    /// The instant of the requests.
    now: Timestamp,
    begin: Instant,
    made: Made,
    ignored: u64,
}

/// The decisions of a turn, to be counted.
#[derive(Debug)]
pub(super) struct Done {
    made: Made,
    ignored: u64,
    duration: Duration,
}

impl<'p> Turn<'p> {
    /// Begins one.
    pub(super) fn new(pdp: &'p Pdp) -> Self {
        Self {
            pdp,
            now: pdp.shared.clock.now(),
            begin: Instant::now(),
            made: Made::default(),
            ignored: 0,
        }
    }

    /// Decides one request against a snapshot and writes the answer, or nothing.
    pub(super) fn decide(
        &mut self,
        caller: &Caller,
        snapshot: &Snapshot,
        question: &Authorize<'_>,
        answer: &mut Writer<'_>,
    ) -> Result<(), CallError> {
        let desk = self.pdp.desk_at(caller, snapshot, self.now);
        let answered = desk.answer(question, || self.pdp.ids.next(), answer);
        self.ignored = self.ignored.saturating_add(answered.ignored);
        self.made
            .add(*answered.result.as_ref().unwrap_or(&Effect::Error));
        answered.result.map(|_| ())
    }

    /// What it came to so far.
    pub(super) fn done(&self) -> Done {
        Done {
            made: self.made,
            ignored: self.ignored,
            duration: self.begin.elapsed(),
        }
    }
}

impl Done {
    /// Counts the decisions as those of an RPC.
    pub(super) fn count(self, pdp: &Pdp, rpc: Rpc) {
        pdp.count_ignored(self.ignored);
        pdp.tally.count_together(rpc, self.made, self.duration);
    }
}
