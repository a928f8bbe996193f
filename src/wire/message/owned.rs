//! Owned messages as borrowed ones: for calls that are no hot path, and for what only prost reads.

use arrayvec::ArrayVec;

use super::{
    Authorize, Context, Resource, Resources, RevisionToken, Session, Tag, TagList, TagWrite,
};
use crate::model::verdict::limits;
use crate::wire::v1;

impl<'m> From<&'m v1::AuthorizeRequest> for Authorize<'m> {
    fn from(message: &'m v1::AuthorizeRequest) -> Self {
        let v1::AuthorizeRequest {
            principal,
            action,
            resources,
            tag_write,
            context,
            session,
            kind,
            min_revision,
            explain,
            understands_obligations,
        } = message;
        Self {
            principal,
            action,
            resources: Resources::of(resources),
            tag_write: tag_write.as_ref().map(TagWrite::from),
            context: context.as_slice().into(),
            session: session.as_ref().map(Session::from),
            kind: *kind,
            min_revision: min_revision.as_ref().map(RevisionToken::from),
            explain: *explain,
            understands_obligations: *understands_obligations,
        }
    }
}

impl<'m> Resources<'m> {
    fn of(messages: &'m [v1::Resource]) -> Self {
        let mut resources = Self::default();
        let mut beyond = TagList::new();
        for message in messages {
            let tags = if resources.listed.is_full() {
                beyond.clear();
                &mut beyond
            } else {
                &mut resources.tags
            };
            let resource = Resource::of(message, tags);
            resources.add(resource);
        }
        resources
    }
}

impl<'m> Resource<'m> {
    /// The same resource, borrowed, with its tags at the end of a list: at most one more than the
    /// limit.
    pub fn of(message: &'m v1::Resource, tags: &mut TagList<'m>) -> Self {
        let v1::Resource {
            arn,
            r#type,
            resource_group,
            tags: sent,
        } = message;
        let first = tags.len();
        let sent = sent.as_ref().map(|set| {
            let kept = set.tags.iter().take(limits::RESOURCE_TAGS + 1);
            tags.extend(kept.map(Tag::from));
            first..tags.len()
        });
        Self {
            arn,
            kind: r#type,
            group: resource_group.as_ref().map(|group| group.id.as_str()),
            tags: sent,
        }
    }
}

impl<'m> From<&'m v1::Tag> for Tag<'m> {
    fn from(message: &'m v1::Tag) -> Self {
        let v1::Tag { key, value } = message;
        Self { key, value }
    }
}

impl<'m> From<&'m v1::TagWrite> for TagWrite<'m> {
    fn from(message: &'m v1::TagWrite) -> Self {
        let v1::TagWrite {
            set,
            remove_keys,
            remove_all,
            replace,
        } = message;
        let mut write = Self {
            remove_all: *remove_all,
            replace: *replace,
            ..Self::default()
        };
        if let Some(set) = set {
            let kept = write.set.insert(ArrayVec::new());
            kept.extend(set.tags.iter().map(Tag::from).take(kept.capacity()));
        }
        let capacity = write.remove_keys.capacity();
        let keys = remove_keys.iter().map(String::as_str).take(capacity);
        write.remove_keys.extend(keys);
        write
    }
}

impl<'m> From<&'m [v1::ContextEntry]> for Context<'m> {
    fn from(messages: &'m [v1::ContextEntry]) -> Self {
        let mut context = Self::default();
        for v1::ContextEntry { key, values } in messages {
            let first = context.values.len();
            for value in values {
                context.push_value(first, value);
            }
            context.add(key, first);
        }
        context
    }
}

impl<'m> From<&'m v1::Session> for Session<'m> {
    fn from(message: &'m v1::Session) -> Self {
        use v1::session::Policy;
        match &message.policy {
            None => Self::Unset,
            Some(Policy::None(v1::NoSessionPolicy {})) => Self::None,
            Some(Policy::PolicyDocument(text)) => Self::Policy(text),
        }
    }
}

impl<'m> From<&'m v1::RevisionToken> for RevisionToken<'m> {
    fn from(message: &'m v1::RevisionToken) -> Self {
        let v1::RevisionToken { source, number } = message;
        Self {
            source,
            number: *number,
        }
    }
}

impl From<RevisionToken<'_>> for v1::RevisionToken {
    fn from(token: RevisionToken<'_>) -> Self {
        let RevisionToken { source, number } = token;
        Self {
            source: source.to_owned(),
            number,
        }
    }
}
