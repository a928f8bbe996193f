//! A request as the message that asks it.

use tagwarden::engine::request::{KnownTags, Request, Resource};
use tagwarden::model::arn::PrincipalRef;
use tagwarden::model::tag::TagRef;
use tagwarden::wire::v1;

/// The message of a request that a user makes.
pub fn message(request: &Request<'_>) -> v1::AuthorizeRequest {
    let PrincipalRef::User { account, name } = request.principal else {
        unreachable!("the profiles ask as users")
    };
    let address = request.context.source_ip.map(|address| address.to_string());
    let secure = request.context.secure_transport;
    let typed = [
        ("acs:SourceIp", address),
        (
            "acs:SecureTransport",
            secure.map(|secure| secure.to_string()),
        ),
    ];
    let entry = |key: &str, value: String| v1::ContextEntry {
        key: key.to_owned(),
        values: vec![value],
    };
    v1::AuthorizeRequest {
        principal: format!("acs:ram::{account}:user/{name}"),
        action: request.action.as_str().to_owned(),
        resources: request.resources.iter().map(resource).collect(),
        tag_write: request.tags.set.map(|tags| v1::TagWrite {
            set: Some(tag_set(tags)),
            ..v1::TagWrite::default()
        }),
        context: typed
            .into_iter()
            .filter_map(|(key, value)| Some(entry(key, value?)))
            .collect(),
        understands_obligations: request.understands_obligations,
        ..v1::AuthorizeRequest::default()
    }
}

fn resource(resource: &Resource<'_>) -> v1::Resource {
    v1::Resource {
        arn: resource.name.as_str().to_owned(),
        tags: match resource.tags {
            KnownTags::Unknown | KnownTags::Stored(_) => None,
            KnownTags::Sent(tags) => Some(tag_set(tags)),
        },
        ..v1::Resource::default()
    }
}

fn tag_set(tags: &[TagRef<'_>]) -> v1::TagSet {
    let tag = |tag: &TagRef<'_>| v1::Tag {
        key: tag.key.to_owned(),
        value: tag.value.to_owned(),
    };
    v1::TagSet {
        tags: tags.iter().map(tag).collect(),
    }
}
