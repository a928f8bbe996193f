//! The handlers of `ManagementService`: convert, ask the management task, convert.

use std::collections::BTreeSet;
use std::pin::Pin;

use futures_util::{Stream, stream};
use jiff::Timestamp;
use tokio::sync::{broadcast, watch};
use tonic::{Request, Response, Status};

use super::Authority;
use crate::document::bundle::BundleFiles;
use crate::management::{ApplyMode, Management};
use crate::model::verdict::RefusalReason;
use crate::service::phase::{Phase, reached};
use crate::snapshot::Revision;
use crate::wire::management::{applied, info, refused};
use crate::wire::reply::revision;
use crate::wire::status::{CallError, Refusal};
use crate::wire::v1;
use crate::wire::v1::management_service_server::ManagementService;

/// The service.
#[derive(Debug)]
pub(super) struct Handlers {
    management: Management,
    authority: Authority,
    phases: watch::Receiver<Phase>,
}

impl Handlers {
    pub(super) fn new(
        management: Management,
        authority: Authority,
        phases: watch::Receiver<Phase>,
    ) -> Self {
        Self {
            management,
            authority,
            phases,
        }
    }

    async fn apply(
        &self,
        message: v1::ApplyBundleRequest,
    ) -> Result<v1::ApplyBundleResponse, CallError> {
        let v1::ApplyBundleRequest { files, dry_run } = message;
        let mode = match (dry_run, self.authority) {
            (true, _) => ApplyMode::DryRun,
            (false, Authority::Callers) => ApplyMode::Commit,
            (false, Authority::Directory) => return Err(CallError::ManagementReadOnly),
        };
        let files = read(files)?;
        let outcome = self.management.apply(files, mode).await;
        match outcome.map_err(|_| CallError::Stopping)? {
            Ok(taken) => Ok(applied(&taken)),
            Err(error) => {
                let status = self.management.status();
                let live = status.borrow().live.clone();
                Ok(refused(&error, live.as_ref()))
            }
        }
    }

    fn watch(&self) -> Result<Watching, CallError> {
        // Subscribed first and read then: no revision falls in between.
        let revisions = self.management.revisions();
        let revisions = revisions.map_err(|_| CallError::Stopping)?;
        let status = self.management.status();
        let first = status.borrow().live.as_ref().map(|live| live.revision);
        Ok(Watching {
            revisions,
            first,
            last: 0,
            phases: self.phases.clone(),
        })
    }
}

fn read(files: Vec<v1::BundleFile>) -> Result<BundleFiles, CallError> {
    let mut paths = BTreeSet::new();
    let mut bundle = BundleFiles::default();
    for (place, v1::BundleFile { path, content }) in files.into_iter().enumerate() {
        if !paths.insert(path.clone()) {
            return Err(CallError::Refused(Refusal {
                reason: RefusalReason::InvalidRequest,
                field: format!("files[{place}].path"),
                detail: "the path is given twice".to_owned(),
            }));
        }
        bundle.insert(path, content);
    }
    Ok(bundle)
}

#[tonic::async_trait]
impl ManagementService for Handlers {
    async fn apply_bundle(
        &self,
        request: Request<v1::ApplyBundleRequest>,
    ) -> Result<Response<v1::ApplyBundleResponse>, Status> {
        let answer = self.apply(request.into_inner()).await;
        answer.map(Response::new).map_err(|error| error.to_status())
    }

    async fn get_snapshot_info(
        &self,
        request: Request<v1::GetSnapshotInfoRequest>,
    ) -> Result<Response<v1::GetSnapshotInfoResponse>, Status> {
        let v1::GetSnapshotInfoRequest {} = request.into_inner();
        let status = self.management.status().borrow().clone();
        Ok(Response::new(info(&status, Timestamp::now())))
    }

    type WatchRevisionsStream =
        Pin<Box<dyn Stream<Item = Result<v1::WatchRevisionsResponse, Status>> + Send>>;

    async fn watch_revisions(
        &self,
        request: Request<v1::WatchRevisionsRequest>,
    ) -> Result<Response<Self::WatchRevisionsStream>, Status> {
        let v1::WatchRevisionsRequest {} = request.into_inner();
        let watching = self.watch().map_err(|error| error.to_status())?;
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

/// A watcher between two revisions.
struct Watching {
    revisions: broadcast::Receiver<Revision>,
    first: Option<Revision>,
    /// The number that was told last.
    last: u64,
    phases: watch::Receiver<Phase>,
}

impl Watching {
    async fn next(&mut self) -> Option<Revision> {
        let next = match self.first.take() {
            Some(first) => first,
            None => self.published().await?,
        };
        self.last = next.number;
        Some(next)
    }

    /// The next revision that was not told yet; none, once the server stops.
    async fn published(&mut self) -> Option<Revision> {
        loop {
            let received = tokio::select! {
                () = reached(&mut self.phases, Phase::Draining) => return None,
                received = self.revisions.recv() => received,
            };
            match received {
                Ok(revision) if revision.number > self.last => return Some(revision),
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return None,
            }
        }
    }
}
