//! The handlers of `ManagementService`: convert, ask, convert.
//!
//! Changes go to the management task. Reading has a thread of its own, because the disk may wait.

mod asking;
mod backup;
mod changing;
mod export;
mod read;
mod watching;

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt as _, stream};
use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};
use tonic::{Request, Response, Status};

use self::asking::unread;
pub use self::read::{MAX_PAGE, PAGE_BYTES};
use self::watching::Watching;
use super::from::From;
use crate::directory::Directory;
use crate::management::Management;
use crate::management::change::What;
use crate::management::directory::DirectoryWriter;
use crate::management::permission::{Administrators, Read};
use crate::publish::Reader;
use crate::service::phase::Phase;
use crate::source::backup::Stores;
use crate::wire::change;
use crate::wire::management::info;
use crate::wire::page::PageKey;
use crate::wire::reply::revision;
use crate::wire::status::{CallError, ManageFault};
use crate::wire::v1;
use crate::wire::v1::management_service_server::ManagementService;

/// Where changes are made, and who decides whether.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where changes are made.
    pub management: Management,
    /// What is in force.
    pub reader: Reader,
    /// The live resources.
    pub directory: Arc<Directory>,
    /// The way to whoever changes them.
    pub writer: DirectoryWriter,
    /// Who needs no permission.
    pub administrators: Administrators,
    /// What page tokens are sealed with.
    pub pages: PageKey,
    /// What is kept on disk; `None`: nothing.
    pub stores: Option<Stores>,
}

/// The service.
#[derive(Debug, Clone)]
pub(super) struct Handlers {
    config: Arc<Config>,
    phases: watch::Receiver<Phase>,
    /// One backup at a time.
    backups: Arc<Semaphore>,
}

type Answers<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

impl Handlers {
    pub(super) fn new(config: Config, phases: watch::Receiver<Phase>) -> Self {
        let config = Arc::new(config);
        let backups = Arc::new(Semaphore::new(1));
        Self {
            config,
            phases,
            backups,
        }
    }
}

fn answer<T>(result: Result<T, CallError>) -> Result<Response<T>, Status> {
    result.map(Response::new).map_err(|error| error.to_status())
}

#[tonic::async_trait]
impl ManagementService for Handlers {
    async fn apply_changes(
        &self,
        request: Request<v1::ApplyChangesRequest>,
    ) -> Result<Response<v1::ApplyChangesResponse>, Status> {
        let from = From::of(&request);
        let v1::ApplyChangesRequest {
            operations,
            options,
        } = request.into_inner();
        let asked = change::options(options, false)
            .and_then(|options| Ok((change::operations(operations)?, options)));
        answer(match asked {
            Ok((what, options)) => self.change(&from, what, options).await.map(Into::into),
            Err(fault) => Err(fault.into()),
        })
    }

    async fn apply_bundle(
        &self,
        request: Request<v1::ApplyBundleRequest>,
    ) -> Result<Response<v1::ApplyBundleResponse>, Status> {
        let from = From::of(&request);
        answer(self.apply_files(&from, request.into_inner()).await)
    }

    async fn rollback(
        &self,
        request: Request<v1::RollbackRequest>,
    ) -> Result<Response<v1::RollbackResponse>, Status> {
        let from = From::of(&request);
        let v1::RollbackRequest { number, options } = request.into_inner();
        answer(match change::options(options, false) {
            Ok(options) => {
                let what = What::Rollback(number);
                self.change(&from, what, options).await.map(Into::into)
            }
            Err(fault) => Err(fault.into()),
        })
    }

    async fn get_object(
        &self,
        request: Request<v1::GetObjectRequest>,
    ) -> Result<Response<v1::GetObjectResponse>, Status> {
        let from = From::of(&request);
        let message = request.into_inner();
        let read = self.reading(&from, move |handlers, actor, reading| {
            handlers.get(actor, reading, &message)
        });
        answer(read.await)
    }

    async fn list_objects(
        &self,
        request: Request<v1::ListObjectsRequest>,
    ) -> Result<Response<v1::ListObjectsResponse>, Status> {
        let from = From::of(&request);
        let message = request.into_inner();
        let read = self.reading(&from, move |handlers, actor, reading| {
            handlers.list(actor, reading, &message)
        });
        answer(read.await)
    }

    async fn list_revisions(
        &self,
        request: Request<v1::ListRevisionsRequest>,
    ) -> Result<Response<v1::ListRevisionsResponse>, Status> {
        let from = From::of(&request);
        let message = request.into_inner();
        let read = self.reading(&from, move |handlers, actor, reading| {
            handlers.history(actor, reading, &message)
        });
        answer(read.await)
    }

    type ExportBundleStream = Answers<v1::ExportBundleResponse>;

    async fn export_bundle(
        &self,
        request: Request<v1::ExportBundleRequest>,
    ) -> Result<Response<Self::ExportBundleStream>, Status> {
        let from = From::of(&request);
        let v1::ExportBundleRequest {} = request.into_inner();
        let read = self.reading(&from, |handlers, actor, reading| {
            handlers.may_read(actor, reading, Read::Bundle)?;
            export::messages(reading)
        });
        let messages = read.await.map_err(|error| error.to_status())?;
        Ok(Response::new(Box::pin(stream::iter(messages).map(Ok))))
    }

    type BackupStream = Answers<v1::BackupResponse>;

    async fn backup(
        &self,
        request: Request<v1::BackupRequest>,
    ) -> Result<Response<Self::BackupStream>, Status> {
        let from = From::of(&request);
        let v1::BackupRequest {} = request.into_inner();
        let fault = |fault| CallError::from(fault).to_status();
        let may = self.may_watch(&from, Read::Backup).await;
        may.map_err(|error| error.to_status())?;
        let stores = self.config.stores.clone();
        let stores = stores.ok_or_else(|| fault(ManageFault::NothingKept))?;
        let place = Arc::clone(&self.backups).try_acquire_owned();
        let place = place.map_err(|_| fault(ManageFault::BackupRunning))?;
        tracing::info!(peer = from.peer, "a backup is made");
        Ok(Response::new(Box::pin(backup::messages(stores, place))))
    }

    async fn get_snapshot_info(
        &self,
        request: Request<v1::GetSnapshotInfoRequest>,
    ) -> Result<Response<v1::GetSnapshotInfoResponse>, Status> {
        let from = From::of(&request);
        let v1::GetSnapshotInfoRequest {} = request.into_inner();
        let may = self.may_watch(&from, Read::SnapshotInfo).await;
        may.map_err(|error| error.to_status())?;
        let status = self.config.management.status().borrow().clone();
        Ok(Response::new(info(&status, Timestamp::now())))
    }

    type WatchRevisionsStream = Answers<v1::WatchRevisionsResponse>;

    async fn watch_revisions(
        &self,
        request: Request<v1::WatchRevisionsRequest>,
    ) -> Result<Response<Self::WatchRevisionsStream>, Status> {
        let from = From::of(&request);
        let v1::WatchRevisionsRequest {} = request.into_inner();
        let may = self.may_watch(&from, Read::Revisions).await;
        may.map_err(|error| error.to_status())?;
        let watching = Watching::new(&self.config.management, self.phases.clone());
        let watching = watching.map_err(|error| error.to_status())?;
        let told = stream::unfold(watching, |mut watching| async {
            let next = watching.next().await?;
            let message = v1::WatchRevisionsResponse {
                revision: Some(revision(&next)),
            };
            Some((Ok(message), watching))
        });
        Ok(Response::new(Box::pin(told)))
    }
}
