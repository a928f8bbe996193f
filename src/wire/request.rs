//! Messages as questions to the engine: borrowed from the message, every text checked.
//!
//! A message is read into a [`Storage`] that the caller holds; the question borrows from both. Nothing
//! is repaired and nothing is left out: the first thing that is wrong, in the order of
//! [`RefusalReason`], refuses the request and names its field.
//!
//! Not here: what depends on the action's kind (`engine`), and the session policy's grammar.

mod around;
mod candidates;
mod context;
mod fault;
mod resource;
pub(crate) mod tagging;
mod tags;

use arrayvec::ArrayVec;
use jiff::Timestamp;

use around::{Around, Names};
pub(crate) use candidates::Candidates;
use fault::Faults;
pub(crate) use resource::SentResource;
use resource::{At, Tags, check_different};

use super::message;
use super::status::Refusal;
use super::v1;
use crate::directory::Entry;
use crate::engine::request::{Request, Resource, Session};
use crate::model::action::ActionRef;
use crate::model::arn::PrincipalRef;
use crate::model::catalog::OperationKind;
use crate::model::verdict::{RefusalReason, limits};

/// The engine's resources, in a place of the caller.
pub(crate) type Resources<'p> = ArrayVec<Resource<'p>, { limits::RESOURCES }>;

/// What the directory knows of each resource, in the order asked.
pub(crate) type Found = ArrayVec<Option<Entry>, { limits::RESOURCES }>;

/// The place of the lists of one message while it is read.
#[derive(Debug, Default)]
pub(crate) struct Storage<'m> {
    resources: ArrayVec<SentResource<'m>, { limits::RESOURCES }>,
    /// The tags of all resources: up to 6,400, so that only the first stand on the stack.
    tags: Tags<'m>,
    write: tags::Write<'m>,
    context: context::Circumstances<'m>,
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
        message: &'m message::Authorize<'_>,
        storage: &mut Storage<'m>,
    ) -> Result<Self, Refusal> {
        // `min_revision` and `explain` are for the service.
        let message::Authorize {
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
        let names = Names::read(principal, action, &mut faults);
        storage.read_resources(resources, &mut faults);
        if let Some(write) = tag_write {
            storage.write.read(write, &mut faults);
        }
        let around = Around {
            context,
            session: *session,
            kind: *kind,
            understands_obligations: *understands_obligations,
        };
        around.read(&names, storage, faults)
    }

    /// Reads the parts of a filter message that all its candidates share, beside its context as the
    /// caller borrowed it.
    pub(crate) fn read_filter(
        message: &'m v1::FilterResourcesRequest,
        context: &'m message::Context<'_>,
        storage: &mut Storage<'m>,
    ) -> Result<(Self, Candidates<'m>), Refusal> {
        let v1::FilterResourcesRequest {
            principal,
            action,
            candidates,
            filter_tags,
            context: _,
            session,
            kind,
            min_revision: _,
        } = message;
        let mut faults = Faults::default();
        let names = Names::read(principal, action, &mut faults);
        let candidates = Candidates::read(candidates, filter_tags.as_ref(), &mut faults);
        let around = Around {
            context,
            session: session.as_ref().map(message::Session::from),
            kind: *kind,
            understands_obligations: false,
        };
        Ok((around.read(&names, storage, faults)?, candidates))
    }

    /// The question as the engine takes it.
    pub(crate) fn as_engine<'p>(
        &'p self,
        storage: &'p Storage<'m>,
        resources: &'p [Resource<'p>],
        session: Session<'p>,
        now: Timestamp,
    ) -> Request<'p> {
        Request {
            principal: self.principal,
            action: self.action,
            resources,
            tags: storage.write.as_engine(),
            context: storage.context.as_engine(now),
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

    /// The resources as the engine takes them, and how many sent values were ignored because the
    /// directory says otherwise (security 2.3).
    pub(crate) fn known<'p>(&'p self, found: &'p Found, known: &mut Resources<'p>) -> u64 {
        let mut ignored = 0;
        for (sent, stored) in self.resources.iter().zip(found) {
            ignored += u64::from(sent.differs(&self.tags, stored.as_ref()));
            known.push(sent.known(&self.tags, stored.as_ref()));
        }
        ignored
    }

    fn read_resources(&mut self, resources: &'m message::Resources<'_>, faults: &mut Faults) {
        let field = || "resources".to_owned();
        if resources.count == 0 {
            return faults.add(RefusalReason::NoResource, field, "empty");
        }
        if resources.count > limits::RESOURCES {
            let detail = format!("more than {} resources", limits::RESOURCES);
            return faults.add(RefusalReason::ResourceLimit, field, detail);
        }
        for (place, resource) in resources.listed.iter().enumerate() {
            let list = "resources";
            let at = At { list, place };
            let sent = resources.tags_of(resource);
            let read = SentResource::read(resource, sent, &mut self.tags, at, faults);
            self.resources.extend(read);
        }
        check_different(&self.resources, "resources", faults);
    }
}

#[cfg(test)]
mod tests;
