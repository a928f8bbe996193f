//! The digest of a state: a sum over its objects, so that a change costs what it changes.
//!
//! It tells states apart and finds damage. It is no proof against whoever may write the file.

use sha2::{Digest as _, Sha256};

use crate::model::object::ObjectId;

/// The sum of the SHA-256 digests of all objects, modulo 2^256: whatever the order of the
/// changes, one state has one digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StateDigest([u64; 4]);

impl StateDigest {
    /// Adds an object.
    pub(super) fn add(&mut self, id: &str, document: &[u8]) {
        let mut carry = false;
        for (sum, part) in self.0.iter_mut().zip(parts(id, document)) {
            let (first, over) = sum.overflowing_add(part);
            let (second, over_again) = first.overflowing_add(u64::from(carry));
            *sum = second;
            carry = over || over_again;
        }
    }

    /// Takes an object away.
    pub(super) fn subtract(&mut self, id: &str, document: &[u8]) {
        let mut borrow = false;
        for (sum, part) in self.0.iter_mut().zip(parts(id, document)) {
            let (first, under) = sum.overflowing_sub(part);
            let (second, under_again) = first.overflowing_sub(u64::from(borrow));
            *sum = second;
            borrow = under || under_again;
        }
    }

    /// The digest of a list of objects.
    pub fn of<'a>(objects: impl IntoIterator<Item = (&'a ObjectId, &'a [u8])>) -> Self {
        let mut digest = Self::default();
        for (id, document) in objects {
            digest.add(&id.to_string(), document);
        }
        digest
    }

    /// The first 64 bits of what the sum comes to.
    pub fn short(self) -> u64 {
        let whole: [u8; 32] = Sha256::digest(self.to_bytes()).into();
        whole.first_chunk().copied().map_or(0, u64::from_be_bytes)
    }

    /// The digest as it is kept.
    pub(super) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (place, part) in bytes.chunks_exact_mut(8).zip(self.0) {
            place.copy_from_slice(&part.to_le_bytes());
        }
        bytes
    }

    /// The digest that was kept; `None`, if these are not 32 bytes.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (parts, []) = bytes.as_chunks::<8>() else {
            return None;
        };
        let parts: [[u8; 8]; 4] = parts.try_into().ok()?;
        Some(Self(parts.map(u64::from_le_bytes)))
    }
}

/// The digest of one object, its least part first.
fn parts(id: &str, document: &[u8]) -> [u64; 4] {
    let mut whole = Sha256::new();
    // The length ends the id.
    whole.update(id.len().to_le_bytes());
    whole.update(id);
    whole.update(document);
    let bytes: [u8; 32] = whole.finalize().into();
    let mut parts = [0; 4];
    for (part, bytes) in parts.iter_mut().zip(bytes.as_chunks::<8>().0) {
        *part = u64::from_le_bytes(*bytes);
    }
    parts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_was_taken_away_was_never_there(
            objects in prop::collection::vec((".{0,8}", ".{0,8}"), 1..8),
            taken in 0_usize..8,
        ) {
            let mut all = StateDigest::default();
            let mut rest = StateDigest::default();
            for (place, (id, document)) in objects.iter().enumerate().rev() {
                all.add(id, document.as_bytes());
                if place != taken {
                    rest.add(id, document.as_bytes());
                }
            }
            if let Some((id, document)) = objects.get(taken) {
                prop_assert_ne!(all, rest);
                all.subtract(id, document.as_bytes());
            }
            prop_assert_eq!(all, rest);
            prop_assert_eq!(StateDigest::from_bytes(&all.to_bytes()), Some(all));
        }
    }

    #[test]
    fn ids_and_documents_are_told_apart() {
        let digest = |id: &str, document: &str| {
            let mut digest = StateDigest::default();
            digest.add(id, document.as_bytes());
            digest
        };
        assert_ne!(digest("ab", "c"), digest("a", "bc"));
        assert_ne!(digest("ab", "c").short(), digest("a", "bc").short());
        assert_eq!(StateDigest::from_bytes(&[0; 31]), None);
        assert_eq!(StateDigest::from_bytes(&[0; 33]), None);
    }
}
