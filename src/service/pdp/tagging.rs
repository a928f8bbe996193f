//! `TaggingService`: convert, load, judge, convert.
//!
//! What the directory knows of a resource is used only for a principal that may see it, so that a
//! verdict tells nobody tags that they could not list (design, section 5).
//!
//! Not here: what complies (`engine::compliance`), and writing tags.

mod both;
mod effective;
mod facts;
mod listings;
mod sight;

use bytes::Bytes;
use tokio::time::Instant;
use tonic::{Request, Response, Status};

use self::facts::{Change, Facts, node};
use self::sight::{sees, unknown};
use super::desk::find;
use super::{Call, Pdp, Served, YIELD_EVERY, answer, revision, rights};
use crate::directory::{Directory, Entry};
use crate::engine::compliance::StagedVerdict;
use crate::engine::tagging::Tags;
use crate::model::caller::{Origin, Rpc};
use crate::model::verdict::limits;
use crate::snapshot::caller::Caller;
use crate::snapshot::{Revision, Snapshot};
use crate::telemetry::VerdictOutcome;
use crate::wire::codec::{begin_frame, end_frame};
use crate::wire::encode::Writer;
use crate::wire::message::{ValidateTagging, with_tagging};
use crate::wire::reply;
use crate::wire::request::tagging::{SentOperation, SentTagging, TaggingStorage};
use crate::wire::status::{CallError, CallLimit};
use crate::wire::v1;
use crate::wire::v1::tagging_service_server::TaggingService;

const RPC: Rpc = Rpc::ValidateTagging;

/// How many bytes most answers fit into; at most double of what they are, so that they are left in
/// their place when they are whole.
const ANSWER: usize = 96;

impl Pdp {
    /// Judges one operation from somewhere, without a socket and without waiting: appends the bytes
    /// of the answer to those that are there.
    ///
    /// # Errors
    ///
    /// As a call of `ValidateTagging`.
    pub fn validate(
        &self,
        origin: &Origin,
        request: &[u8],
        answer: &mut Vec<u8>,
    ) -> Result<(), CallError> {
        with_tagging(request, |message| {
            self.with_newest(|snapshot| {
                let caller = snapshot.callers.find(origin);
                rights::check_rpc(caller, RPC)?;
                let case = Judging { caller, snapshot };
                self.validate_tagging(RPC, case, message, |verdict| {
                    reply::tagging::write(verdict, &snapshot.revision, &mut Writer(answer));
                })
            })
        })
    }

    /// Answers a call of `ValidateTagging`, with the prefix that stands before a message.
    pub(crate) fn validate_now(&self, call: &Call, request: &[u8]) -> Result<Bytes, CallError> {
        let mut answer = begin_frame(ANSWER);
        with_tagging(request, |message| {
            self.validate_newest(call, message, |verdict, revision| {
                reply::tagging::write(verdict, revision, &mut Writer(&mut answer));
            })
        })?;
        Ok(end_frame(answer))
    }

    /// Judges one operation against the newest snapshot.
    fn validate_newest<T>(
        &self,
        call: &Call,
        message: &ValidateTagging<'_>,
        tell: impl FnOnce(&StagedVerdict<'_>, &Revision) -> T,
    ) -> Result<T, CallError> {
        self.with_newest(|snapshot| {
            let caller = call.caller(snapshot, RPC)?;
            let case = Judging { caller, snapshot };
            self.validate_tagging(RPC, case, message, |verdict| {
                tell(verdict, &snapshot.revision)
            })
        })
    }

    /// Judges one operation, and counts and tells the verdict.
    fn validate_tagging<T>(
        &self,
        rpc: Rpc,
        judging: Judging<'_>,
        message: &ValidateTagging<'_>,
        tell: impl FnOnce(&StagedVerdict<'_>) -> T,
    ) -> Result<T, CallError> {
        let start = Instant::now();
        let told = judging.judge(&self.shared.directory, message, |verdict| {
            (outcome(verdict), tell(verdict))
        });
        let outcome = match &told {
            Ok((outcome, _)) => *outcome,
            Err(_) => VerdictOutcome::Error,
        };
        self.tally.count_verdict(rpc, outcome, start.elapsed());
        told.map(|(_, told)| told)
    }

    async fn validate_all(
        &self,
        call: &Call,
        message: v1::BatchValidateTaggingRequest,
    ) -> Result<v1::BatchValidateTaggingResponse, CallError> {
        use v1::validate_tagging_result::Result as One;
        let v1::BatchValidateTaggingRequest { requests } = message;
        if requests.len() > limits::BATCH {
            let (limit, found) = (CallLimit::TaggingBatch, requests.len());
            return Err(CallError::OverLimit { limit, found });
        }
        let snapshot = self.snapshot()?;
        let rpc = Rpc::BatchValidateTagging;
        let judging = Judging {
            caller: call.caller(&snapshot, rpc)?,
            snapshot: &snapshot,
        };
        let mut results = Vec::with_capacity(requests.len());
        for (place, request) in requests.iter().enumerate() {
            if place > 0 && place % YIELD_EVERY == 0 {
                tokio::task::yield_now().await;
            }
            let told = self.validate_tagging(rpc, judging, &request.into(), |verdict| {
                reply::tagging::response(verdict, &snapshot.revision)
            });
            let one = match told {
                Ok(response) => One::Response(response),
                Err(error) => One::Error(error.to_item()),
            };
            results.push(v1::ValidateTaggingResult { result: Some(one) });
        }
        Ok(v1::BatchValidateTaggingResponse { results })
    }
}

/// By what an operation is judged.
#[derive(Clone, Copy)]
struct Judging<'a> {
    caller: &'a Caller,
    snapshot: &'a Snapshot,
}

impl Judging<'_> {
    /// Judges one operation, and tells the verdict.
    fn judge<T>(
        self,
        directory: &Directory,
        message: &ValidateTagging<'_>,
        tell: impl FnOnce(&StagedVerdict<'_>) -> T,
    ) -> Result<T, CallError> {
        let Self { caller, snapshot } = self;
        rights::check_tagging(caller, message)?;
        revision::check(&snapshot.revision, message.min_revision)?;
        let mut storage = TaggingStorage::default();
        let asked = SentTagging::read(message, &mut storage).map_err(CallError::Refused)?;
        if let Some(principal) = asked.principal {
            rights::check_principal(caller, principal, snapshot)?;
        }
        let name = asked.resource.name;
        let stored = find(directory, name);
        if stored.is_some() && !sees(snapshot, asked.principal, name, stored.as_ref()) {
            return Err(unknown("resource"));
        }
        let stored = stored.as_ref();
        let own = match asked.operation {
            SentOperation::Create => asked.principal.and_then(|who| who.account()),
            SentOperation::Tag | SentOperation::Untag | SentOperation::Detect => None,
        };
        let node = node(snapshot, name, stored, own)?;
        let settled = facts(&asked, &storage, stored)?.settle(snapshot, node)?;
        settled.judge(tell)
    }
}

/// What is known of an operation that was asked about.
fn facts<'a, 'm>(
    asked: &'a SentTagging<'m>,
    storage: &'a TaggingStorage<'m>,
    stored: Option<&'a Entry>,
) -> Result<Facts<'a>, CallError> {
    let (known, group) = asked.known(storage, stored);
    let current = match (asked.operation, known) {
        (SentOperation::Create, _) => Tags::Sent(&[]),
        (_, Some(current)) => current,
        (SentOperation::Tag | SentOperation::Untag | SentOperation::Detect, None) => {
            return Err(unknown("resource.tags"));
        }
    };
    let write = storage.write();
    Ok(Facts {
        name: asked.resource.name,
        kind: asked.resource.kind,
        stored,
        group,
        current,
        change: match asked.operation {
            SentOperation::Detect => Change::Detect,
            SentOperation::Create => Change::Create(write.set.unwrap_or_default()),
            SentOperation::Tag | SentOperation::Untag => Change::of_write(&write, current),
        },
        inheritance: storage.inheritance(),
        history: asked.history,
    })
}

/// What a verdict comes to, for the counters.
fn outcome(verdict: &StagedVerdict<'_>) -> VerdictOutcome {
    match (verdict.is_intercepted(), verdict.is_compliant()) {
        (true, _) => VerdictOutcome::Intercepted,
        (false, true) => VerdictOutcome::Compliant,
        (false, false) => VerdictOutcome::Reported,
    }
}

#[tonic::async_trait]
impl TaggingService for Served {
    async fn validate_tagging(
        &self,
        request: Request<v1::ValidateTaggingRequest>,
    ) -> Result<Response<v1::ValidateTaggingResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        let call = Call::new(&extensions);
        let told = self
            .0
            .validate_newest(&call, &(&message).into(), reply::tagging::response);
        answer(told)
    }

    async fn batch_validate_tagging(
        &self,
        request: Request<v1::BatchValidateTaggingRequest>,
    ) -> Result<Response<v1::BatchValidateTaggingResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        answer(self.0.validate_all(&Call::new(&extensions), message).await)
    }

    async fn authorize_tagging(
        &self,
        request: Request<v1::AuthorizeTaggingRequest>,
    ) -> Result<Response<v1::AuthorizeTaggingResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        let call = Call::new(&extensions);
        answer(self.0.authorize_tagging(&call, &message).await)
    }

    async fn get_effective_tag_policy(
        &self,
        request: Request<v1::GetEffectiveTagPolicyRequest>,
    ) -> Result<Response<v1::GetEffectiveTagPolicyResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        let call = Call::new(&extensions);
        answer(self.0.effective_tag_policy(&call, &message))
    }

    async fn list_tag_resources(
        &self,
        request: Request<v1::ListTagResourcesRequest>,
    ) -> Result<Response<v1::ListTagResourcesResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        let call = Call::new(&extensions);
        answer(self.0.list_tag_resources(&call, &message))
    }

    async fn list_resources_by_tags(
        &self,
        request: Request<v1::ListResourcesByTagsRequest>,
    ) -> Result<Response<v1::ListResourcesByTagsResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        let call = Call::new(&extensions);
        answer(self.0.list_resources_by_tags(&call, &message).await)
    }

    async fn list_tag_keys(
        &self,
        request: Request<v1::ListTagKeysRequest>,
    ) -> Result<Response<v1::ListTagKeysResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        let call = Call::new(&extensions);
        answer(self.0.list_tag_keys(&call, &message).await)
    }

    async fn list_tag_values(
        &self,
        request: Request<v1::ListTagValuesRequest>,
    ) -> Result<Response<v1::ListTagValuesResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        let call = Call::new(&extensions);
        answer(self.0.list_tag_values(&call, &message).await)
    }
}
