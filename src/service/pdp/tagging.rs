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

use tokio::time::Instant;
use tonic::{Request, Response, Status};

use self::facts::{Change, Facts, node};
use self::sight::{sees, unknown};
use super::desk::find;
use super::{Call, Pdp, Served, YIELD_EVERY, answer, revision, rights};
use crate::engine::compliance::validate_staged;
use crate::engine::tagging::Tags;
use crate::model::caller::{Origin, Rpc};
use crate::model::verdict::limits;
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::telemetry::VerdictOutcome;
use crate::wire::reply;
use crate::wire::request::tagging::{SentOperation, SentTagging};
use crate::wire::status::{CallError, CallLimit};
use crate::wire::v1;
use crate::wire::v1::tagging_service_server::TaggingService;

impl Pdp {
    /// Judges one operation from somewhere, without a socket and without waiting.
    ///
    /// # Errors
    ///
    /// As a call of `ValidateTagging`.
    pub fn validate(
        &self,
        origin: &Origin,
        message: &v1::ValidateTaggingRequest,
    ) -> Result<v1::ValidateTaggingResponse, CallError> {
        let rpc = Rpc::ValidateTagging;
        self.with_newest(|snapshot| {
            let caller = snapshot.callers.find(origin);
            rights::check_rpc(caller, rpc)?;
            self.validate_tagging(rpc, caller, snapshot, message)
        })
    }

    /// Judges one operation against a snapshot, and counts the verdict.
    fn validate_tagging(
        &self,
        rpc: Rpc,
        caller: &Caller,
        snapshot: &Snapshot,
        message: &v1::ValidateTaggingRequest,
    ) -> Result<v1::ValidateTaggingResponse, CallError> {
        let start = Instant::now();
        let answered = self.try_validate(caller, snapshot, message);
        let outcome = match &answered {
            Ok(response) => response.verdict.as_ref().map(outcome),
            Err(_) => None,
        };
        let outcome = outcome.unwrap_or(VerdictOutcome::Error);
        self.tally.count_verdict(rpc, outcome, start.elapsed());
        answered
    }

    fn try_validate(
        &self,
        caller: &Caller,
        snapshot: &Snapshot,
        message: &v1::ValidateTaggingRequest,
    ) -> Result<v1::ValidateTaggingResponse, CallError> {
        rights::check_tagging(caller, message)?;
        revision::check(&snapshot.revision, message.min_revision.as_ref())?;
        let asked = SentTagging::read(message).map_err(CallError::Refused)?;
        if let Some(principal) = asked.principal {
            rights::check_principal(caller, principal, snapshot)?;
        }
        let name = asked.resource.name;
        let stored = find(&self.shared.directory, name);
        if stored.is_some() && !sees(snapshot, asked.principal, name, stored.as_deref()) {
            return Err(unknown("resource"));
        }
        let own = match asked.operation {
            SentOperation::Create => asked.principal.and_then(|who| who.account()),
            SentOperation::Tag | SentOperation::Untag | SentOperation::Detect => None,
        };
        let node = node(snapshot, name, stored.as_deref(), own)?;
        let (current, group) = asked.known(stored.as_deref());
        let current = match (asked.operation, current) {
            (SentOperation::Create, _) => Tags::Sent(&[]),
            (_, Some(current)) => current,
            (SentOperation::Tag | SentOperation::Untag | SentOperation::Detect, None) => {
                return Err(unknown("resource.tags"));
            }
        };
        let write = asked.write();
        let facts = Facts {
            name,
            kind: asked.resource.kind,
            stored: stored.as_deref(),
            group,
            current,
            change: match asked.operation {
                SentOperation::Detect => Change::Detect,
                SentOperation::Create => Change::Create(write.set.unwrap_or_default()),
                SentOperation::Tag | SentOperation::Untag => Change::of_write(&write, current),
            },
            inheritance: asked.inheritance(),
            history: asked.history,
        };
        let settled = facts.settle(snapshot, node)?;
        let verdict = validate_staged(&settled.staged, &settled.tagging()?);
        Ok(v1::ValidateTaggingResponse {
            verdict: Some(reply::tagging::verdict(&verdict)),
            revision: Some(reply::revision(&snapshot.revision)),
        })
    }

    /// Judges one operation against the newest snapshot.
    fn validate_now(
        &self,
        call: &Call,
        message: &v1::ValidateTaggingRequest,
    ) -> Result<v1::ValidateTaggingResponse, CallError> {
        let rpc = Rpc::ValidateTagging;
        self.with_newest(|snapshot| {
            let caller = call.caller(snapshot, rpc)?;
            self.validate_tagging(rpc, caller, snapshot, message)
        })
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
        let caller = call.caller(&snapshot, rpc)?;
        let mut results = Vec::with_capacity(requests.len());
        for (place, request) in requests.iter().enumerate() {
            if place > 0 && place % YIELD_EVERY == 0 {
                tokio::task::yield_now().await;
            }
            let one = match self.validate_tagging(rpc, caller, &snapshot, request) {
                Ok(response) => One::Response(response),
                Err(error) => One::Error(error.to_item()),
            };
            results.push(v1::ValidateTaggingResult { result: Some(one) });
        }
        Ok(v1::BatchValidateTaggingResponse { results })
    }
}

/// What a verdict comes to, for the counters.
fn outcome(verdict: &v1::TaggingVerdict) -> VerdictOutcome {
    match (verdict.intercepted, verdict.compliant) {
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
        answer(self.0.validate_now(&call, &message))
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
