//! Digests of rows, and their sum: what tells that a row is not the one that was written, or is
//! missing.
//!
//! They find damage. They are no proof against whoever may write the file.

use sha2::{Digest as _, Sha256};

use crate::source::embedded::StoreError;

/// How many bytes of SHA-256 a row keeps.
const DIGEST: usize = 16;

/// What a row is about: no row of one table passes for one of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    Resource,
    Note,
}

/// The sum of the digests of all rows, modulo 2^128: whatever the order of the writes, one state
/// has one sum.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sum(u128);

impl From<u128> for Sum {
    fn from(value: u128) -> Self {
        Self(value)
    }
}

impl Sum {
    pub(super) fn value(self) -> u128 {
        self.0
    }

    pub(super) fn add(&mut self, digest: u128) {
        self.0 = self.0.wrapping_add(digest);
    }

    pub(super) fn subtract(&mut self, digest: u128) {
        self.0 = self.0.wrapping_sub(digest);
    }
}

/// Writes a row: its digest, then what `fill` adds. What was in `row` before is gone.
pub(super) fn seal(sort: Sort, key: &str, row: &mut Vec<u8>, fill: impl FnOnce(&mut Vec<u8>)) {
    row.clear();
    row.resize(DIGEST, 0);
    fill(row);
    if let Some((digest, bytes)) = row.split_first_chunk_mut::<DIGEST>() {
        *digest = over(sort, key, bytes).to_le_bytes();
    }
}

/// The digest and the bytes of a row, if they belong together.
pub(super) fn open<'r>(
    sort: Sort,
    key: &str,
    row: &'r [u8],
) -> Result<(u128, &'r [u8]), StoreError> {
    let opened = row.split_first_chunk::<DIGEST>().map(|(kept, bytes)| {
        let kept = u128::from_le_bytes(*kept);
        (kept, bytes)
    });
    opened
        .filter(|(kept, bytes)| *kept == over(sort, key, bytes))
        .ok_or_else(|| StoreError::Damaged(format!("the row of `{key}` is not what was written")))
}

/// The digest that a row keeps.
pub(super) fn digest(row: &[u8]) -> Result<u128, StoreError> {
    let kept = row.first_chunk::<DIGEST>();
    let kept = kept.ok_or_else(|| StoreError::Damaged("a row has no digest".to_owned()))?;
    Ok(u128::from_le_bytes(*kept))
}

fn over(sort: Sort, key: &str, bytes: &[u8]) -> u128 {
    let mut whole = Sha256::new();
    whole.update([match sort {
        Sort::Resource => b'r',
        Sort::Note => b'n',
    }]);
    // The length ends the key.
    whole.update(key.len().to_le_bytes());
    whole.update(key);
    whole.update(bytes);
    let whole: [u8; 32] = whole.finalize().into();
    whole.first_chunk().copied().map_or(0, u128::from_le_bytes)
}
