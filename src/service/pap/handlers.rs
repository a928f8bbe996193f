//! The handlers of `ManagementService`: convert, ask, convert.
//!
//! Changes go to the management task. Reading has a thread of its own, because the disk may wait.

mod backup;
mod export;
mod read;
mod watching;

use std::pin::Pin;
use std::sync::Arc;

use futures_util::{Stream, StreamExt as _, stream};
use jiff::Timestamp;
use tokio::sync::{Semaphore, watch};
use tonic::{Request, Response, Status};

pub use self::read::{MAX_PAGE, PAGE_BYTES};
use self::watching::Watching;
use crate::directory::Directory;
use crate::management::change::{Change, What};
use crate::management::directory::DirectoryWriter;
use crate::management::permission::{Actor, Administrators, Court, Read};
use crate::management::reading::{Reading, ReadingError};
use crate::management::{ApplyMode, Management};
use crate::model::caller::Origin;
use crate::publish::Reader;
use crate::service::peer::{Peer, PeerAddress};
use crate::service::phase::Phase;
use crate::source::backup::Stores;
use crate::wire::change::{self, Options, Outcome};
use crate::wire::management::{checked, info};
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

    async fn change(
        &self,
        from: &From,
        what: What,
        options: Options,
    ) -> Result<Outcome, CallError> {
        self.known(from)?;
        let Options {
            mode,
            expected,
            key,
            message,
            lock_out,
        } = options;
        let change = Change {
            what,
            mode,
            origin: from.origin.clone(),
            peer: from.peer.clone(),
            expected,
            key,
            message,
            lock_out,
        };
        let management = &self.config.management;
        let made = management.change(change).await;
        let live = management.status().borrow().live.clone();
        let live = live.map(|live| live.revision);
        Outcome::new(made.map_err(|_| CallError::Stopping)?, live)
    }

    async fn apply_files(
        &self,
        from: &From,
        message: v1::ApplyBundleRequest,
    ) -> Result<v1::ApplyBundleResponse, CallError> {
        let v1::ApplyBundleRequest {
            files,
            dry_run,
            options,
        } = message;
        self.known(from)?;
        let options = change::options(options, dry_run)?;
        let files = change::files(files)?;
        if self.config.management.keeps_changes() {
            let outcome = self.change(from, What::Bundle(files), options).await?;
            return Ok(outcome.into());
        }
        if options.mode == ApplyMode::Commit {
            return Err(CallError::ManagementReadOnly);
        }
        let management = &self.config.management;
        let result = management.check(files).await;
        let result = result.map_err(|_| CallError::Stopping)?;
        let live = management.status().borrow().live.clone();
        Ok(checked(result, live.as_ref()))
    }

    /// As whom a peer acts, where it does.
    fn known(&self, from: &From) -> Result<Actor, CallError> {
        let snapshot = self.config.reader.load_full();
        let actor = Actor::find(
            snapshot.as_deref(),
            &from.origin,
            &self.config.administrators,
        );
        match actor {
            Actor::Nobody { caller } => {
                tracing::warn!(peer = from.peer, caller, "a management call is refused");
                Err(ManageFault::Nobody { caller }.into())
            }
            Actor::Administrator { .. } | Actor::Principal { .. } => Ok(actor),
        }
    }

    /// Reads one state on a thread of its own, if whoever asks may.
    async fn reading<T: Send + 'static>(
        &self,
        from: &From,
        read: impl FnOnce(&Handlers, &Actor, &Reading) -> Result<T, CallError> + Send + 'static,
    ) -> Result<T, CallError> {
        let actor = self.known(from)?;
        let handlers = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let reading = handlers.config.management.reading().map_err(unread)?;
            read(&handlers, &actor, &reading)
        });
        done.await.map_err(|_| CallError::Stopping)?
    }

    fn may_read(&self, actor: &Actor, reading: &Reading, read: Read<'_>) -> Result<(), CallError> {
        let snapshot = self.config.reader.load_full();
        let court = Court {
            snapshot: snapshot.as_deref(),
            state: reading.as_authored(),
            directory: &self.config.directory,
            now: Timestamp::now(),
        };
        let may = court.may_read(actor, read);
        may.map_err(|error| unread(error.into()))?
            .map_err(change::denied)
    }
}

/// What is told of a state that cannot be read; the log has the rest.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn unread(error: ReadingError) -> CallError {
    match error {
        ReadingError::Nothing => CallError::SnapshotNotReady,
        ReadingError::Failed(_) | ReadingError::Unreadable(_) => {
            tracing::error!(%error, "the authored state cannot be read");
            ManageFault::StoreFailed.into()
        }
    }
}

/// Who calls.
pub(in crate::service) struct From {
    pub(in crate::service) origin: Origin,
    /// The peer, as its listener knows it.
    pub(in crate::service) peer: String,
}

impl From {
    /// The connection says who calls; one that says nothing is anybody's.
    pub(in crate::service) fn of<T>(request: &Request<T>) -> Self {
        let peer = request.extensions().get::<Arc<Peer>>();
        let Some(peer) = peer else {
            let (origin, peer) = (Origin::Remote, String::new());
            return Self { origin, peer };
        };
        let address = match peer.address {
            PeerAddress::Tcp(address) => address.to_string(),
            PeerAddress::Unix(who) => {
                let process = who.pid.map_or(String::new(), |pid| format!(" pid {pid}"));
                format!("uid {} gid {}{process}", who.uid, who.gid)
            }
        };
        let origin = peer.origin.clone();
        let peer = match &origin {
            Origin::Proven(identity) => format!("{identity} at {address}"),
            Origin::Loopback | Origin::Remote | Origin::Unix { .. } => address,
        };
        Self { origin, peer }
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
