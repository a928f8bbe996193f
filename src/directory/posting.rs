//! Who has something in common: the slots of resources, in the least place for so many.

use std::ops::Range;

use roaring::RoaringBitmap;

/// From how many on slots are kept as a bitmap.
const MANY: usize = 64;

/// Slots in their order.
#[derive(Debug)]
pub(super) enum Posting {
    /// A single one.
    One(u32),
    /// None, or some.
    Few(Vec<u32>),
    /// More.
    Many(Box<RoaringBitmap>),
}

impl Default for Posting {
    fn default() -> Self {
        Self::Few(Vec::new())
    }
}

impl Posting {
    pub(super) fn insert(&mut self, slot: u32) {
        match self {
            Self::Few(few) if few.is_empty() => *self = Self::One(slot),
            Self::One(one) if *one == slot => {}
            Self::One(one) => *self = Self::Few(vec![slot.min(*one), slot.max(*one)]),
            Self::Few(few) => {
                if let Err(place) = few.binary_search(&slot) {
                    few.insert(place, slot);
                }
                if few.len() >= MANY {
                    *self = Self::Many(Box::new(few.drain(..).collect()));
                }
            }
            Self::Many(many) => {
                many.insert(slot);
            }
        }
    }

    pub(super) fn remove(&mut self, slot: u32) {
        match self {
            Self::One(one) if *one == slot => *self = Self::default(),
            Self::One(_) => {}
            Self::Few(few) => {
                if let Ok(place) = few.binary_search(&slot) {
                    few.remove(place);
                }
            }
            Self::Many(many) => {
                many.remove(slot);
            }
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        match self {
            Self::One(_) => false,
            Self::Few(few) => few.is_empty(),
            Self::Many(many) => many.is_empty(),
        }
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Few(few) => u64::try_from(few.len()).unwrap_or(u64::MAX),
            Self::Many(many) => many.len(),
        }
    }

    /// How many are among others too.
    pub(super) fn len_among(&self, others: &RoaringBitmap) -> u64 {
        let among = |slot: &u32| u64::from(others.contains(*slot));
        match self {
            Self::One(one) => among(one),
            Self::Few(few) => few.iter().map(among).sum(),
            Self::Many(many) => many.intersection_len(others),
        }
    }

    /// Adds those within a window, which is a set of all its slots too.
    pub(super) fn add_to(&self, window: &Window, sum: &mut RoaringBitmap) {
        match self {
            Self::One(one) => sum.extend(window.holds(*one).then_some(*one)),
            Self::Few(few) => sum.extend(few.iter().filter(|slot| window.holds(**slot))),
            Self::Many(many) => *sum |= &**many & &window.all,
        }
    }
}

/// A run of slots.
#[derive(Debug)]
pub(super) struct Window {
    range: Range<u32>,
    all: RoaringBitmap,
}

impl Window {
    pub(super) fn new(range: Range<u32>) -> Self {
        let mut all = RoaringBitmap::new();
        all.insert_range(range.clone());
        Self { range, all }
    }

    /// Whether a slot is within it.
    pub(super) fn holds(&self, slot: u32) -> bool {
        self.range.contains(&slot)
    }

    /// All slots of the window.
    pub(super) fn all(&self) -> &RoaringBitmap {
        &self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_holds_the_same() {
        let mut posting = Posting::default();
        let mut naive = std::collections::BTreeSet::new();
        let window = Window::new(100..1_000);
        for step in 0..2_000_u32 {
            let slot = step.wrapping_mul(2_654_435_761) % 1_500;
            // It grows to many, and shrinks to none.
            if (step < 1_000) == (step % 5 != 0) {
                posting.insert(slot);
                naive.insert(slot);
            } else {
                posting.remove(slot);
                naive.remove(&slot);
            }
            let mut found = RoaringBitmap::new();
            posting.add_to(&window, &mut found);
            let expected = naive.range(100..1_000).copied();
            assert!(found.iter().eq(expected), "step {step}");
            assert_eq!(posting.len_among(window.all()), found.len());
            assert_eq!(posting.len(), naive.len() as u64);
            assert_eq!(posting.is_empty(), naive.is_empty());
        }
    }
}
