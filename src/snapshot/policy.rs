//! Compiled policies: what a statement covers, and what must hold for it to apply.
//!
//! With many policies the cost of a decision is memory: a policy is one piece of it, and a statement
//! two lines of the cache, of which one tells whether it is of an action. Lists that stand in many
//! statements alike are shared, so that those that are read often stay in the cache.

use std::ops::{BitOr, Deref};
use std::sync::Arc;

use triomphe::ThinArc;

use super::action::{ActionId, ServiceId};
use super::arn::ArnMatcher;
use super::condition::Condition;
use super::filter::{ActionFilter, AskedAction, Glance, Marks};
use super::matcher::Matcher;
use super::start::Started;
use super::symbol::Symbol;
use crate::model::statement::Effect;

/// One compiled policy. It stands once in a snapshot, however many principals have it.
#[derive(Debug, Clone)]
pub struct Policy(ThinArc<Head, Statement>);

/// What a policy is besides its statements.
#[derive(Debug)]
struct Head {
    name: Symbol,
    filter: ActionFilter,
}

impl Policy {
    /// A policy of its name, the actions that it may cover, and its statements.
    pub(crate) fn new(name: Symbol, filter: ActionFilter, statements: Vec<Statement>) -> Self {
        let head = Head { name, filter };
        Self(ThinArc::from_header_and_iter(head, statements.into_iter()))
    }

    /// The name under which answers speak of it: `custom:NAME`, `system:NAME`.
    pub fn name(&self) -> &Symbol {
        &self.0.header.header.name
    }

    /// The statements, in the order written.
    #[inline]
    pub fn statements(&self) -> &[Statement] {
        &self.0.slice
    }

    /// The actions that its statements may cover.
    pub fn filter(&self) -> ActionFilter {
        self.0.header.header.filter
    }
}

/// One compiled statement. Its fields stand in the order in which they are read: those up to `reads`
/// share a line with its actions.
#[derive(Debug, Clone)]
#[repr(C)]
pub struct Statement {
    /// What few statements have, and no decision of an identity reads.
    pub rest: Option<Box<Rest>>,
    /// `Action` or `NotAction`.
    pub actions: Actions,
    /// Whether the actions are those that it leaves out (`NotAction`).
    pub excluding: bool,
    /// Allow or Deny.
    pub effect: Effect,
    /// Which tag families its conditions read.
    pub class: Class,
    /// What its conditions need of a request.
    pub reads: Reads,
    /// `Resource`.
    pub resources: Resources,
    /// Every one must hold.
    pub conditions: Conditions,
}

impl Statement {
    /// `Principal`, in resource-based and trust documents.
    #[inline]
    pub fn principals(&self) -> Option<&Principals> {
        self.rest.as_ref()?.principals.as_ref()
    }

    /// A name for audit output.
    pub fn sid(&self) -> Option<&Symbol> {
        self.rest.as_ref()?.sid.as_ref()
    }
}

/// What else a statement says.
#[derive(Debug, Clone)]
pub struct Rest {
    /// `Principal`, in resource-based and trust documents.
    pub principals: Option<Principals>,
    /// A name for audit output.
    pub sid: Option<Symbol>,
}

/// The conditions of a statement, in one piece that all share that write them alike.
#[derive(Debug, Clone, Default)]
pub struct Conditions(Option<ThinArc<(), Condition>>);

impl Conditions {
    /// Whether there is none: nothing is read for that.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl From<Vec<Condition>> for Conditions {
    fn from(conditions: Vec<Condition>) -> Self {
        if conditions.is_empty() {
            return Self(None);
        }
        Self(Some(ThinArc::from_header_and_iter(
            (),
            conditions.into_iter(),
        )))
    }
}

impl Deref for Conditions {
    type Target = [Condition];

    #[inline]
    fn deref(&self) -> &[Condition] {
        self.0.as_ref().map_or(&[], |list| &list.slice)
    }
}

/// The tag families that a statement's conditions read, as written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Class {
    /// R: a resource's tags.
    pub resource: bool,
    /// Q: the request's tags.
    pub request: bool,
    /// T: one or the other.
    pub either: bool,
}

/// What else a statement's conditions need of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reads {
    /// `acs:ResourceGroupId`.
    pub group: bool,
    /// A key that a request must always carry, or may have to by its action.
    pub context: bool,
    /// Values that may turn out unreadable: under a typed operator, or several without a set prefix.
    pub values: bool,
}

impl Class {
    /// Whether a decision needs the tags of an existing resource (security 2.4).
    pub fn reads_resource(self) -> bool {
        self.resource || self.either
    }
}

/// The actions that a statement names.
#[derive(Debug, Clone)]
pub struct Actions {
    /// The actions named in full.
    pub exact: ActionIds,
    /// Those named by wildcards.
    pub patterns: Box<[ActionMatcher]>,
    /// What a statement with these may cover: of `NotAction`, anything.
    pub(crate) glance: Glance,
}

impl Actions {
    /// Actions named in full, and patterns of others.
    pub(crate) fn new(exact: Vec<ActionId>, patterns: Vec<ActionMatcher>) -> Self {
        let named = exact.iter().copied().map(Glance::of_action);
        let reached = patterns.iter().map(|pattern| match pattern {
            ActionMatcher::Service(service, _) => Glance::of_service(*service),
            ActionMatcher::All | ActionMatcher::Wide(..) => Glance::ALL_SERVICES,
        });
        Self {
            glance: named.chain(reached).fold(Glance::default(), Glance::union),
            exact: exact.into(),
            patterns: patterns.into(),
        }
    }

    /// The same as those that a statement leaves out: it may cover any other.
    #[must_use]
    pub(crate) fn excluded(self) -> Self {
        Self {
            glance: Glance::ALL,
            ..self
        }
    }

    /// Whether a statement with these may cover the action of a request.
    #[inline]
    pub fn may_cover(&self, asked: AskedAction) -> bool {
        self.glance.meets(asked.glance)
    }

    /// Whether the action of a request is named in full.
    #[inline]
    pub fn names(&self, asked: AskedAction) -> bool {
        asked.id.is_some_and(|id| self.exact.contains(id))
    }

    /// The patterns, if one of them may match the action of a request.
    #[inline]
    pub fn reaching(&self, asked: AskedAction) -> &[ActionMatcher] {
        if self.glance.meets(asked.reached) {
            &self.patterns
        } else {
            &[]
        }
    }
}

/// How many actions stand in the statement itself.
const FEW: usize = 7;

/// A sorted list of actions. A short one stands where it is used.
#[derive(Debug, Clone)]
pub enum ActionIds {
    /// A few, at least one: how many, and the last of them as often as there is place.
    Few(u8, [ActionId; FEW]),
    /// Any number, behind a mask of them.
    Many(Marks, Box<[ActionId]>),
}

impl From<Vec<ActionId>> for ActionIds {
    fn from(mut ids: Vec<ActionId>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        match (u8::try_from(ids.len()), ids.last()) {
            (Ok(length), Some(last)) if ids.len() <= FEW => {
                let at = |place| ids.get(place).unwrap_or(last);
                Self::Few(length, std::array::from_fn(|place| *at(place)))
            }
            (Ok(_) | Err(_), _) => {
                let marks = ids.iter().copied().map(Marks::of_action);
                Self::Many(marks.fold(Marks::default(), Marks::union), ids.into())
            }
        }
    }
}

impl ActionIds {
    /// The ids, sorted.
    pub fn as_slice(&self) -> &[ActionId] {
        match self {
            Self::Few(length, ids) => ids.get(..usize::from(*length)).unwrap_or(ids),
            Self::Many(_, ids) => ids,
        }
    }

    /// Whether an action is among them.
    #[inline]
    pub fn contains(&self, id: ActionId) -> bool {
        match self {
            // Four are compared at once, the one in the middle twice.
            Self::Few(_, ids) => {
                let (first, last) = (ids.first_chunk::<4>(), ids.last_chunk::<4>());
                first.is_some_and(|some| is_one_of(id, some))
                    | last.is_some_and(|some| is_one_of(id, some))
            }
            Self::Many(marks, ids) => {
                marks.meets(Marks::of_action(id)) && ids.binary_search(&id).is_ok()
            }
        }
    }
}

#[inline]
fn is_one_of(id: ActionId, some: &[ActionId; 4]) -> bool {
    // Not lazily: all at once costs less than to stop at the first.
    let each = some.iter().map(|known| *known == id);
    each.fold(false, BitOr::bitor)
}

/// A pattern of actions.
#[derive(Debug, Clone)]
pub enum ActionMatcher {
    /// `*`
    All,
    /// `svc:` and a matcher of the name in lower case.
    Service(ServiceId, Started),
    /// A wildcard in the service too.
    Wide(Matcher, Matcher),
}

/// Which resources a statement covers.
#[derive(Debug, Clone)]
pub enum Resources {
    /// `*`
    All,
    /// Those that this pattern matches.
    One(ArnMatcher),
    /// Those that one of the patterns matches.
    Only(Arc<[ArnMatcher]>),
    /// Those that none of the patterns matches (`NotResource`).
    AllBut(Arc<[ArnMatcher]>),
    /// What the document is attached to.
    Attached,
}

/// Whom a resource-based or trust statement names (security 2.8).
#[derive(Debug, Clone)]
pub enum Principals {
    /// Everybody.
    Everybody,
    /// Those that one entry names.
    Any(Box<[PrincipalMatcher]>),
}

/// One entry of a `Principal` element.
#[derive(Debug, Clone)]
pub enum PrincipalMatcher {
    /// The account with that id, or the user or role with that uid.
    Id(Symbol),
    /// Every identity of the account that the snapshot knows.
    Account(Symbol),
    /// One identity by its ARN, and the sessions of a role.
    Identity(Symbol),
    /// Identities whose ARN starts so.
    IdentityPrefix(Symbol),
    /// A cloud service.
    Service(Symbol),
    /// An identity provider.
    Federated(Symbol),
}
