//! On whose behalf tags are written, and what that one may write (security 4).
//!
//! A write is two actions: `tag:TagResources` or `tag:UntagResources`, and the service's own. Both
//! are decided on the resource as it is in this turn. What cannot be decided is no permission.

use std::sync::Arc;

use super::Hearing;
use crate::engine;
use crate::engine::request::{KnownGroup, KnownTags, Request, Resource, TagWrite};
use crate::model::action::ActionRef;
use crate::model::arn::ResourceName;
use crate::model::caller::OwnPrincipal;
use crate::model::resource::LiveResource;
use crate::model::tag::TagRef;
use crate::model::tagging::FailureCode;
use crate::service::pdp::desk::Desk;
use crate::service::pdp::rights;
use crate::snapshot::Snapshot;
use crate::tagging::{Edit, Gate};
use crate::wire::message::Authorize;
use crate::wire::request::{Question, Storage};
use crate::wire::status::CallError;
use crate::wire::v1;

/// The action that adds tags, whatever the service.
pub(super) const TAG: &str = "tag:TagResources";
/// The action that removes them.
const UNTAG: &str = "tag:UntagResources";

/// The action by which tags are seen.
const LIST: &str = "tag:ListTagResources";

/// Whoever writes tags.
pub(super) struct Asker<'a> {
    snapshot: &'a Snapshot,
    /// What is asked, but for action, resource and tags.
    asked: Request<'a>,
    /// The principal, as it was written.
    pub(super) name: Arc<str>,
    /// The region that stands for `*`.
    pub(super) region: &'a str,
}

impl Hearing<'_> {
    /// Finds out who writes, if the caller acts for that one, and goes on.
    pub(super) fn asking<T>(
        &self,
        writer: Option<&v1::TagWriter>,
        then: impl FnOnce(&Asker<'_>) -> Result<T, CallError>,
    ) -> Result<T, CallError> {
        let none = v1::TagWriter::default();
        let writer = writer.unwrap_or(&none);
        let v1::TagWriter {
            principal,
            context,
            session,
            region,
        } = writer;
        let own = self.caller.principal.as_ref().map(OwnPrincipal::as_str);
        let sent = v1::AuthorizeRequest {
            principal: match own {
                Some(own) if principal.is_empty() => own.to_owned(),
                Some(_) | None => principal.clone(),
            },
            action: TAG.to_owned(),
            // Any: each resource is asked about in its turn.
            resources: vec![v1::Resource {
                arn: "*".to_owned(),
                ..v1::Resource::default()
            }],
            context: context.clone(),
            session: session.clone(),
            ..v1::AuthorizeRequest::default()
        };
        let message = Authorize::from(&sent);
        rights::check_request(self.caller, &message)?;
        let mut storage = Storage::default();
        let question = Question::read(&message, &mut storage).map_err(CallError::Refused)?;
        if own != Some(&*sent.principal) {
            rights::check_principal(self.caller, question.principal, self.snapshot)?;
        }
        let desk = Desk {
            snapshot: self.snapshot,
            directory: self.turn.directory,
            sessions: self.sessions,
            caller: self.caller,
            now: self.turn.now,
        };
        let carried = desk.session(&question);
        if let Some(late) = carried.refusal() {
            return Err(CallError::Refused(late));
        }
        let session = carried.as_engine(question.session);
        then(&Asker {
            snapshot: self.snapshot,
            asked: question.as_engine(&storage, &[], session, self.turn.now),
            name: Arc::from(&*sent.principal),
            region,
        })
    }
}

impl<'a> Asker<'a> {
    /// A principal in some circumstances.
    pub(super) fn of(snapshot: &'a Snapshot, asked: Request<'a>) -> Self {
        Self {
            snapshot,
            asked,
            name: Arc::default(),
            region: "",
        }
    }

    /// The account of the principal, which stands for `*` in an ARN.
    pub(super) fn account(&self) -> Option<&'a str> {
        self.asked.principal.account()
    }

    /// Whether an unknown resource may be told to be unknown: as if it had no tags, so that nobody
    /// learns of resources that it could not tag.
    pub(super) fn may_know(&self, name: ResourceName<'_>, edit: &Edit<'_>) -> bool {
        self.may(untagged(name), edit)
    }

    /// The same where no tag is named.
    pub(super) fn may_know_at_all(&self, name: ResourceName<'_>) -> bool {
        self.may_at_all(untagged(name))
    }

    /// Whether the principal may see a resource with its tags, under the circumstances of the call.
    pub(super) fn sees(&self, resource: &LiveResource) -> bool {
        let tags: Vec<TagRef<'_>> = resource.tag_refs().collect();
        let Ok(action) = ActionRef::parse(LIST) else {
            return false;
        };
        let request = Request {
            action,
            resources: &[known(resource, &tags)],
            ..self.asked
        };
        let decided = engine::decide(self.snapshot, &request);
        decided.is_ok_and(|decision| decision.is_allow())
    }

    fn may(&self, resource: Resource<'_>, edit: &Edit<'_>) -> bool {
        let Edit { set, removed } = *edit;
        let adding = TagWrite {
            set: Some(set),
            ..TagWrite::default()
        };
        let removing = TagWrite {
            remove_keys: removed,
            // Of a resource without tags nothing is removed, and that needs permission as well.
            remove_all: removed.is_empty(),
            ..TagWrite::default()
        };
        let adds = set.is_empty() || self.both(TAG, resource, adding);
        let removes =
            (removed.is_empty() && !set.is_empty()) || self.both(UNTAG, resource, removing);
        adds && removes
    }

    /// semantics 26: "`{}` with nothing removed and no replace touches nothing; the rule is applied
    /// all the same."
    fn may_at_all(&self, resource: Resource<'_>) -> bool {
        let adding = TagWrite {
            set: Some(&[]),
            ..TagWrite::default()
        };
        self.both(TAG, resource, adding)
    }

    /// Whether somebody may do something that touches no resource, by the policies alone.
    pub(super) fn may_do(&self, action: &str, arn: &str) -> bool {
        let (Ok(action), Ok(name)) = (ActionRef::parse(action), ResourceName::parse(arn)) else {
            return false;
        };
        let request = Request {
            action,
            resources: &[untagged(name)],
            ..self.asked
        };
        let decided = engine::decide(self.snapshot, &request);
        decided.is_ok_and(|decision| decision.is_allow())
    }

    /// The service's own action beside one of the tag service.
    fn own(&self, tag: &str, service: &str) -> String {
        match (self.snapshot.catalog.services.get(service), tag) {
            (Some(own), TAG) => own.tag.as_str().to_owned(),
            (Some(own), _) => own.untag.as_str().to_owned(),
            // A service that the catalog does not list names its actions like the others.
            (None, tag) => tag.replacen("tag", service, 1),
        }
    }

    /// security 4: "two checks, both must ALLOW".
    fn both(&self, tag: &str, resource: Resource<'_>, tags: TagWrite<'_>) -> bool {
        let ResourceName::Arn(arn) = resource.name else {
            return false;
        };
        let own = self.own(tag, arn.service());
        [tag, &own].into_iter().all(|action| {
            let Ok(action) = ActionRef::parse(action) else {
                return false;
            };
            let request = Request {
                action,
                resources: &[resource],
                tags,
                ..self.asked
            };
            let decided = engine::decide(self.snapshot, &request);
            decided.is_ok_and(|decision| decision.is_allow())
        })
    }
}

impl Gate for Asker<'_> {
    fn check(&self, resource: &LiveResource, edit: &Edit<'_>) -> Result<(), FailureCode> {
        let tags: Vec<TagRef<'_>> = resource.tag_refs().collect();
        permission(self.may(known(resource, &tags), edit))
    }

    fn check_at_all(&self, resource: &LiveResource) -> Result<(), FailureCode> {
        let tags: Vec<TagRef<'_>> = resource.tag_refs().collect();
        permission(self.may_at_all(known(resource, &tags)))
    }
}

fn permission(is_allowed: bool) -> Result<(), FailureCode> {
    if is_allowed {
        Ok(())
    } else {
        Err(FailureCode::NoPermission)
    }
}

/// A resource as it is in this turn.
fn known<'r>(resource: &'r LiveResource, tags: &'r [TagRef<'r>]) -> Resource<'r> {
    Resource {
        name: ResourceName::Arn(resource.arn.fields()),
        tags: KnownTags::Sent(tags),
        group: match &resource.group {
            Some(group) => KnownGroup::Some(group.as_str()),
            None => KnownGroup::None,
        },
        owner: resource.owner(),
    }
}

fn untagged(name: ResourceName<'_>) -> Resource<'_> {
    Resource {
        name,
        tags: KnownTags::Sent(&[]),
        group: KnownGroup::None,
        owner: None,
    }
}
