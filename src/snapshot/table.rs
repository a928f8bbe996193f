//! The chunked table of policies, with their masks beside them.
//!
//! A mask is read before its policy, so that a policy of another service costs no miss of its own.
//! Chunks are shared between snapshots: changing one policy copies one chunk.

use std::sync::Arc;

use arrayvec::ArrayVec;

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

/// Policies, and apart from them their masks: whoever has many policies reads their masks in one go.
#[derive(Debug, Clone, Default)]
struct Chunk {
    filters: ArrayVec<ActionFilter, CHUNK>,
    policies: ArrayVec<Policy, CHUNK>,
}

impl Chunk {
    fn push(&mut self, policy: Policy) {
        // INVARIANT: a chunk has a place left, or it was just begun; both lists are of one length.
        let _ = self.filters.try_push(policy.filter());
        let _ = self.policies.try_push(policy);
    }

    fn replace(&mut self, place: usize, policy: Policy) {
        if let (Some(filter), Some(known)) =
            (self.filters.get_mut(place), self.policies.get_mut(place))
        {
            *filter = policy.filter();
            *known = policy;
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
        let (chunk, place) = id.place();
        let chunk = self.chunks.get(chunk)?;
        if chunk.filters.get(place)?.may_cover(asked) {
            chunk.policies.get(place)
        } else {
            None
        }
    }

    /// A policy.
    pub fn get(&self, id: PolicyId) -> Option<&Policy> {
        let (chunk, place) = id.place();
        self.chunks.get(chunk)?.policies.get(place)
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.length - self.free.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All policies, in no order. A place that is free has one without statements.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Policy> {
        self.chunks.iter().flat_map(|chunk| chunk.policies.iter())
    }

    /// Puts a policy in the place of another one: whoever has its id has the new one.
    pub(crate) fn replace(&mut self, id: PolicyId, policy: Policy) {
        let (chunk, place) = id.place();
        if let Some(chunk) = self.chunks.get_mut(chunk) {
            Arc::make_mut(chunk).replace(place, policy);
        }
    }

    /// Removes a policy that nothing has any more; its place is free.
    pub(crate) fn remove(&mut self, id: PolicyId) {
        self.replace(id, Policy::default());
        Arc::make_mut(&mut self.free).push(id);
    }

    /// Adds a policy and tells its id.
    pub(crate) fn push(&mut self, policy: Policy) -> PolicyId {
        if !self.free.is_empty()
            && let Some(id) = Arc::make_mut(&mut self.free).pop()
        {
            self.replace(id, policy);
            return id;
        }
        if self.length.is_multiple_of(CHUNK) {
            self.chunks.push(Arc::default());
        }
        let id = PolicyId(u32::try_from(self.length).unwrap_or(u32::MAX));
        if let Some(chunk) = self.chunks.last_mut() {
            Arc::make_mut(chunk).push(policy);
            self.length += 1;
        }
        id
    }
}
