//! Actions by name: an id to compare, and the facts of the catalog.

use std::sync::Arc;

use arrayvec::ArrayString;
use hashbrown::{HashSet, HashTable};

use super::copied::differing;
use super::filter::AskedAction;
use super::start::Start;
use super::symbol::Symbol;
use crate::model::action::{ActionRef, MAX_ACTION_BYTES};
use crate::model::catalog::{ActionFacts, OperationKind, TagEffect};

/// An action that a policy or the catalog names in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionId(pub(crate) u32);

/// A service that a policy or the catalog names in full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
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

/// All actions and services that are named in full. Snapshots share them until a new one is named.
///
/// What nobody names any more is forgotten when the table has doubled.
#[derive(Debug, Clone, Default)]
pub struct ActionTable {
    actions: Arc<HashTable<Action>>,
    services: Arc<HashTable<(Symbol, ServiceId)>>,
    hasher: foldhash::fast::RandomState,
    numbers: Arc<Numbers>,
    /// How many actions and services were left by the last sweep.
    swept: usize,
}

/// Which numbers are next: those that were given back, then new ones.
#[derive(Debug, Clone, Default)]
struct Numbers {
    free_actions: Vec<u32>,
    free_services: Vec<u32>,
    actions: u32,
    services: u32,
}

impl Numbers {
    fn action(&mut self) -> ActionId {
        ActionId(next(&mut self.free_actions, &mut self.actions))
    }

    fn service(&mut self) -> ServiceId {
        ServiceId(next(&mut self.free_services, &mut self.services))
    }
}

fn next(free: &mut Vec<u32>, count: &mut u32) -> u32 {
    free.pop().unwrap_or_else(|| {
        let number = *count;
        *count = count.saturating_add(1);
        number
    })
}

/// What policies name in full.
#[derive(Debug, Default)]
pub(crate) struct Named {
    pub(crate) actions: HashSet<ActionId>,
    pub(crate) services: HashSet<ServiceId>,
}

/// How many names may be there for nothing before anybody looks.
const UNSWEPT: usize = 1_024;

/// The action of a request in lower case, on the stack.
#[derive(Debug, Clone, Copy)]
pub struct FoldedAction {
    text: ArrayString<MAX_ACTION_BYTES>,
    colon: usize,
}

impl FoldedAction {
    /// Folds an action.
    pub fn new(action: ActionRef<'_>) -> Self {
        let mut folded = Self {
            text: ArrayString::new(),
            colon: action.colon(),
        };
        // INVARIANT: an `ActionRef` is no longer than there is place for, and it is ASCII.
        let _ = folded.text.try_push_str(action.as_str());
        folded.text.make_ascii_lowercase();
        folded
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
    /// What the starts of patterns are held against.
    pub start: Start,
}

impl ActionTable {
    pub(super) fn copied_from(&self, other: &Self) -> usize {
        differing([&self.actions], [&other.actions])
            + differing([&self.services], [&other.services])
    }

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
            start: Start::of(action.name()),
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
        let hash = self.hash(name);
        if let Some(known) = self.actions.find(hash, |known| *known.name == *name) {
            return (known.id, known.service);
        }
        let service = self.intern_service(service);
        let id = Arc::make_mut(&mut self.numbers).action();
        let made = Action {
            name: name.into(),
            id,
            service,
            facts: None,
        };
        let hasher = &self.hasher;
        Arc::make_mut(&mut self.actions)
            .insert_unique(hash, made, |known| hash_with(hasher, &known.name));
        (id, service)
    }

    /// The id of a service by its name in lower case, made if there is none.
    pub(crate) fn intern_service(&mut self, name: &str) -> ServiceId {
        let hash = self.hash(name);
        if let Some((_, id)) = self.services.find(hash, |(known, _)| **known == *name) {
            return *id;
        }
        let id = Arc::make_mut(&mut self.numbers).service();
        let hasher = &self.hasher;
        Arc::make_mut(&mut self.services).insert_unique(hash, (name.into(), id), |(known, _)| {
            hash_with(hasher, known)
        });
        id
    }

    /// Whether so many names were added that a sweep may pay.
    pub(crate) fn is_sweep_due(&self) -> bool {
        self.len() > 2 * self.swept + UNSWEPT
    }

    /// Forgets the actions and services that neither policies nor the catalog name; their numbers
    /// are given out again. So the table never holds more than twice what is named, and
    /// 1,024, and what one change names.
    pub(crate) fn sweep(&mut self, named: &Named) {
        let numbers = Arc::make_mut(&mut self.numbers);
        let mut services = named.services.clone();
        Arc::make_mut(&mut self.actions).retain(|action| {
            let is_kept = action.facts.is_some() || named.actions.contains(&action.id);
            if is_kept {
                services.insert(action.service);
            } else {
                numbers.free_actions.push(action.id.0);
            }
            is_kept
        });
        Arc::make_mut(&mut self.services).retain(|(_, id)| {
            let is_kept = services.contains(id);
            if !is_kept {
                numbers.free_services.push(id.0);
            }
            is_kept
        });
        self.swept = self.len();
    }

    /// How many actions and services are named.
    pub fn len(&self) -> usize {
        self.actions.len() + self.services.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sets the facts of an action by its name in lower case.
    pub(crate) fn set_facts(&mut self, name: &str, service: &str, facts: Facts) {
        self.intern(name, service);
        let hash = self.hash(name);
        if let Some(action) =
            Arc::make_mut(&mut self.actions).find_mut(hash, |known| *known.name == *name)
        {
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
