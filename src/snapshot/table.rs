//! The chunked table of policies, each beside its mask.
//!
//! A mask is read before its policy, so that a policy of another service costs no miss of its own.
//! Chunks are shared between snapshots: changing one policy copies one chunk.

use std::sync::Arc;

use super::copied::differing;
use super::filter::{ActionFilter, AskedAction};
use super::policy::Policy;

/// How many policies stand in one chunk.
const CHUNK: usize = 256;

/// A policy's place in the table. Session policies have [`PolicyId::SESSION`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PolicyId(pub(crate) u32);

impl PolicyId {
    /// The session policy of the request itself.
    pub const SESSION: Self = Self(u32::MAX);

    fn place(self) -> (usize, usize) {
        let place = usize::try_from(self.0).unwrap_or(usize::MAX);
        (place / CHUNK, place % CHUNK)
    }
}

/// A statement: the policy's place in the table, and the statement's in the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatementId {
    /// The policy.
    pub policy: PolicyId,
    /// The statement in it, from 0.
    pub index: u16,
}

/// All policies of a snapshot, by id.
#[derive(Debug, Clone, Default)]
pub struct PolicyTable {
    chunks: Vec<Arc<Chunk>>,
    /// How many places are taken, or were.
    length: usize,
    /// The places that policies were removed from; the next ones go there.
    free: Arc<Vec<PolicyId>>,
}

/// Places of policies. Those that no policy has yet, or any more, are empty.
type Chunk = [Place; CHUNK];

/// A place in the table: what is read of a policy to pass it by, and where the rest of it is. It lies
/// in one line of the cache.
#[derive(Debug, Clone, Default)]
#[repr(align(32))]
struct Place {
    filter: ActionFilter,
    policy: Option<Policy>,
}

impl From<Policy> for Place {
    fn from(policy: Policy) -> Self {
        Self {
            filter: policy.filter(),
            policy: Some(policy),
        }
    }
}

impl PolicyTable {
    pub(super) fn copied_from(&self, other: &Self) -> usize {
        differing(&self.chunks, &other.chunks)
    }

    /// A policy, if its mask lets it cover an action.
    #[inline]
    pub fn covering(&self, id: PolicyId, asked: AskedAction) -> Option<&Policy> {
        let found = self.at(id)?;
        if found.filter.may_cover(asked) {
            found.policy.as_ref()
        } else {
            None
        }
    }

    /// A policy.
    pub fn get(&self, id: PolicyId) -> Option<&Policy> {
        self.at(id)?.policy.as_ref()
    }

    #[inline]
    fn at(&self, id: PolicyId) -> Option<&Place> {
        let (chunk, place) = id.place();
        self.chunks.get(chunk)?.get(place)
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.length - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All policies, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Policy> {
        let places = self.chunks.iter().flat_map(|chunk| chunk.iter());
        places.filter_map(|place| place.policy.as_ref())
    }

    /// Puts a policy in the place of another one: whoever has its id has the new one.
    pub(crate) fn replace(&mut self, id: PolicyId, policy: Policy) {
        self.put(id, policy.into());
    }

    /// Removes a policy that nothing has any more; its place is free.
    pub(crate) fn remove(&mut self, id: PolicyId) {
        self.put(id, Place::default());
        Arc::make_mut(&mut self.free).push(id);
    }

    /// Adds a policy and tells its id.
    pub(crate) fn push(&mut self, policy: Policy) -> PolicyId {
        let free = if self.free.is_empty() {
            None
        } else {
            Arc::make_mut(&mut self.free).pop()
        };
        let id = free.unwrap_or_else(|| self.grow());
        self.put(id, policy.into());
        id
    }

    /// A place behind all others.
    fn grow(&mut self) -> PolicyId {
        if self.length.is_multiple_of(CHUNK) {
            let empty = std::array::from_fn(|_| Place::default());
            self.chunks.push(Arc::new(empty));
        }
        let id = PolicyId(u32::try_from(self.length).unwrap_or(u32::MAX));
        self.length += 1;
        id
    }

    fn put(&mut self, id: PolicyId, place: Place) {
        let (chunk, at) = id.place();
        let chunk = self.chunks.get_mut(chunk).map(Arc::make_mut);
        if let Some(known) = chunk.and_then(|chunk| chunk.get_mut(at)) {
            *known = place;
        }
    }
}
