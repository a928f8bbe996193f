//! Messages as questions to the engine: borrowed from the message, every text checked.
//!
//! A message is read into a [`Storage`] that the caller holds; the question borrows from it. Nothing
//! is repaired and nothing is left out: the first thing that is wrong, in the order of
//! [`RefusalReason`], refuses the request and names its field.
//!
//! Not here: what depends on the action's kind (`engine`), and the session policy's grammar.

mod candidates;
mod context;
mod fault;
pub(crate) mod tagging;
mod tags;

use std::ops::Range;
use std::sync::Arc;

use arrayvec::ArrayVec;
use jiff::Timestamp;

pub(crate) use candidates::Candidates;
pub(crate) use context::Entries;
use fault::{Faults, first_repeat};
use tags::{TagSink, read_tags};

use super::status::Refusal;
use super::v1;
use crate::engine::request::{KnownGroup, KnownTags, Request, Resource, Session};
use crate::model;
use crate::model::account::Name;
use crate::model::action::ActionRef;
use crate::model::arn::{PrincipalRef, ResourceName};
use crate::model::catalog::OperationKind;
use crate::model::tag::TagRef;
use crate::model::verdict::{RefusalReason, limits};

/// The engine's resources, in a place of the caller.
pub(crate) type Resources<'p> = ArrayVec<Resource<'p>, { limits::RESOURCES }>;

/// What the directory knows of each resource, in the order asked.
pub(crate) type Found = ArrayVec<Option<Arc<model::resource::Resource>>, { limits::RESOURCES }>;

/// The place of the lists of one message while it is read.
#[derive(Debug, Default)]
pub(crate) struct Storage<'m> {
    resources: ArrayVec<SentResource<'m>, { limits::RESOURCES }>,
    /// The tags of all resources. Up to 6,400, so that they do not stand on the stack.
    tags: Vec<TagRef<'m>>,
    write: tags::Write<'m>,
    context: context::Circumstances<'m>,
}

/// A resource as its sender names it, checked.
#[derive(Debug)]
pub(crate) struct SentResource<'m> {
    /// The ARN.
    pub(crate) name: ResourceName<'m>,
    tags: Option<Range<usize>>,
    group: KnownGroup<'m>,
}

/// The parts of a question that are no lists.
#[derive(Debug)]
pub(crate) struct Question<'m> {
    /// Who asks.
    pub(crate) principal: PrincipalRef<'m>,
    /// The action.
    pub(crate) action: ActionRef<'m>,
    /// What is said of the session.
    pub(crate) session: SentSession<'m>,
    kind: Option<OperationKind>,
    understands_obligations: bool,
    /// What is wrong and may not be told before the engine was asked: some of the engine's own
    /// reasons stand before it.
    pub(crate) late: Option<Refusal>,
}

/// What a message says of the session's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SentSession<'m> {
    /// Nothing.
    Unstated,
    /// The session has none.
    None,
    /// The text of its policy: 1 to 2,048 characters.
    Policy(&'m str),
}

impl<'m> Question<'m> {
    /// Reads a message.
    pub(crate) fn read(
        message: &'m v1::AuthorizeRequest,
        storage: &mut Storage<'m>,
    ) -> Result<Self, Refusal> {
        // `min_revision` and `explain` are for the service.
        let v1::AuthorizeRequest {
            principal,
            action,
            resources,
            tag_write,
            context,
            session,
            kind,
            min_revision: _,
            explain: _,
            understands_obligations,
        } = message;
        let mut faults = Faults::default();
        let names = read_names(principal, action, &mut faults);
        storage.read_resources(resources, &mut faults);
        if let Some(write) = tag_write {
            storage.write.read(write, &mut faults);
        }
        let around = Around {
            context,
            session: session.as_ref(),
            kind: *kind,
            understands_obligations: *understands_obligations,
        };
        around.read(names, storage, faults)
    }

    /// Reads the parts of a filter message that all its candidates share.
    pub(crate) fn read_filter(
        message: &'m v1::FilterResourcesRequest,
        storage: &mut Storage<'m>,
    ) -> Result<(Self, Candidates<'m>), Refusal> {
        let v1::FilterResourcesRequest {
            principal,
            action,
            candidates,
            filter_tags,
            context,
            session,
            kind,
            min_revision: _,
        } = message;
        let mut faults = Faults::default();
        let names = read_names(principal, action, &mut faults);
        let candidates = Candidates::read(candidates, filter_tags.as_ref(), &mut faults);
        let around = Around {
            context,
            session: session.as_ref(),
            kind: *kind,
            understands_obligations: false,
        };
        Ok((around.read(names, storage, faults)?, candidates))
    }

    /// The question as the engine takes it.
    pub(crate) fn as_engine<'p>(
        &'p self,
        storage: &'p Storage<'m>,
        resources: &'p [Resource<'p>],
        entries: &'p Entries<'p>,
        session: Session<'p>,
        now: Timestamp,
    ) -> Request<'p> {
        Request {
            principal: self.principal,
            action: self.action,
            resources,
            tags: storage.write.as_engine(),
            context: storage.context.as_engine(entries, now),
            session,
            kind: self.kind,
            understands_obligations: self.understands_obligations,
        }
    }
}

impl<'m> Storage<'m> {
    /// The resources, as sent.
    pub(crate) fn resources(&self) -> &[SentResource<'m>] {
        &self.resources
    }

    /// The context entries as the engine takes them.
    pub(crate) fn entries<'p>(&'p self, entries: &mut Entries<'p>) {
        self.context.entries(entries);
    }

    /// The resources as the engine takes them, and how many sent values were ignored because the
    /// directory says otherwise (security 2.3).
    pub(crate) fn known<'p>(&'p self, found: &'p Found, known: &mut Resources<'p>) -> u64 {
        let mut ignored = 0;
        for (sent, stored) in self.resources.iter().zip(found) {
            ignored += u64::from(sent.differs(&self.tags, stored.as_deref()));
            known.push(sent.known(&self.tags, stored.as_deref()));
        }
        ignored
    }

    fn read_resources(&mut self, resources: &'m [v1::Resource], faults: &mut Faults) {
        if resources.is_empty() {
            return faults.add(
                RefusalReason::NoResource,
                || "resources".to_owned(),
                "empty",
            );
        }
        if resources.len() > limits::RESOURCES {
            let detail = format!("more than {} resources", limits::RESOURCES);
            return faults.add(
                RefusalReason::ResourceLimit,
                || "resources".to_owned(),
                detail,
            );
        }
        for (place, resource) in resources.iter().enumerate() {
            let at = At {
                list: "resources",
                place,
            };
            if let Some(resource) = SentResource::read(resource, &mut self.tags, at, faults) {
                self.resources.push(resource);
            }
        }
        check_different(&self.resources, "resources", faults);
    }
}

impl<'m> SentResource<'m> {
    fn read(
        message: &'m v1::Resource,
        tags: &mut Vec<TagRef<'m>>,
        at: At,
        faults: &mut Faults,
    ) -> Option<Self> {
        let v1::Resource {
            arn,
            r#type,
            resource_group,
            tags: sent,
        } = message;
        if !(r#type.is_empty() || is_type(r#type)) {
            let detail = "not of the form `<service>:<type>`";
            faults.add(RefusalReason::InvalidRequest, || at.field("type"), detail);
        }
        let group = read_group(resource_group.as_ref(), at, faults);
        let sent = sent.as_ref().map(|sent| {
            let start = tags.len();
            let mut sink = ResourceTags { tags, start };
            read_tags(sent, &mut sink, || at.field("tags"), faults);
            start..tags.len()
        });
        let name = match ResourceName::parse(arn) {
            Ok(name) => name,
            Err(error) => {
                faults.add(
                    RefusalReason::InvalidRequest,
                    || at.field("arn"),
                    error.to_string(),
                );
                return None;
            }
        };
        // security 2.10: tags sent for an ARN that names no single resource.
        if sent.is_some() && !name.is_concrete() {
            let detail = "tags are taken only for an ARN that names one resource";
            faults.add(
                RefusalReason::TagsNotApplicable,
                || at.field("tags"),
                detail,
            );
        }
        Some(Self {
            name,
            tags: sent,
            group,
        })
    }

    /// Directory first (security 2.3).
    fn known<'p>(
        &'p self,
        tags: &'p [TagRef<'m>],
        stored: Option<&'p model::resource::Resource>,
    ) -> Resource<'p> {
        let (tags, group) = match (stored, &self.tags) {
            (Some(stored), _) => (KnownTags::Stored(&stored.tags), stored_group(stored)),
            (None, Some(range)) => (
                KnownTags::Sent(tags.get(range.clone()).unwrap_or_default()),
                self.group,
            ),
            (None, None) => (KnownTags::Unknown, self.group),
        };
        Resource {
            name: self.name,
            tags,
            group,
            owner: stored.and_then(model::resource::Resource::owner),
        }
    }

    fn differs(&self, tags: &[TagRef<'m>], stored: Option<&model::resource::Resource>) -> bool {
        let Some(stored) = stored else { return false };
        let other_group = match self.group {
            KnownGroup::Unknown => false,
            KnownGroup::None | KnownGroup::Some(_) => self.group != stored_group(stored),
        };
        let sent = self.tags.as_ref().and_then(|range| tags.get(range.clone()));
        other_group
            || sent.is_some_and(|sent| {
                sent.len() != stored.tags.len()
                    || sent
                        .iter()
                        .any(|tag| stored.tags.get(tag.key) != Some(tag.value))
            })
    }
}

fn stored_group(stored: &model::resource::Resource) -> KnownGroup<'_> {
    stored
        .group
        .as_ref()
        .map_or(KnownGroup::None, |group| KnownGroup::Some(group.as_str()))
}

/// Who asks, and for what.
type Names<'m> = Result<(PrincipalRef<'m>, ActionRef<'m>), Refusal>;

fn read_names<'m>(principal: &'m str, action: &'m str, faults: &mut Faults) -> Names<'m> {
    let mut refuse = |field: &str, detail: String| {
        let (reason, field) = (RefusalReason::InvalidRequest, field.to_owned());
        faults.add(reason, || field.clone(), detail.clone());
        Refusal {
            reason,
            field,
            detail,
        }
    };
    let principal =
        PrincipalRef::parse(principal).map_err(|error| refuse("principal", error.to_string()));
    let action = ActionRef::parse(action).map_err(|error| refuse("action", error.to_string()));
    Ok((principal?, action?))
}

/// In which circumstances something is asked: the parts that all messages share.
struct Around<'m> {
    context: &'m [v1::ContextEntry],
    session: Option<&'m v1::Session>,
    kind: i32,
    understands_obligations: bool,
}

impl<'m> Around<'m> {
    fn read(
        self,
        names: Names<'m>,
        storage: &mut Storage<'m>,
        mut faults: Faults,
    ) -> Result<Question<'m>, Refusal> {
        storage.context.read(self.context, &mut faults);
        let session = read_session(self.session, &mut faults);
        let kind = read_kind(self.kind, &mut faults);
        let late = faults.into_result()?;
        let (principal, action) = names?;
        let understands_obligations = self.understands_obligations;
        Ok(Question {
            principal,
            action,
            session,
            kind,
            understands_obligations,
            late,
        })
    }
}

fn read_session<'m>(message: Option<&'m v1::Session>, faults: &mut Faults) -> SentSession<'m> {
    let Some(v1::Session { policy }) = message else {
        return SentSession::Unstated;
    };
    match policy {
        None => {
            let detail = "neither `policy_document` nor `none`";
            faults.add(
                RefusalReason::InvalidRequest,
                || "session".to_owned(),
                detail,
            );
            SentSession::Unstated
        }
        Some(v1::session::Policy::None(v1::NoSessionPolicy {})) => SentSession::None,
        Some(v1::session::Policy::PolicyDocument(text)) => {
            let limit = limits::SESSION_POLICY_CHARS;
            if text.is_empty() || text.chars().take(limit + 1).count() > limit {
                let field = || "session.policy_document".to_owned();
                let detail = format!("not 1 to {limit} characters");
                faults.add(RefusalReason::InvalidDocument, field, detail);
            }
            SentSession::Policy(text)
        }
    }
}

fn read_kind(kind: i32, faults: &mut Faults) -> Option<OperationKind> {
    match v1::OperationKind::try_from(kind) {
        Ok(v1::OperationKind::Unspecified) => None,
        Ok(v1::OperationKind::Create) => Some(OperationKind::Create),
        Ok(v1::OperationKind::Query) => Some(OperationKind::Query),
        Ok(v1::OperationKind::Update) => Some(OperationKind::Update),
        Ok(v1::OperationKind::Other) => Some(OperationKind::Other),
        Err(_) => {
            faults.add(
                RefusalReason::InvalidRequest,
                || "kind".to_owned(),
                "not a known kind",
            );
            None
        }
    }
}

fn read_group<'m>(
    message: Option<&'m v1::ResourceGroup>,
    at: At,
    faults: &mut Faults,
) -> KnownGroup<'m> {
    let Some(v1::ResourceGroup { id }) = message else {
        return KnownGroup::Unknown;
    };
    if id.is_empty() {
        return KnownGroup::None;
    }
    if let Err(error) = Name::try_from(id.as_str()) {
        faults.add(
            RefusalReason::InvalidRequest,
            || at.field("resource_group.id"),
            error.to_string(),
        );
    }
    KnownGroup::Some(id)
}

fn is_type(text: &str) -> bool {
    let named = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.len() <= limits::RESOURCE_TYPE_BYTES
        && text
            .split_once(':')
            .is_some_and(|(service, kind)| named(service) && named(kind))
}

/// security 2.10: the same ARN twice.
fn check_different(resources: &[SentResource<'_>], list: &'static str, faults: &mut Faults) {
    let equal = |left: &SentResource<'_>, right: &SentResource<'_>| {
        left.name.as_str() == right.name.as_str()
    };
    let order = |left: &SentResource<'_>, right: &SentResource<'_>| {
        left.name.as_str().cmp(right.name.as_str())
    };
    if let Some(place) = first_repeat(resources, equal, order) {
        let at = At { list, place };
        faults.add(
            RefusalReason::ResourceDuplicate,
            || at.field("arn"),
            "the ARN is given twice",
        );
    }
}

/// The place of an item, for field paths.
#[derive(Debug, Clone, Copy)]
struct At {
    list: &'static str,
    place: usize,
}

impl At {
    fn field(self, name: &str) -> String {
        format!("{}[{}].{name}", self.list, self.place)
    }
}

/// The tags of one resource, at the end of the tags of all.
struct ResourceTags<'a, 'm> {
    tags: &'a mut Vec<TagRef<'m>>,
    start: usize,
}

impl<'m> TagSink<'m> for ResourceTags<'_, 'm> {
    fn push_tag(&mut self, tag: TagRef<'m>) -> bool {
        let taken = self.tags().len() < limits::RESOURCE_TAGS;
        if taken {
            self.tags.push(tag);
        }
        taken
    }

    fn tags(&self) -> &[TagRef<'m>] {
        self.tags.get(self.start..).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
