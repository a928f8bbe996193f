//! Compiled policies: what a statement covers, and what must hold for it to apply.
//!
//! Lists that stand in many statements alike are shared, so that those that are read often stay in
//! the cache, however many policies there are.

use std::sync::Arc;

use arrayvec::ArrayVec;

use super::action::{ActionId, ServiceId};
use super::arn::ArnMatcher;
use super::condition::Condition;
use super::filter::ActionFilter;
use super::matcher::Matcher;
use super::symbol::Symbol;
use crate::model::statement::Effect;

/// One compiled policy. It stands once in a snapshot, however many principals have it.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The name under which answers speak of it: `custom:NAME`, `system:NAME`.
    pub name: Symbol,
    /// The statements, in the order written.
    pub statements: Arc<[Statement]>,
}

impl Policy {
    /// The actions that its statements may cover.
    pub fn filter(&self) -> ActionFilter {
        self.statements
            .iter()
            .map(|statement| statement.filter)
            .fold(ActionFilter::default(), ActionFilter::union)
    }
}

/// One compiled statement.
#[derive(Debug, Clone)]
pub struct Statement {
    /// A cheap first test; never wrong when it says no.
    pub filter: ActionFilter,
    /// Allow or Deny.
    pub effect: Effect,
    /// Which tag families its conditions read.
    pub class: Class,
    /// What its conditions need of a request.
    pub reads: Reads,
    /// Whether the actions are those that it leaves out (`NotAction`).
    pub excluding: bool,
    /// `Action` or `NotAction`.
    pub actions: Actions,
    /// `Resource`.
    pub resources: Resources,
    /// `Principal`, in resource-based and trust documents.
    pub principals: Option<Box<Principals>>,
    /// Every one must hold.
    pub conditions: Arc<[Condition]>,
    /// A name for audit output.
    pub sid: Option<Symbol>,
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
}

/// A sorted list of actions. A short one stands where it is used.
#[derive(Debug, Clone)]
pub enum ActionIds {
    /// A few.
    Few(ArrayVec<ActionId, 4>),
    /// Any number.
    Many(Box<[ActionId]>),
}

impl From<Vec<ActionId>> for ActionIds {
    fn from(mut ids: Vec<ActionId>) -> Self {
        ids.sort_unstable();
        ids.dedup();
        match ArrayVec::try_from(ids.as_slice()) {
            Ok(few) => Self::Few(few),
            Err(_) => Self::Many(ids.into()),
        }
    }
}

impl ActionIds {
    /// The ids, sorted.
    pub fn as_slice(&self) -> &[ActionId] {
        match self {
            Self::Few(ids) => ids,
            Self::Many(ids) => ids,
        }
    }

    /// Whether an action is among them.
    #[inline]
    pub fn contains(&self, id: ActionId) -> bool {
        match self {
            Self::Few(ids) => ids.contains(&id),
            Self::Many(ids) => ids.binary_search(&id).is_ok(),
        }
    }
}

/// A pattern of actions.
#[derive(Debug, Clone)]
pub enum ActionMatcher {
    /// `*`
    All,
    /// `svc:` and a matcher of the name in lower case.
    Service(ServiceId, Matcher),
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
