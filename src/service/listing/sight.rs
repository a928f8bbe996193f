//! What whoever asks may see, one by one or as a whole.

use jiff::Timestamp;

use crate::directory::{Entry, Served};
use crate::engine;
use crate::engine::request::{KnownGroup, KnownTags, Request, Resource};
use crate::model::action::ActionRef;
use crate::model::arn::{PrincipalRef, ResourceName};
use crate::model::catalog::ActionFacts;
use crate::snapshot::Snapshot;
use crate::snapshot::action::FoldedAction;

/// The action by which a principal sees the tags of a resource.
const LIST_TAGS: &str = "tag:ListTagResources";
/// The most parts of an account for which it is asked whether all in them may be seen.
const MOST_PARTS: usize = 512;

/// Who is to see what is told.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Viewer<'m> {
    /// The server's own user, who sees everything.
    Owner,
    /// A principal.
    Principal(PrincipalRef<'m>),
}

impl<'m> Viewer<'m> {
    /// The account of whoever asks.
    pub(crate) fn account(&self) -> Option<&'m str> {
        match self {
            Self::Owner => None,
            Self::Principal(principal) => principal.account(),
        }
    }
}

/// The eyes of one call.
#[derive(Debug)]
pub(crate) struct Sight<'s> {
    /// What decides.
    pub(crate) snapshot: &'s Snapshot,
    /// Whose eyes they are.
    pub(crate) viewer: Viewer<'s>,
    /// The instant of the call.
    pub(crate) now: Timestamp,
}

impl Sight<'_> {
    /// Whether a resource may be seen, with its tags.
    pub(crate) fn sees(&self, entry: &Entry) -> bool {
        self.may(
            LIST_TAGS,
            Resource {
                name: ResourceName::Arn(entry.fields()),
                tags: KnownTags::Stored(entry.tags()),
                group: entry.group().map_or(KnownGroup::None, KnownGroup::Some),
                owner: entry.owner(),
            },
        )
    }

    /// Whether all resources of these parts may be seen, whatever they are: a list of each part is
    /// allowed without an obligation to filter it (security 3.6), and nothing is attached to a
    /// single resource.
    pub(super) fn sees_all(&self, account: &str, parts: &[Served]) -> bool {
        match self.viewer {
            Viewer::Owner => true,
            Viewer::Principal(_) => {
                parts.len() <= MOST_PARTS && parts.iter().all(|part| self.sees_part(account, part))
            }
        }
    }

    fn sees_part(&self, account: &str, part: &Served) -> bool {
        let Served {
            region,
            service,
            is_plain,
        } = part;
        let arn = format!("acs:{service}:{region}:{account}:*");
        let is_bare = !self.snapshot.attached.has_service(service);
        *is_plain && is_bare && self.is_list(LIST_TAGS) && self.may_on(LIST_TAGS, &arn)
    }

    /// Whether an action is a list, so that what narrows it is told: a catalog may say otherwise.
    fn is_list(&self, action: &str) -> bool {
        let Ok(action) = ActionRef::parse(action) else {
            return false;
        };
        let name = FoldedAction::new(action);
        let found = self.snapshot.actions.find(&name);
        let facts = found.action.and_then(|action| action.facts.as_ref());
        facts.map_or_else(|| ActionFacts::from_name(action).list, |facts| facts.list)
    }

    /// Whether something is allowed on an ARN that names no single resource.
    pub(super) fn may_on(&self, action: &str, arn: &str) -> bool {
        let Ok(name) = ResourceName::parse(arn) else {
            return false;
        };
        self.may(
            action,
            Resource {
                name,
                tags: KnownTags::Unknown,
                group: KnownGroup::Unknown,
                owner: None,
            },
        )
    }

    /// What cannot be decided without context and session, or only under obligations, is no
    /// permission.
    fn may(&self, action: &str, resource: Resource<'_>) -> bool {
        let principal = match self.viewer {
            Viewer::Owner => return true,
            Viewer::Principal(principal) => principal,
        };
        let Ok(action) = ActionRef::parse(action) else {
            return false;
        };
        let resources = [resource];
        let request = Request::bare(principal, action, &resources, self.now);
        let decided = engine::decide(self.snapshot, &request);
        decided.is_ok_and(|decision| decision.is_allow())
    }
}
