//! Actions by name: an id to compare, and the facts of the catalog.

use arrayvec::ArrayString;
use hashbrown::HashTable;

use super::filter::AskedAction;
use super::symbol::Symbol;
use crate::model::action::{ActionRef, MAX_ACTION_BYTES};
use crate::model::catalog::{ActionFacts, OperationKind, TagEffect};

/// An action that a policy or the catalog names in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActionId(pub(crate) u32);

/// A service that a policy or the catalog names in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceId(pub(crate) u32);

/// The facts of a listed action.
#[derive(Debug, Clone)]
pub struct Action {
    /// The name in lower case.
    pub name: Symbol,
    /// Its id.
    pub id: ActionId,
    /// Its service.
    pub service: ServiceId,
    /// What is known of it; `None`: named by policies alone, told from the name as sent.
    pub facts: Option<Facts>,
}

/// What a decision needs to know of an action.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The operation kind.
    pub kind: OperationKind,
    /// Whether it lists.
    pub list: bool,
    /// Whether its request tags filter.
    pub filterable: bool,
    /// What its call does with tags.
    pub tags: TagEffect,
    /// Whether it may name the ARN `*`.
    pub all_resources: bool,
    /// Whether it makes or overwrites what it names.
    pub upsert: bool,
    /// Context keys that its calls always carry, in lower case.
    pub required_keys: Box<[Symbol]>,
}

impl From<&ActionFacts> for Facts {
    fn from(facts: &ActionFacts) -> Self {
        let ActionFacts {
            kind,
            list,
            filterable,
            tags,
            all_resources,
            upsert,
            required_keys,
        } = facts;
        Self {
            kind: *kind,
            list: *list,
            filterable: *filterable,
            tags: *tags,
            all_resources: *all_resources,
            upsert: *upsert,
            required_keys: required_keys
                .iter()
                .map(|key| Symbol::from(&**key))
                .collect(),
        }
    }
}

/// All actions and services that are named in full.
#[derive(Debug, Clone, Default)]
pub struct ActionTable {
    actions: HashTable<Action>,
    services: HashTable<(Symbol, ServiceId)>,
    hasher: foldhash::fast::RandomState,
}

/// The action of a request in lower case, on the stack.
#[derive(Debug, Clone, Copy)]
pub struct FoldedAction {
    text: ArrayString<MAX_ACTION_BYTES>,
    colon: usize,
}

impl FoldedAction {
    /// Folds an action.
    pub fn new(action: ActionRef<'_>) -> Self {
        let mut text = ArrayString::new();
        // INVARIANT: an `ActionRef` is no longer than there is place for, and it is ASCII.
        let _ = text.try_push_str(action.as_str());
        text.make_ascii_lowercase();
        let colon = action.service().len();
        Self { text, colon }
    }

    /// The whole action in lower case.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The service in lower case.
    pub fn service(&self) -> &str {
        self.as_str().get(..self.colon).unwrap_or_default()
    }

    /// The name in lower case.
    pub fn name(&self) -> &str {
        self.as_str().get(self.colon + 1..).unwrap_or_default()
    }
}

/// What a table says of the action of a request.
#[derive(Debug, Clone, Copy)]
pub struct FoundAction<'a> {
    /// The action, if someone names it in full.
    pub action: Option<&'a Action>,
    /// The service, if someone names it in full.
    pub service: Option<ServiceId>,
    /// What the masks of policies are held against.
    pub asked: AskedAction,
}

impl ActionTable {
    /// Finds an action of a request.
    pub fn find(&self, action: &FoldedAction) -> FoundAction<'_> {
        let name = action.as_str();
        let found = self
            .actions
            .find(self.hash(name), |known| *known.name == *name);
        let service = found.map_or_else(
            || self.service(action.service()),
            |found| Some(found.service),
        );
        FoundAction {
            action: found,
            service,
            asked: AskedAction::new(found.map(|found| found.id), service),
        }
    }

    /// Finds a service by its name in lower case.
    pub fn service(&self, name: &str) -> Option<ServiceId> {
        self.services
            .find(self.hash(name), |(known, _)| **known == *name)
            .map(|(_, id)| *id)
    }

    /// The ids of an action and its service by their names in lower case, made if there are none.
    pub(crate) fn intern(&mut self, name: &str, service: &str) -> (ActionId, ServiceId) {
        let service = self.intern_service(service);
        let (hasher, id) = (
            self.hasher.clone(),
            ActionId(u32::try_from(self.actions.len()).unwrap_or(u32::MAX)),
        );
        let hash = self.hash(name);
        let action = self
            .actions
            .entry(
                hash,
                |known| *known.name == *name,
                |known| hash_with(&hasher, &known.name),
            )
            .or_insert_with(|| Action {
                name: name.into(),
                id,
                service,
                facts: None,
            });
        (action.get().id, action.get().service)
    }

    /// The id of a service by its name in lower case, made if there is none.
    pub(crate) fn intern_service(&mut self, name: &str) -> ServiceId {
        let (hasher, id) = (
            self.hasher.clone(),
            ServiceId(u32::try_from(self.services.len()).unwrap_or(u32::MAX)),
        );
        let hash = self.hash(name);
        self.services
            .entry(
                hash,
                |(known, _)| **known == *name,
                |(known, _)| hash_with(&hasher, known),
            )
            .or_insert_with(|| (name.into(), id))
            .get()
            .1
    }

    /// Sets the facts of an action by its name in lower case.
    pub(crate) fn set_facts(&mut self, name: &str, service: &str, facts: Facts) {
        self.intern(name, service);
        let hash = self.hash(name);
        if let Some(action) = self.actions.find_mut(hash, |known| *known.name == *name) {
            action.facts = Some(facts);
        }
    }

    fn hash(&self, name: &str) -> u64 {
        hash_with(&self.hasher, name)
    }
}

fn hash_with(hasher: &foldhash::fast::RandomState, name: &str) -> u64 {
    use std::hash::BuildHasher;
    hasher.hash_one(name)
}
