//! Who carries something, wherever that is kept.

use roaring::RoaringBitmap;

use super::posting::{Posting, Window};

/// The slots of those who carry something.
#[derive(Debug, Clone, Copy)]
pub(super) enum Carriers<'p> {
    /// A single one.
    One(u32),
    /// Those of a posting.
    Posting(&'p Posting),
}

impl<'p> From<&'p Posting> for Carriers<'p> {
    fn from(posting: &'p Posting) -> Self {
        Self::Posting(posting)
    }
}

impl Carriers<'_> {
    pub(super) fn len(self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Posting(posting) => posting.len(),
        }
    }

    /// How many are among others too.
    pub(super) fn len_among(self, others: &RoaringBitmap) -> u64 {
        match self {
            Self::One(slot) => u64::from(others.contains(slot)),
            Self::Posting(posting) => posting.len_among(others),
        }
    }

    /// Adds those within a window.
    pub(super) fn add_to(self, window: &Window, sum: &mut RoaringBitmap) {
        match self {
            Self::One(slot) => sum.extend(window.holds(slot).then_some(slot)),
            Self::Posting(posting) => posting.add_to(window, sum),
        }
    }
}
