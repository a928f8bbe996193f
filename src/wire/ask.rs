//! An owned question as the message that a client would send.
//!
//! The instant of the question is no part of it: a server has its own clock.

use super::v1;
use crate::document::write::write_policy;
use crate::model::catalog::OperationKind;
use crate::model::request::{AccessRequest, RequestTags, RequestedResource, SessionClaim};

impl From<&AccessRequest> for v1::AuthorizeRequest {
    fn from(request: &AccessRequest) -> Self {
        let AccessRequest {
            principal,
            action,
            resources,
            tags,
            context,
            current_time: _,
            session: claim,
            kind,
            understands_obligations,
        } = request;
        let entry = |(key, values): (&String, &Vec<String>)| v1::ContextEntry {
            key: key.clone(),
            values: values.clone(),
        };
        Self {
            principal: principal.clone(),
            action: action.clone(),
            resources: resources.iter().map(resource).collect(),
            tag_write: tag_write(tags),
            context: context.iter().map(entry).collect(),
            session: session(claim),
            kind: kind
                .map_or(v1::OperationKind::Unspecified, operation_kind)
                .into(),
            min_revision: None,
            explain: false,
            understands_obligations: *understands_obligations,
        }
    }
}

fn resource(resource: &RequestedResource) -> v1::Resource {
    let RequestedResource { arn, tags, group } = resource;
    v1::Resource {
        arn: arn.clone(),
        r#type: String::new(),
        resource_group: group.as_ref().map(|group| v1::ResourceGroup {
            id: group.clone().unwrap_or_default(),
        }),
        tags: tags.as_deref().map(tag_set),
    }
}

fn tag_set(tags: &[(String, String)]) -> v1::TagSet {
    let tag = |(key, value): &(String, String)| v1::Tag {
        key: key.clone(),
        value: value.clone(),
    };
    v1::TagSet {
        tags: tags.iter().map(tag).collect(),
    }
}

fn tag_write(tags: &RequestTags) -> Option<v1::TagWrite> {
    let RequestTags {
        set,
        remove_keys,
        remove_all,
        replace,
    } = tags;
    (*tags != RequestTags::default()).then(|| v1::TagWrite {
        set: set.as_deref().map(tag_set),
        remove_keys: remove_keys.clone(),
        remove_all: *remove_all,
        replace: *replace,
    })
}

fn session(claim: &SessionClaim) -> Option<v1::Session> {
    use v1::session::Policy;
    let policy = match claim {
        SessionClaim::Unstated => return None,
        SessionClaim::None => Policy::None(v1::NoSessionPolicy {}),
        SessionClaim::Policy(policy) => Policy::PolicyDocument(write_policy(policy).to_string()),
    };
    Some(v1::Session {
        policy: Some(policy),
    })
}

fn operation_kind(kind: OperationKind) -> v1::OperationKind {
    match kind {
        OperationKind::Create => v1::OperationKind::Create,
        OperationKind::Query => v1::OperationKind::Query,
        OperationKind::Update => v1::OperationKind::Update,
        OperationKind::Other => v1::OperationKind::Other,
    }
}
