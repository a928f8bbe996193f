//! `AuthorizationService`: convert, load, decide, convert.
//!
//! A unary call and an item of a stream use the newest snapshot; a batch and a filter one snapshot
//! for all their decisions, and they yield in between.
//!
//! Not here: what a decision is (`engine`), and what a message means (`wire`).

mod clock;
pub(crate) mod desk;
mod filter;
mod ids;
mod permission;
mod revision;
mod rights;
pub(crate) mod session;
mod tagging;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{Stream, stream};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tonic::{Extensions, Request, Response, Status, Streaming};

pub use self::clock::Clock;
use self::desk::Desk;
use self::ids::DecisionIds;
use self::session::Sessions;
use super::peer::{Deadline, Peer};
use crate::directory::Directory;
use crate::model::caller::{Origin, Rpc};
use crate::model::verdict::{RefusalReason, limits};
use crate::publish::Reader;
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::telemetry::{Effect, Tallies, Tally};
use crate::wire::status::{CallError, CallLimit, Refusal, with_reason};
use crate::wire::v1;
use crate::wire::v1::authorization_service_server::AuthorizationService;

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
    waiters: Semaphore,
    ignored_values: Arc<AtomicU64>,
    tallies: Tallies,
}

/// What a handler knows of its call.
#[derive(Debug)]
struct Call {
    peer: Option<Arc<Peer>>,
    deadline: Option<Instant>,
}

impl Call {
    fn new(extensions: &Extensions) -> Self {
        Self {
            peer: extensions.get::<Arc<Peer>>().cloned(),
            deadline: extensions.get::<Deadline>().map(|deadline| deadline.0),
        }
    }

    /// The caller, if it may use the RPC: one look-up by what the listener knows of the peer.
    fn caller<'s>(&self, snapshot: &'s Snapshot, rpc: Rpc) -> Result<&'s Caller, CallError> {
        let origin = self
            .peer
            .as_ref()
            .map_or(&Origin::Remote, |peer| &peer.origin);
        let caller = snapshot.callers.find(origin);
        rights::check_rpc(caller, rpc)?;
        Ok(caller)
    }
}

impl Pdp {
    /// A decision point.
    pub fn new(config: Config) -> Self {
        let Config {
            reader,
            directory,
            clock,
        } = config;
        let shared = Shared {
            reader,
            directory,
            sessions: Sessions::default(),
            clock,
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

    /// Answers one request from somewhere, without a socket and without waiting.
    ///
    /// # Errors
    ///
    /// As a call of `Authorize`.
    pub fn answer(
        &self,
        origin: &Origin,
        message: &v1::AuthorizeRequest,
    ) -> Result<v1::AuthorizeResponse, CallError> {
        self.check_standing()?;
        let snapshot = self.shared.reader.load();
        let snapshot = snapshot.as_deref().ok_or(CallError::SnapshotNotReady)?;
        let caller = snapshot.callers.find(origin);
        rights::check_rpc(caller, Rpc::Authorize)?;
        self.decide(Rpc::Authorize, caller, snapshot, message)
    }

    /// Decides one request against a snapshot.
    fn decide(
        &self,
        rpc: Rpc,
        caller: &Caller,
        snapshot: &Snapshot,
        message: &v1::AuthorizeRequest,
    ) -> Result<v1::AuthorizeResponse, CallError> {
        let start = Instant::now();
        let answered = self
            .desk(caller, snapshot)
            .answer(message, || self.ids.next());
        self.count_ignored(answered.ignored);
        let effect = match &answered.result {
            Ok(response) if response.effect() == v1::Effect::Allow => Effect::Allow,
            Ok(_) => Effect::Deny,
            Err(_) => Effect::Error,
        };
        self.tally.count(rpc, effect, start.elapsed());
        answered.result
    }

    fn desk<'a>(&'a self, caller: &'a Caller, snapshot: &'a Snapshot) -> Desk<'a> {
        Desk {
            snapshot,
            directory: &self.shared.directory,
            sessions: &self.shared.sessions,
            caller,
            now: self.shared.clock.now(),
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
        self.check_standing()?;
        let snapshot = self.shared.reader.load();
        let snapshot = snapshot.as_deref().ok_or(CallError::SnapshotNotReady)?;
        call.caller(snapshot, rpc).map(|_| ())
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
        rights::check_min_revision(call.caller(&snapshot, rpc)?, token)?;
        drop(snapshot);
        revision::reach(&self.shared.reader, &self.shared.waiters, call, token).await
    }

    /// Decides one request against the newest snapshot.
    async fn decide_now(
        &self,
        call: &Call,
        rpc: Rpc,
        message: &v1::AuthorizeRequest,
    ) -> Result<v1::AuthorizeResponse, CallError> {
        self.reach(call, rpc, message.min_revision.as_ref()).await?;
        self.check_standing()?;
        let snapshot = self.shared.reader.load();
        let snapshot = snapshot.as_deref().ok_or(CallError::SnapshotNotReady)?;
        self.decide(rpc, call.caller(snapshot, rpc)?, snapshot, message)
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

    fn snapshot(&self) -> Result<Arc<Snapshot>, CallError> {
        self.check_standing()?;
        self.shared
            .reader
            .load_full()
            .ok_or(CallError::SnapshotNotReady)
    }

    async fn batch(
        &self,
        call: &Call,
        message: v1::BatchAuthorizeRequest,
    ) -> Result<v1::BatchAuthorizeResponse, CallError> {
        let v1::BatchAuthorizeRequest { requests } = message;
        let snapshot = self.snapshot()?;
        let caller = call.caller(&snapshot, Rpc::BatchAuthorize)?;
        check_budget(&requests)?;
        let mut results = Vec::with_capacity(requests.len());
        for (place, request) in requests.iter().enumerate() {
            if place > 0 && place % YIELD_EVERY == 0 {
                tokio::task::yield_now().await;
            }
            let decided = self.decide(Rpc::BatchAuthorize, caller, &snapshot, request);
            results.push(item(decided));
        }
        Ok(v1::BatchAuthorizeResponse { results })
    }
}

/// security 9: sub-checks are counted before work.
fn check_budget(requests: &[v1::AuthorizeRequest]) -> Result<(), CallError> {
    let over = |limit, found| Err(CallError::OverLimit { limit, found });
    if requests.len() > limits::BATCH {
        return over(CallLimit::Batch, requests.len());
    }
    let sub_checks = requests.iter().map(|request| request.resources.len()).sum();
    if sub_checks > limits::SUB_CHECKS {
        return over(CallLimit::SubChecks, sub_checks);
    }
    Ok(())
}

fn item(decided: Result<v1::AuthorizeResponse, CallError>) -> v1::AuthorizeResult {
    use v1::authorize_result::Result as One;
    let one = match decided {
        Ok(response) => One::Response(response),
        Err(error) => One::Error(error.to_item()),
    };
    v1::AuthorizeResult { result: Some(one) }
}

fn answer<T>(answered: Result<T, CallError>) -> Result<Response<T>, Status> {
    answered
        .map(Response::new)
        .map_err(|error| error.to_status())
}

/// The decision point behind the generated server: handlers of streams keep it.
#[derive(Debug, Clone)]
pub(crate) struct Served(pub(crate) Arc<Pdp>);

#[tonic::async_trait]
impl AuthorizationService for Served {
    async fn authorize(
        &self,
        request: Request<v1::AuthorizeRequest>,
    ) -> Result<Response<v1::AuthorizeResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        let call = Call::new(&extensions);
        answer(self.0.decide_now(&call, Rpc::Authorize, &message).await)
    }

    async fn batch_authorize(
        &self,
        request: Request<v1::BatchAuthorizeRequest>,
    ) -> Result<Response<v1::BatchAuthorizeResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        answer(self.0.batch(&Call::new(&extensions), message).await)
    }

    type AuthorizeStreamStream =
        Pin<Box<dyn Stream<Item = Result<v1::AuthorizeStreamResponse, Status>> + Send>>;

    /// Each question is read when the answer before it was taken: the peer's flow control is the
    /// only queue.
    async fn authorize_stream(
        &self,
        request: Request<Streaming<v1::AuthorizeStreamRequest>>,
    ) -> Result<Response<Self::AuthorizeStreamStream>, Status> {
        let (_, extensions, questions) = request.into_parts();
        let call = Call::new(&extensions);
        self.0
            .check_rpc(&call, Rpc::AuthorizeStream)
            .map_err(|error| error.to_status())?;
        let state = Answering {
            pdp: self.clone(),
            call,
            questions,
            answered: 0,
        };
        Ok(Response::new(Box::pin(stream::unfold(
            Some(state),
            |state| async { state?.next().await },
        ))))
    }

    async fn filter_resources(
        &self,
        request: Request<v1::FilterResourcesRequest>,
    ) -> Result<Response<v1::FilterResourcesResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        answer(self.0.filter(&Call::new(&extensions), &message).await)
    }
}

/// A stream between two answers.
struct Answering {
    pdp: Served,
    call: Call,
    questions: Streaming<v1::AuthorizeStreamRequest>,
    answered: usize,
}

type Answer = Result<v1::AuthorizeStreamResponse, Status>;

impl Answering {
    async fn next(mut self) -> Option<(Answer, Option<Self>)> {
        let v1::AuthorizeStreamRequest { request } = match self.questions.message().await {
            Ok(question) => question?,
            Err(status) => return Some((Err(with_reason(&status)), None)),
        };
        self.answered = self.answered.wrapping_add(1);
        if self.answered.is_multiple_of(YIELD_EVERY) {
            tokio::task::yield_now().await;
        }
        let decided = match &request {
            Some(message) => {
                let rpc = Rpc::AuthorizeStream;
                self.pdp.0.decide_now(&self.call, rpc, message).await
            }
            None => Err(CallError::Refused(Refusal {
                reason: RefusalReason::InvalidRequest,
                field: "request".to_owned(),
                detail: "absent".to_owned(),
            })),
        };
        let result = Some(item(decided));
        Some((Ok(v1::AuthorizeStreamResponse { result }), Some(self)))
    }
}
