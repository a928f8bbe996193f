//! The values of one key, and who carries each.
//!
//! Names and numbers are often the value of one resource alone: there may be as many as there are
//! resources. Of such a value nothing is kept but where it stands in its resource's record.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::Peekable;
use std::ops::{Bound, Range};
use std::sync::Arc;

use super::carriers::Carriers;
use super::entry::Entry;
use super::posting::Posting;

/// The values of a key.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// Those that several resources carry or have carried.
    shared: BTreeMap<Arc<str>, Posting>,
    /// Those of one resource, of which none is shared.
    single: BTreeSet<Single>,
}

/// A value by its place in the record of the one resource that carries it.
#[derive(Debug)]
pub(super) struct Single {
    entry: Entry,
    place: Range<u32>,
}

impl Single {
    pub(super) fn new(entry: &Entry, place: Range<u32>) -> Self {
        let entry = entry.clone();
        Self { entry, place }
    }

    fn bytes(&self) -> &[u8] {
        self.entry.tag_bytes(&self.place)
    }

    /// INVARIANT: the place is that of a text.
    fn text(&self) -> &str {
        std::str::from_utf8(self.bytes()).unwrap_or_default()
    }
}

impl Borrow<[u8]> for Single {
    fn borrow(&self) -> &[u8] {
        self.bytes()
    }
}

impl PartialEq for Single {
    fn eq(&self, other: &Self) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for Single {}

impl PartialOrd for Single {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Single {
    fn cmp(&self, other: &Self) -> Ordering {
        self.bytes().cmp(other.bytes())
    }
}

impl Values {
    pub(super) fn is_empty(&self) -> bool {
        self.shared.is_empty() && self.single.is_empty()
    }

    /// Who carries a value.
    pub(super) fn get(&self, value: &str) -> Option<Carriers<'_>> {
        if let Some(posting) = self.shared.get(value) {
            return Some(posting.into());
        }
        let single = self.single.get(value.as_bytes());
        single.map(|single| Carriers::One(single.entry.slot()))
    }

    /// The values from one on, in their order.
    pub(super) fn range<'v>(
        &'v self,
        from: Bound<&str>,
    ) -> impl Iterator<Item = (&'v str, Carriers<'v>)> {
        let shared = self.shared.range::<str, _>((from, Bound::Unbounded));
        let from = (from.map(str::as_bytes), Bound::Unbounded);
        let single = self.single.range::<[u8], _>(from);
        let single = single.map(|one| (one.text(), Carriers::One(one.entry.slot())));
        merge(
            shared.map(|(text, posting)| (&**text, Carriers::from(posting))),
            single,
        )
    }

    /// A resource carries a value now.
    pub(super) fn insert(&mut self, value: &str, carrier: Single) {
        let slot = carrier.entry.slot();
        if let Some(posting) = self.shared.get_mut(value) {
            return posting.insert(slot);
        }
        let Some(other) = self.single.replace(carrier) else {
            return;
        };
        self.single.remove(value.as_bytes());
        let mut posting = Posting::One(slot);
        posting.insert(other.entry.slot());
        self.shared.insert(Arc::from(value), posting);
    }

    /// A resource that carries a value has a new record.
    pub(super) fn renew(&mut self, carrier: Single) {
        if self.single.contains(carrier.bytes()) {
            self.single.replace(carrier);
        }
    }

    /// A resource carries a value no more.
    pub(super) fn remove(&mut self, value: &str, slot: u32) {
        let Some(posting) = self.shared.get_mut(value) else {
            self.single.remove(value.as_bytes());
            return;
        };
        posting.remove(slot);
        if posting.is_empty() {
            self.shared.remove(value);
        }
    }
}

/// Two orders as one. No text stands in both.
fn merge<'v>(
    left: impl Iterator<Item = (&'v str, Carriers<'v>)>,
    right: impl Iterator<Item = (&'v str, Carriers<'v>)>,
) -> impl Iterator<Item = (&'v str, Carriers<'v>)> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || {
        if is_before(&mut left, &mut right) {
            left.next()
        } else {
            right.next()
        }
    })
}

/// Whether the left one comes first.
fn is_before<'v, L, R>(left: &mut Peekable<L>, right: &mut Peekable<R>) -> bool
where
    L: Iterator<Item = (&'v str, Carriers<'v>)>,
    R: Iterator<Item = (&'v str, Carriers<'v>)>,
{
    match (left.peek(), right.peek()) {
        (Some((left, _)), Some((right, _))) => left < right,
        (Some(_), None) => true,
        (None, _) => false,
    }
}
