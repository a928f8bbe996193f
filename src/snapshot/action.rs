//! Actions by name: an id to compare, the facts of the catalog, and masks that skip policies.

use arrayvec::ArrayString;
use hashbrown::HashTable;

use super::symbol::Symbol;
use crate::model::action::{ActionRef, MAX_ACTION_BYTES};
use crate::model::catalog::{ActionFacts, OperationKind, TagEffect};

/// An action that a policy or the catalog names in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ActionId(pub(crate) u32);

/// A service that a policy or the catalog names in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceId(pub(crate) u32);

/// Two masks that say which actions a statement or a policy may cover.
///
/// INVARIANT: a bit is shared by several services or actions, so that a set bit proves nothing and
/// a missing bit proves that nothing matches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ActionFilter {
    /// Services that a wildcard reaches.
    pub services: u64,
    /// Actions named in full.
    pub actions: u64,
}

impl ActionFilter {
    /// Anything may be covered.
    pub const ALL: Self = Self {
        services: u64::MAX,
        actions: u64::MAX,
    };

    /// What either covers.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self {
            services: self.services | other.services,
            actions: self.actions | other.actions,
        }
    }

    /// Whether the two have a bit in common.
    #[inline]
    pub fn meets(self, asked: Self) -> bool {
        (self.services & asked.services) | (self.actions & asked.actions) != 0
    }

    /// The bit of an action named in full.
    pub fn of_action(action: ActionId) -> Self {
        Self {
            services: 0,
            actions: 1 << (action.0 % 64),
        }
    }

    /// The bit of a service that a wildcard reaches.
    pub fn of_service(service: ServiceId) -> Self {
        Self {
            services: 1 << (service.0 % UNKNOWN_BIT),
            actions: 0,
        }
    }
}

/// The bit of services that nobody names in full: only the widest patterns reach them.
const UNKNOWN_BIT: u32 = 63;

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
    /// The bits that a policy must meet.
    pub filter: ActionFilter,
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
        let services = match service {
            Some(service) => ActionFilter::of_service(service),
            None => ActionFilter {
                services: 1 << UNKNOWN_BIT,
                actions: 0,
            },
        };
        let actions = found
            .map(|found| ActionFilter::of_action(found.id))
            .unwrap_or_default();
        FoundAction {
            action: found,
            service,
            filter: services.union(actions),
        }
    }

    /// Finds a service by its name in lower case.
    pub fn service(&self, name: &str) -> Option<ServiceId> {
        self.services
            .find(self.hash(name), |(known, _)| **known == *name)
            .map(|(_, id)| *id)
    }

    /// The id of an action by its name in lower case, made if there is none.
    pub(crate) fn intern(&mut self, name: &str, service: &str) -> ActionId {
        let service = self.intern_service(service);
        let (hasher, id) = (
            self.hasher.clone(),
            ActionId(u32::try_from(self.actions.len()).unwrap_or(u32::MAX)),
        );
        let hash = self.hash(name);
        self.actions
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
            })
            .get()
            .id
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
