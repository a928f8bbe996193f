//! The chunked table of policies, with their masks beside them.
//!
//! A mask is read before its policy, so that a policy of another service costs no cache miss.
//! Chunks are shared between snapshots: changing one policy copies one chunk.

use std::sync::Arc;

use super::action::ActionFilter;
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
    length: usize,
}

#[derive(Debug, Clone, Default)]
struct Chunk {
    filters: Vec<ActionFilter>,
    policies: Vec<Arc<Policy>>,
}

impl PolicyTable {
    /// The mask of a policy.
    #[inline]
    pub fn filter(&self, id: PolicyId) -> ActionFilter {
        let (chunk, place) = id.place();
        self.chunks
            .get(chunk)
            .and_then(|chunk| chunk.filters.get(place))
            .copied()
            .unwrap_or_default()
    }

    /// A policy.
    #[inline]
    pub fn get(&self, id: PolicyId) -> Option<&Policy> {
        let (chunk, place) = id.place();
        self.chunks
            .get(chunk)
            .and_then(|chunk| chunk.policies.get(place))
            .map(|policy| &**policy)
    }

    /// How many policies there are.
    pub fn len(&self) -> usize {
        self.length
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// Appends a policy and tells its id.
    pub(crate) fn push(&mut self, policy: Policy) -> PolicyId {
        if self.length.is_multiple_of(CHUNK) {
            self.chunks.push(Arc::default());
        }
        let id = PolicyId(u32::try_from(self.length).unwrap_or(u32::MAX));
        if let Some(chunk) = self.chunks.last_mut() {
            let chunk = Arc::make_mut(chunk);
            chunk.filters.push(policy.filter);
            chunk.policies.push(Arc::new(policy));
            self.length += 1;
        }
        id
    }
}
