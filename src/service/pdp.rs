//! `AuthorizationService`: convert, load, decide, convert.
//!
//! A unary call and an item of a stream use the newest snapshot; a batch and a filter one snapshot
//! for all their decisions. All but unary calls yield in between.
//!
//! Not here: what a decision is (`engine`), and what a message means (`wire`).

mod authorize;
mod batch;
mod clock;
pub(crate) mod desk;
mod filter;
pub(crate) mod ids;
mod permission;
mod revision;
pub(super) mod rights;
pub(crate) mod session;
mod stream;
mod tagging;
mod turn;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tonic::{Extensions, Response, Status};

pub use self::clock::Clock;
use self::desk::Desk;
use self::ids::{DecisionId, DecisionIds};
use self::session::Sessions;
pub(super) use self::stream::{Answering, Later, Unanswered};
use self::turn::Turn;
use super::peer::{Deadline, Peer};
use crate::directory::Directory;
use crate::model::caller::{Origin, Rpc};
use crate::model::verdict::limits;
use crate::publish::Reader;
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::telemetry::{Effect, Tallies, Tally};
use crate::wire::encode::Writer;
use crate::wire::message::{Authorize, with_question};
use crate::wire::page::PageKey;
use crate::wire::status::CallError;
use crate::wire::v1;

/// After how many decisions a long call lets others run.
const YIELD_EVERY: usize = 64;

/// What the decision point needs.
#[derive(Debug)]
pub struct Config {
    /// Where snapshots come from.
    pub reader: Reader,
    /// The live resources.
    pub directory: Arc<Directory>,
    /// What tells the instant of a request.
    pub clock: Clock,
    /// What page tokens are sealed with.
    pub pages: PageKey,
}

/// The policy decision point. Each worker has its own, over shared state.
#[derive(Debug)]
pub struct Pdp {
    shared: Arc<Shared>,
    ids: DecisionIds,
    tally: Arc<Tally>,
}

#[derive(Debug)]
struct Shared {
    reader: Reader,
    directory: Arc<Directory>,
    sessions: Sessions,
    clock: Clock,
    pages: PageKey,
    waiters: Semaphore,
    ignored_values: Arc<AtomicU64>,
    tallies: Tallies,
}

/// What a handler knows of its call.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) peer: Option<Arc<Peer>>,
    pub(crate) deadline: Option<Instant>,
}

impl Call {
    pub(crate) fn new(extensions: &Extensions) -> Self {
        Self {
            peer: extensions.get::<Arc<Peer>>().cloned(),
            deadline: extensions.get::<Deadline>().map(|deadline| deadline.0),
        }
    }

    /// Puts the same into the extensions of a request.
    pub(crate) fn extend(&self, extensions: &mut http::Extensions) {
        if let Some(peer) = &self.peer {
            extensions.insert(Arc::clone(peer));
        }
        if let Some(deadline) = self.deadline {
            extensions.insert(Deadline(deadline));
        }
    }

    /// The caller, if it may use the RPC: one look-up by what the listener knows of the peer.
    pub(super) fn caller<'s>(
        &self,
        snapshot: &'s Snapshot,
        rpc: Rpc,
    ) -> Result<&'s Caller, CallError> {
        let caller = snapshot.callers.find(self.origin());
        rights::check_rpc(caller, rpc)?;
        Ok(caller)
    }

    /// What the listener knows of the peer.
    pub(crate) fn origin(&self) -> &Origin {
        let peer = self.peer.as_ref();
        peer.map_or(&Origin::Remote, |peer| &peer.origin)
    }
}

impl Pdp {
    /// A decision point.
    pub fn new(config: Config) -> Self {
        let Config {
            reader,
            directory,
            clock,
            pages,
        } = config;
        let shared = Shared {
            reader,
            directory,
            sessions: Sessions::default(),
            clock,
            pages,
            waiters: Semaphore::new(limits::WAITERS),
            ignored_values: Arc::default(),
            tallies: Tallies::default(),
        };
        Self {
            tally: shared.tallies.add(),
            shared: Arc::new(shared),
            ids: DecisionIds::default(),
        }
    }

    /// The same decision point for another worker: decision ids and counters of its own, all else
    /// shared.
    #[must_use]
    pub fn for_worker(&self) -> Self {
        Self {
            shared: Arc::clone(&self.shared),
            ids: DecisionIds::default(),
            tally: self.shared.tallies.add(),
        }
    }

    /// Where its snapshots come from.
    pub fn reader(&self) -> &Reader {
        &self.shared.reader
    }

    /// The count of sent tags and groups that were ignored because the directory said otherwise.
    pub fn ignored_values(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.shared.ignored_values)
    }

    /// The counters of all workers.
    pub fn tallies(&self) -> Tallies {
        self.shared.tallies.clone()
    }

    /// Answers one request from somewhere, without a socket and without waiting: appends the bytes
    /// of the answer to those that are there.
    ///
    /// # Errors
    ///
    /// As a call of `Authorize`.
    pub fn answer(
        &self,
        origin: &Origin,
        request: &[u8],
        answer: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        with_question(request, |message| {
            self.with_newest(|snapshot| {
                let caller = snapshot.callers.find(origin);
                rights::check_rpc(caller, Rpc::Authorize)?;
                self.decide(Rpc::Authorize, caller, snapshot, message, answer)
            })
        })
    }

    /// Decides one request against a snapshot, and writes the answer.
    fn decide(
        &self,
        rpc: Rpc,
        caller: &Caller,
        snapshot: &Snapshot,
        message: &Authorize<'_>,
        answer: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        let mut turn = Turn::new(self);
        let decided = turn.decide(caller, snapshot, message, &mut Writer(answer));
        turn.done().count(self, rpc);
        decided
    }

    /// Counts a decision.
    pub(super) fn count(&self, rpc: Rpc, effect: Effect, duration: std::time::Duration) {
        self.tally.count(rpc, effect, duration);
    }

    /// The id of the next decision.
    pub(super) fn next_id(&self) -> DecisionId {
        self.ids.next()
    }

    pub(super) fn desk<'a>(&'a self, caller: &'a Caller, snapshot: &'a Snapshot) -> Desk<'a> {
        self.desk_at(caller, snapshot, self.shared.clock.now())
    }

    fn desk_at<'a>(
        &'a self,
        caller: &'a Caller,
        snapshot: &'a Snapshot,
        now: Timestamp,
    ) -> Desk<'a> {
        Desk {
            snapshot,
            directory: &self.shared.directory,
            sessions: &self.shared.sessions,
            caller,
            now,
        }
    }

    fn count_ignored(&self, values: u64) {
        if values > 0 {
            self.shared
                .ignored_values
                .fetch_add(values, Ordering::Relaxed);
        }
    }

    /// Whether a call may use an RPC, by the newest snapshot.
    fn check_rpc(&self, call: &Call, rpc: Rpc) -> Result<(), CallError> {
        self.with_newest(|snapshot| call.caller(snapshot, rpc).map(|_| ()))
    }

    /// Waits for a revision, if the caller may.
    async fn reach(
        &self,
        call: &Call,
        rpc: Rpc,
        token: Option<&v1::RevisionToken>,
    ) -> Result<(), CallError> {
        if token.is_none() {
            return Ok(());
        }
        let snapshot = self.snapshot()?;
        rights::check_min_revision(call.caller(&snapshot, rpc)?, token.is_some())?;
        drop(snapshot);
        revision::reach(&self.shared.reader, &self.shared.waiters, call, token).await
    }

    /// semantics 47: what is stale for too long decides nothing.
    fn check_standing(&self) -> Result<(), CallError> {
        let Shared { reader, clock, .. } = &*self.shared;
        if reader.is_expired(|| clock.now()) {
            Err(CallError::SnapshotStale)
        } else {
            Ok(())
        }
    }

    /// Uses the newest snapshot, for work that does not yield. Nothing here reads one but by this and
    /// by [`Self::snapshot`], so that both ask whether it may still decide.
    pub(super) fn with_newest<T>(
        &self,
        used: impl FnOnce(&Snapshot) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        self.check_standing()?;
        let snapshot = self.shared.reader.load();
        used(snapshot.as_deref().ok_or(CallError::SnapshotNotReady)?)
    }

    /// The newest snapshot, for work that may yield.
    fn snapshot(&self) -> Result<Arc<Snapshot>, CallError> {
        self.check_standing()?;
        self.shared
            .reader
            .load_full()
            .ok_or(CallError::SnapshotNotReady)
    }
}

pub(crate) fn answer<T>(answered: Result<T, CallError>) -> Result<Response<T>, Status> {
    answered
        .map(Response::new)
        .map_err(|error| error.to_status())
}

/// The decision point behind its services: handlers of streams keep it.
#[derive(Debug, Clone)]
pub(crate) struct Served(pub(crate) Arc<Pdp>);
