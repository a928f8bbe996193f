//! `DirectoryService`: who calls, what is asked, what came of it.
//!
//! A call is worked out by the directory's writer, in one snapshot and on the newest state: may the
//! caller, is the message right, may the principal, do the tag policies let it pass. It goes on to
//! its end when its caller has gone, and what was committed is in the log.
//!
//! Not here: what a call writes (`tagging`), and when (`management::directory`).

mod asker;
mod background;
mod calls;
mod compliance;
mod listings;
mod names;
mod predefined;
mod progress;
mod remediate;
mod told;
mod walk;

use std::pin::Pin;
use std::sync::Arc;

use futures_util::Stream;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Response, Status};

pub use self::background::step;
use self::told::Told;
use super::pap::{self, From};
use super::pdp::session::Sessions;
use super::pdp::{answer, rights};
use crate::directory::Directory;
use crate::management::directory::{DirectoryWriter, Done, Turn, WriteFault};
use crate::model::caller::{Origin, Rpc};
use crate::model::tagging::Plan;
use crate::model::verdict::limits;
use crate::publish::Reader;
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::wire::page::PageKey;
use crate::wire::status::{CallError, DirectoryFault};
use crate::wire::v1;
use crate::wire::v1::directory_service_server::DirectoryService;

/// The service.
#[derive(Debug, Clone)]
pub(super) struct Handlers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    reader: Reader,
    writer: DirectoryWriter,
    sessions: Sessions,
    directory: Arc<Directory>,
    pages: PageKey,
    /// Places for reports and repairs.
    reports: Arc<Semaphore>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

/// A call in its turn: who calls, and what decides.
#[derive(Clone, Copy)]
struct Hearing<'h> {
    turn: &'h Turn<'h>,
    snapshot: &'h Snapshot,
    caller: &'h Caller,
    sessions: &'h Sessions,
}

/// What a call asks, worked out.
type Evaluate<M> = fn(&Hearing<'_>, &M) -> Result<(Told, Plan), CallError>;

impl Handlers {
    pub(super) fn new(config: &pap::Config) -> Self {
        Self(Arc::new(Shared {
            reader: config.reader.clone(),
            writer: config.writer.clone(),
            sessions: Sessions::default(),
            directory: Arc::clone(&config.directory),
            pages: config.pages.clone(),
            reports: Arc::new(Semaphore::new(limits::REPORTS)),
        }))
    }

    /// Has a call worked out and committed. It is not given up when its caller goes.
    async fn call<M: Send + Sync + 'static>(
        &self,
        rpc: Rpc,
        request: Request<M>,
        evaluate: Evaluate<M>,
    ) -> Result<Option<v1::DirectoryOutcome>, Status> {
        let from = From::of(&request);
        let shared = Arc::clone(&self.0);
        let called = tokio::spawn(shared.call(rpc, from, request.into_inner(), evaluate));
        let done = called.await.map_err(|_| CallError::Stopping);
        let outcome = done.and_then(|done| done);
        outcome.map(Some).map_err(|error| error.to_status())
    }
}

impl Shared {
    async fn call<M: Send + Sync + 'static>(
        self: Arc<Self>,
        rpc: Rpc,
        from: From,
        message: M,
        evaluate: Evaluate<M>,
    ) -> Result<v1::DirectoryOutcome, CallError> {
        let From { origin, peer } = from;
        // Told before the writer is bothered, and again in the snapshot that decides.
        let snapshot = self.reader.load_full();
        self.caller(snapshot.as_deref(), &origin, rpc, Timestamp::now())?;
        drop(snapshot);
        let work = move |hearing: &Hearing<'_>| evaluate(hearing, &message);
        let Done { told, version } = self.turn(rpc, origin, work).await?;
        if let Some(version) = version {
            told.audit(rpc, &peer, version);
        }
        Ok(told.outcome(version))
    }

    /// Has something worked out in a turn, and committed. Who calls is found in that turn.
    async fn turn<T: Send + 'static>(
        self: &Arc<Self>,
        rpc: Rpc,
        origin: Origin,
        work: impl Fn(&Hearing<'_>) -> Result<(T, Plan), CallError> + Send + 'static,
    ) -> Result<Done<T>, CallError> {
        let shared = Arc::clone(self);
        let worked = self.writer.write(move |turn| {
            let heard = shared
                .hear(turn, &origin, rpc)
                .and_then(|hearing| work(&hearing));
            match heard {
                Ok((told, plan)) => (Ok(told), plan),
                Err(error) => (Err(error), Plan::default()),
            }
        });
        match worked.await {
            Ok(Ok(Done { told, version })) => {
                let told = told?;
                Ok(Done { told, version })
            }
            Ok(Err(WriteFault::Conflict)) => Err(DirectoryFault::Conflict.into()),
            Ok(Err(WriteFault::Failed)) => Err(DirectoryFault::Failed.into()),
            Err(_) => Err(CallError::Stopping),
        }
    }

    fn hear<'h>(
        &'h self,
        turn: &'h Turn<'h>,
        origin: &Origin,
        rpc: Rpc,
    ) -> Result<Hearing<'h>, CallError> {
        let (snapshot, caller) = self.caller(turn.snapshot, origin, rpc, turn.now)?;
        Ok(Hearing {
            turn,
            snapshot,
            caller,
            sessions: &self.sessions,
        })
    }

    /// A place for a report or a repair.
    fn report(&self) -> Result<OwnedSemaphorePermit, CallError> {
        let place = Arc::clone(&self.reports).try_acquire_owned();
        place.map_err(|_| DirectoryFault::TooManyReports.into())
    }

    /// Who calls, if it may use the RPC.
    fn caller<'s>(
        &self,
        snapshot: Option<&'s Snapshot>,
        origin: &Origin,
        rpc: Rpc,
        now: Timestamp,
    ) -> Result<(&'s Snapshot, &'s Caller), CallError> {
        // semantics 47: what is stale for too long decides nothing.
        if self.reader.is_expired(|| now) {
            return Err(CallError::SnapshotStale);
        }
        let snapshot = snapshot.ok_or(CallError::SnapshotNotReady)?;
        let caller = snapshot.callers.find(origin);
        rights::check_rpc(caller, rpc)?;
        Ok((snapshot, caller))
    }
}

#[tonic::async_trait]
impl DirectoryService for Handlers {
    async fn put_resources(
        &self,
        request: Request<v1::PutResourcesRequest>,
    ) -> Result<Response<v1::PutResourcesResponse>, Status> {
        let outcome = self.call(Rpc::PutResources, request, calls::put).await?;
        Ok(Response::new(v1::PutResourcesResponse { outcome }))
    }

    async fn remove_resources(
        &self,
        request: Request<v1::RemoveResourcesRequest>,
    ) -> Result<Response<v1::RemoveResourcesResponse>, Status> {
        let outcome = self
            .call(Rpc::RemoveResources, request, calls::remove)
            .await?;
        Ok(Response::new(v1::RemoveResourcesResponse { outcome }))
    }

    async fn move_resources(
        &self,
        request: Request<v1::MoveResourcesRequest>,
    ) -> Result<Response<v1::MoveResourcesResponse>, Status> {
        let outcome = self
            .call(Rpc::MoveResources, request, calls::move_to)
            .await?;
        Ok(Response::new(v1::MoveResourcesResponse { outcome }))
    }

    async fn tag_resources(
        &self,
        request: Request<v1::TagResourcesRequest>,
    ) -> Result<Response<v1::TagResourcesResponse>, Status> {
        let outcome = self.call(Rpc::TagResources, request, calls::tag).await?;
        Ok(Response::new(v1::TagResourcesResponse { outcome }))
    }

    async fn untag_resources(
        &self,
        request: Request<v1::UntagResourcesRequest>,
    ) -> Result<Response<v1::UntagResourcesResponse>, Status> {
        let outcome = self
            .call(Rpc::UntagResources, request, calls::untag)
            .await?;
        Ok(Response::new(v1::UntagResourcesResponse { outcome }))
    }

    async fn associate_resources(
        &self,
        request: Request<v1::AssociateResourcesRequest>,
    ) -> Result<Response<v1::AssociateResourcesResponse>, Status> {
        let outcome = self
            .call(Rpc::AssociateResources, request, calls::associate)
            .await?;
        Ok(Response::new(v1::AssociateResourcesResponse { outcome }))
    }

    async fn dissociate_resources(
        &self,
        request: Request<v1::DissociateResourcesRequest>,
    ) -> Result<Response<v1::DissociateResourcesResponse>, Status> {
        let outcome = self
            .call(Rpc::DissociateResources, request, calls::dissociate)
            .await?;
        Ok(Response::new(v1::DissociateResourcesResponse { outcome }))
    }

    async fn create_tags(
        &self,
        request: Request<v1::CreateTagsRequest>,
    ) -> Result<Response<v1::CreateTagsResponse>, Status> {
        let outcome = self
            .call(Rpc::CreateTags, request, predefined::create)
            .await?;
        Ok(Response::new(v1::CreateTagsResponse { outcome }))
    }

    async fn delete_tag(
        &self,
        request: Request<v1::DeleteTagRequest>,
    ) -> Result<Response<v1::DeleteTagResponse>, Status> {
        let outcome = self
            .call(Rpc::DeleteTag, request, predefined::delete)
            .await?;
        Ok(Response::new(v1::DeleteTagResponse { outcome }))
    }

    async fn get_inheritance_progress(
        &self,
        request: Request<v1::GetInheritanceProgressRequest>,
    ) -> Result<Response<v1::GetInheritanceProgressResponse>, Status> {
        answer(self.0.inheritance_progress(&request).await)
    }

    async fn list_tag_resources(
        &self,
        request: Request<v1::ListTagResourcesRequest>,
    ) -> Result<Response<v1::ListTagResourcesResponse>, Status> {
        answer(self.0.list_tag_resources(&request))
    }

    async fn list_resources_by_tags(
        &self,
        request: Request<v1::ListResourcesByTagsRequest>,
    ) -> Result<Response<v1::ListResourcesByTagsResponse>, Status> {
        answer(self.0.list_resources_by_tags(&request).await)
    }

    async fn list_tag_keys(
        &self,
        request: Request<v1::ListTagKeysRequest>,
    ) -> Result<Response<v1::ListTagKeysResponse>, Status> {
        answer(self.0.list_tag_keys(&request).await)
    }

    async fn list_tag_values(
        &self,
        request: Request<v1::ListTagValuesRequest>,
    ) -> Result<Response<v1::ListTagValuesResponse>, Status> {
        answer(self.0.list_tag_values(&request).await)
    }

    type CheckComplianceStream = Answers<v1::CheckComplianceResponse>;

    async fn check_compliance(
        &self,
        request: Request<v1::CheckComplianceRequest>,
    ) -> Result<Response<Self::CheckComplianceStream>, Status> {
        let checked = self.0.check_compliance(&request);
        answer(checked.map(|told| Box::pin(told) as Self::CheckComplianceStream))
    }

    type RemediateStream = Answers<v1::RemediateResponse>;

    async fn remediate(
        &self,
        request: Request<v1::RemediateRequest>,
    ) -> Result<Response<Self::RemediateStream>, Status> {
        let repaired = self.0.remediate(request).await;
        answer(repaired.map(|told| Box::pin(told) as Self::RemediateStream))
    }
}
