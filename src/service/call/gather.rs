//! The body of a call of one message, gathered until it is whole.

use bytes::Bytes;

use super::cut::Prefix;
use crate::wire::codec::PREFIX;

/// A body, as far as it was read. One that comes in one piece is not copied.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    first: Bytes,
    /// All of it, from the second piece on.
    joined: Vec<u8>,
}

impl Gathered {
    /// Adds a piece.
    pub(super) fn push(&mut self, piece: Bytes) {
        if self.first.is_empty() {
            self.first = piece;
        } else {
            if self.joined.is_empty() {
                self.joined.extend_from_slice(&self.first);
            }
            self.joined.extend_from_slice(&piece);
        }
    }

    /// Whether it cannot become one message that is not compressed and not over the limit.
    pub(super) fn is_unusual(&self, limit: usize) -> bool {
        match Prefix::of(self.bytes(), limit) {
            Prefix::Wanting => false,
            Prefix::Unusual => true,
            Prefix::Whole(length) => self.bytes().len() > length,
        }
    }

    /// The message, if it is one, whole, not compressed and not over the limit.
    pub(super) fn message(&self, limit: usize) -> Option<&[u8]> {
        let bytes = self.bytes();
        match Prefix::of(bytes, limit) {
            Prefix::Whole(length) if length == bytes.len() => bytes.get(PREFIX..),
            Prefix::Whole(_) | Prefix::Wanting | Prefix::Unusual => None,
        }
    }

    /// All that was read.
    pub(super) fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() {
            self.first
        } else {
            self.joined.into()
        }
    }

    fn bytes(&self) -> &[u8] {
        if self.joined.is_empty() {
            &self.first
        } else {
            &self.joined
        }
    }
}
