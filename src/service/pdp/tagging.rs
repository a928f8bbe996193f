//! `TaggingService`: convert, load, judge, convert.
//!
//! What the directory knows of a resource is used only for a principal that may see it, so that a
//! verdict tells nobody tags that they could not list (design, section 5).
//!
//! Not here: what complies (`engine::compliance`), and writing tags.

mod both;
mod effective;

use jiff::Timestamp;
use tonic::{Request, Response, Status};

use super::desk::find;
use super::{Call, Pdp, Served, YIELD_EVERY, answer, revision, rights};
use crate::engine::compliance::{
    Staged, StagedVerdict, can_intercept, capabilities, validate_staged,
};
use crate::engine::request::{Context, KnownGroup, KnownTags, Resource, Session, TagWrite};
use crate::engine::tagging::{Inheritance, Operation, Question, Tagging, Tags};
use crate::engine::{self};
use crate::model;
use crate::model::action::ActionRef;
use crate::model::arn::{ArnRef, PrincipalRef, ResourceName};
use crate::model::caller::Rpc;
use crate::model::catalog::TagCapabilities;
use crate::model::verdict::{Outcome, RefusalReason, limits};
use crate::snapshot::Snapshot;
use crate::snapshot::caller::Caller;
use crate::snapshot::tags::TagNode;
use crate::wire::reply;
use crate::wire::request::tagging::{SentOperation, SentTagging};
use crate::wire::status::{CallError, CallLimit, Refusal, TaggingFault};
use crate::wire::v1;
use crate::wire::v1::tagging_service_server::TaggingService;

/// The action by which a principal sees the tags of a resource.
const LIST_TAGS: &str = "tag:ListTagResources";

impl Pdp {
    fn validate_tagging(
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
        let write = asked.write();
        let current = match (asked.operation, current) {
            (SentOperation::Create, _) => Tags::Sent(&[]),
            (_, Some(current)) => current,
            (SentOperation::Tag | SentOperation::Untag | SentOperation::Detect, None) => {
                return Err(unknown("resource.tags"));
            }
        };
        let removed = removed(&write, current);
        let set = write.set.unwrap_or_default();
        let facts = Facts {
            name,
            kind: asked.resource.kind,
            stored: stored.as_deref(),
            group,
            current,
            operation: match asked.operation {
                SentOperation::Detect => Operation::Detect,
                SentOperation::Create => Operation::Create(set),
                SentOperation::Tag | SentOperation::Untag => Operation::Write {
                    set,
                    removed: &removed,
                },
            },
            inheritance: asked.inheritance(),
            history: asked.history,
        };
        let verdict = facts.judge(snapshot, node, |_, _, verdict| {
            reply::tagging::verdict(verdict)
        })?;
        Ok(v1::ValidateTaggingResponse {
            verdict: Some(verdict),
            revision: Some(reply::revision(&snapshot.revision)),
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
        let caller = call.caller(&snapshot, Rpc::BatchValidateTagging)?;
        let mut results = Vec::with_capacity(requests.len());
        for (place, request) in requests.iter().enumerate() {
            if place > 0 && place % YIELD_EVERY == 0 {
                tokio::task::yield_now().await;
            }
            let one = match self.validate_tagging(caller, &snapshot, request) {
                Ok(response) => One::Response(response),
                Err(error) => One::Error(error.to_item()),
            };
            results.push(v1::ValidateTaggingResult { result: Some(one) });
        }
        Ok(v1::BatchValidateTaggingResponse { results })
    }
}

/// What is known of one operation on one resource.
struct Facts<'a> {
    name: ResourceName<'a>,
    /// The type that is sent; empty: none.
    kind: &'a str,
    stored: Option<&'a model::resource::Resource>,
    group: KnownGroup<'a>,
    current: Tags<'a>,
    operation: Operation<'a>,
    inheritance: Inheritance<'a>,
    history: model::compliance::TagHistory,
}

impl Facts<'_> {
    /// Judges, and hands on what was judged.
    fn judge<T>(
        &self,
        snapshot: &Snapshot,
        node: &TagNode,
        then: impl FnOnce(&Staged<'_>, &Tagging<'_>, &StagedVerdict<'_>) -> T,
    ) -> Result<T, CallError> {
        let kind = self.resource_type(snapshot);
        let policies = &node.policies;
        let enforce = &*policies.enforce.policy;
        let known = kind
            .as_deref()
            .and_then(|kind| capabilities(&snapshot.catalog, enforce, kind));
        let looks = matches!(self.operation, Operation::Detect);
        // security 6.6: "an unknown resource type … is refused".
        if known.is_none() && !looks && can_intercept(enforce) {
            return Err(CallError::Tagging {
                reason: TaggingFault::ResourceTypeUnknown,
                field: "resource.type",
            });
        }
        let region = match self.name {
            ResourceName::All => None,
            ResourceName::Arn(arn) => Some(arn.region()),
        };
        let tagging = Tagging::new(Question {
            resource_type: kind.as_deref().unwrap_or_default(),
            region: region.filter(|region| !matches!(*region, "" | "*")),
            group: self.group,
            current: self.current,
            operation: self.operation,
            inheritance: self.inheritance,
            history: self.history,
        })
        .map_err(|error| {
            CallError::Refused(Refusal {
                reason: RefusalReason::TagLimit,
                field: "tag_write".to_owned(),
                detail: error.to_string(),
            })
        })?;
        let staged = Staged {
            enforce,
            warn: &policies.warn.policy,
            report: &policies.report.policy,
            settings: &snapshot.settings,
            capabilities: known.unwrap_or(TagCapabilities::ALL),
        };
        let verdict = validate_staged(&staged, &tagging);
        Ok(then(&staged, &tagging, &verdict))
    }

    /// design, section 5: "A resource's type is sent, else `service:first-segment` of the ARN,
    /// corrected by the catalog's table". The directory's record stands before both.
    fn resource_type(&self, snapshot: &Snapshot) -> Option<String> {
        if let Some(kind) = self.stored.and_then(|stored| stored.kind.as_deref()) {
            return Some(kind.to_ascii_lowercase());
        }
        if !self.kind.is_empty() && self.stored.is_none() {
            return Some(self.kind.to_ascii_lowercase());
        }
        match self.name {
            ResourceName::All => None,
            ResourceName::Arn(arn) => type_of(snapshot, arn),
        }
    }
}

fn type_of(snapshot: &Snapshot, arn: ArnRef<'_>) -> Option<String> {
    let first = arn.id().split('/').next().filter(|first| *first != "*")?;
    let kind = format!("{}:{first}", arn.service()).to_ascii_lowercase();
    let types = &snapshot.catalog.resource_types;
    Some(types.get(&*kind).map_or(kind, ToString::to_string))
}

/// The keys that a write takes away.
fn removed<'a>(write: &TagWrite<'a>, current: Tags<'a>) -> Vec<&'a str> {
    let set = write.set.unwrap_or_default();
    if write.remove_all || write.replace {
        let keys = current.iter().map(|tag| tag.key);
        keys.filter(|key| !set.iter().any(|tag| tag.key == *key))
            .collect()
    } else {
        write.remove_keys.to_vec()
    }
}

/// What binds the account that owns a resource (security 2.5 and 6.6).
fn node<'s>(
    snapshot: &'s Snapshot,
    name: ResourceName<'_>,
    stored: Option<&model::resource::Resource>,
    own: Option<&str>,
) -> Result<&'s TagNode, CallError> {
    let named = match name {
        ResourceName::All => None,
        ResourceName::Arn(arn) => arn.owner(),
    };
    let stored = stored.and_then(model::resource::Resource::owner);
    let owner = named.or(stored).or(own).ok_or_else(|| {
        CallError::Refused(Refusal {
            reason: RefusalReason::OwnerUnknown,
            field: "resource.arn".to_owned(),
            detail: "the account that owns the resource cannot be told".to_owned(),
        })
    })?;
    let node = snapshot.tags.account(owner);
    node.map(|node| &**node).ok_or(CallError::Tagging {
        reason: TaggingFault::AccountOutsideOrganization,
        field: "resource.arn",
    })
}

fn unknown(field: &str) -> CallError {
    CallError::Refused(Refusal {
        reason: RefusalReason::ResourceUnknown,
        field: field.to_owned(),
        detail: "its tags are not known, or not shown to the principal".to_owned(),
    })
}

/// Whether a principal may list the tags of a resource.
fn sees(
    snapshot: &Snapshot,
    principal: Option<PrincipalRef<'_>>,
    name: ResourceName<'_>,
    stored: Option<&model::resource::Resource>,
) -> bool {
    let Some(principal) = principal else {
        return false;
    };
    let resource = Resource {
        name,
        tags: stored.map_or(KnownTags::Unknown, |stored| KnownTags::Stored(&stored.tags)),
        group: match stored.map(|stored| stored.group.as_ref()) {
            None => KnownGroup::Unknown,
            Some(None) => KnownGroup::None,
            Some(Some(group)) => KnownGroup::Some(group.as_str()),
        },
        owner: stored.and_then(model::resource::Resource::owner),
    };
    may(snapshot, principal, LIST_TAGS, resource)
}

/// Whether a principal may do something without obligations, as far as a call without context and
/// session tells: what cannot be decided is no permission.
fn may(
    snapshot: &Snapshot,
    principal: PrincipalRef<'_>,
    action: &str,
    resource: Resource<'_>,
) -> bool {
    let Ok(action) = ActionRef::parse(action) else {
        return false;
    };
    let request = engine::request::Request {
        principal,
        action,
        resources: &[resource],
        tags: TagWrite::default(),
        context: Context {
            current_time: Timestamp::now(),
            source_ip: None,
            secure_transport: None,
            mfa_present: None,
            entries: &[],
        },
        session: Session::Unstated,
        kind: None,
        understands_obligations: false,
    };
    let decided = engine::decide(snapshot, &request);
    decided.is_ok_and(|decision| decision.outcome == Outcome::Allow)
}

#[tonic::async_trait]
impl TaggingService for Served {
    async fn validate_tagging(
        &self,
        request: Request<v1::ValidateTaggingRequest>,
    ) -> Result<Response<v1::ValidateTaggingResponse>, Status> {
        let (_, extensions, message) = request.into_parts();
        let snapshot = self.0.snapshot().map_err(|error| error.to_status())?;
        let caller = Call::new(&extensions);
        let caller = caller.caller(&snapshot, Rpc::ValidateTagging);
        answer(caller.and_then(|caller| self.0.validate_tagging(caller, &snapshot, &message)))
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
}
