//! One request with its texts, and the same borrowed as the engine takes it.

use std::net::IpAddr;

use tagwarden::engine::request::{
    Context, KnownGroup, KnownTags, Request, Resource, Session, TagWrite,
};
use tagwarden::model::action::ActionRef;
use tagwarden::model::arn::{PrincipalRef, ResourceName};
use tagwarden::model::tag::TagRef;

/// Key and value.
pub type OwnedTag = (String, String);

/// One request about one resource.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// Who asks: an ARN.
    pub principal: String,
    /// The action.
    pub action: String,
    /// The resource.
    pub arn: String,
    /// The tags of the resource, if they are sent.
    pub resource_tags: Option<Vec<OwnedTag>>,
    /// The tag parameter, if the call has one.
    pub request_tags: Option<Vec<OwnedTag>>,
    /// Where the call comes from; without it the request is refused where a policy reads it.
    pub source_ip: Option<IpAddr>,
}

/// The tags of a question, checked.
#[derive(Debug)]
pub struct Tags<'a> {
    resource: Option<Vec<TagRef<'a>>>,
    request: Option<Vec<TagRef<'a>>>,
}

impl Question {
    /// Checks the tags.
    pub fn tags(&self) -> Tags<'_> {
        Tags {
            resource: self.resource_tags.as_deref().map(checked),
            request: self.request_tags.as_deref().map(checked),
        }
    }

    /// The resource as the engine takes it.
    pub fn resource<'a>(&'a self, tags: &'a Tags<'a>) -> [Resource<'a>; 1] {
        let name = ResourceName::parse(&self.arn).unwrap();
        let known = tags
            .resource
            .as_deref()
            .map_or(KnownTags::Unknown, KnownTags::Sent);
        [Resource {
            name,
            tags: known,
            group: KnownGroup::None,
            owner: None,
        }]
    }

    /// The request as the engine takes it.
    pub fn request<'a>(&'a self, tags: &'a Tags<'a>, resources: &'a [Resource<'a>]) -> Request<'a> {
        Request {
            principal: PrincipalRef::parse(&self.principal).unwrap(),
            action: ActionRef::parse(&self.action).unwrap(),
            resources,
            tags: TagWrite {
                set: tags.request.as_deref(),
                ..TagWrite::default()
            },
            context: Context {
                current_time: jiff::Timestamp::UNIX_EPOCH,
                source_ip: self.source_ip,
                secure_transport: Some(true),
                mfa_present: None,
                entries: &[],
            },
            session: Session::Unstated,
            kind: None,
            understands_obligations: true,
        }
    }

    /// The request for as long as the process lives.
    pub fn leak(self) -> Request<'static> {
        let question: &'static Self = Box::leak(Box::new(self));
        let tags: &'static Tags<'static> = Box::leak(Box::new(question.tags()));
        let resources: &'static [Resource<'static>] = Box::leak(Box::new(question.resource(tags)));
        question.request(tags, resources)
    }
}

fn checked(tags: &[OwnedTag]) -> Vec<TagRef<'_>> {
    tags.iter()
        .map(|(key, value)| TagRef::parse(key, value).unwrap())
        .collect()
}
