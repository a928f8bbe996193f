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
        [resource(&self.arn, tags.resource.as_deref())]
    }

    /// The request as the engine takes it.
    pub fn request<'a>(&'a self, tags: &'a Tags<'a>, resources: &'a [Resource<'a>]) -> Request<'a> {
        let set = tags.request.as_deref();
        let (principal, action) = (&self.principal, &self.action);
        request(principal, action, resources, set, self.source_ip)
    }

    /// The request for as long as the process lives. Its texts stand one behind the other, as in
    /// the message that it would have come in.
    pub fn leak(self) -> Request<'static> {
        let tags = [&self.resource_tags, &self.request_tags];
        let tagged = tags.into_iter().flatten().flatten();
        let texts = [&self.principal, &self.action, &self.arn];
        let all = texts.into_iter().chain(tagged.flat_map(|(k, v)| [k, v]));
        let mut rest: &'static str = String::leak(all.map(String::as_str).collect());
        let mut next = |text: &str| {
            let (taken, further) = rest.split_at(text.len());
            rest = further;
            taken
        };
        let [principal, action, arn] = texts.map(|text| next(text));
        let [known, set] = tags.map(|list| {
            let list = list.as_ref()?.iter();
            let list: Vec<TagRef<'static>> = list.map(|(k, v)| tag(next(k), next(v))).collect();
            Some(&*list.leak())
        });
        let resources = Box::leak(Box::new([resource(arn, known)]));
        request(principal, action, resources, set, self.source_ip)
    }
}

fn checked(tags: &[OwnedTag]) -> Vec<TagRef<'_>> {
    tags.iter().map(|(key, value)| tag(key, value)).collect()
}

fn tag<'a>(key: &'a str, value: &'a str) -> TagRef<'a> {
    TagRef::parse(key, value).unwrap()
}

fn resource<'a>(arn: &'a str, tags: Option<&'a [TagRef<'a>]>) -> Resource<'a> {
    Resource {
        name: ResourceName::parse(arn).unwrap(),
        tags: tags.map_or(KnownTags::Unknown, KnownTags::Sent),
        group: KnownGroup::None,
        owner: None,
    }
}

fn request<'a>(
    principal: &'a str,
    action: &'a str,
    resources: &'a [Resource<'a>],
    set: Option<&'a [TagRef<'a>]>,
    source_ip: Option<IpAddr>,
) -> Request<'a> {
    Request {
        principal: PrincipalRef::parse(principal).unwrap(),
        action: ActionRef::parse(action).unwrap(),
        resources,
        tags: TagWrite {
            set,
            ..TagWrite::default()
        },
        context: Context {
            current_time: jiff::Timestamp::UNIX_EPOCH,
            source_ip,
            secure_transport: Some(true),
            mfa_present: None,
            entries: &[],
        },
        session: Session::Unstated,
        kind: None,
        understands_obligations: true,
    }
}
