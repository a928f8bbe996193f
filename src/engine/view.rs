//! The action of a request, with what is known of it after the request stated a stricter kind.

use super::request::Request;
use crate::model::catalog::{ActionFacts, OperationKind, TagEffect};
use crate::snapshot::Snapshot;
use crate::snapshot::action::{Facts, FoldedAction, FoundAction};
use crate::snapshot::symbol::Symbol;

/// What a decision needs to know of its action.
#[derive(Debug, Clone, Copy)]
pub(super) struct ActionView<'a> {
    pub(super) name: &'a FoldedAction,
    pub(super) found: FoundAction<'a>,
    pub(super) kind: OperationKind,
    pub(super) list: bool,
    pub(super) filterable: bool,
    pub(super) tags: TagEffect,
    pub(super) all_resources: bool,
    pub(super) upsert: bool,
    pub(super) required_keys: &'a [Symbol],
    /// Whether the request stated a kind that is less strict than the catalog's.
    pub(super) kind_refused: bool,
}

impl<'a> ActionView<'a> {
    /// Finds the action of a request: listed, or told from its name (security 3.1).
    pub(super) fn new(
        snapshot: &'a Snapshot,
        request: &Request<'_>,
        name: &'a FoldedAction,
    ) -> Self {
        let found = snapshot.actions.find(name);
        let listed = found.action.and_then(|action| action.facts.as_ref());
        let view = match listed {
            Some(facts) => Self::of(name, found, facts),
            None => Self::told(name, found, &ActionFacts::from_name(request.action)),
        };
        match request.kind {
            Some(kind) => view.stated(kind),
            None => view,
        }
    }

    fn of(name: &'a FoldedAction, found: FoundAction<'a>, facts: &'a Facts) -> Self {
        let Facts {
            kind,
            list,
            filterable,
            tags,
            all_resources,
            upsert,
            required_keys,
        } = facts;
        Self {
            name,
            found,
            kind: *kind,
            list: *list,
            filterable: *filterable,
            tags: *tags,
            all_resources: *all_resources,
            upsert: *upsert,
            required_keys,
            kind_refused: false,
        }
    }

    fn told(name: &'a FoldedAction, found: FoundAction<'a>, facts: &ActionFacts) -> Self {
        let ActionFacts {
            kind,
            list,
            filterable,
            tags,
            all_resources,
            upsert,
            required_keys: _,
        } = *facts;
        Self {
            name,
            found,
            kind,
            list,
            filterable,
            tags,
            all_resources,
            upsert,
            required_keys: &[],
            kind_refused: false,
        }
    }

    /// security 3.1: "A request may state a kind only with that right, and only a stricter one."
    fn stated(self, kind: OperationKind) -> Self {
        let query = kind == OperationKind::Query;
        let made = self.tags == TagEffect::NewResource && kind != OperationKind::Create;
        let tags = if made { TagEffect::Target } else { self.tags };
        Self {
            kind,
            list: self.list && query,
            filterable: self.filterable && query,
            tags,
            kind_refused: kind.strictness() < self.kind.strictness(),
            ..self
        }
    }

    /// Whether both identity and trust policies must allow (ram 4.2).
    pub(super) fn is_assume_role(&self) -> bool {
        self.name.as_str() == "sts:assumerole"
    }
}
