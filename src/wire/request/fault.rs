//! Collects what is wrong with a message and keeps what is told first.

use crate::model::verdict::RefusalReason;
use crate::wire::status::Refusal;

/// The fault of a message that stands first in [`RefusalReason`], whatever was found first.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    first: Option<Refusal>,
}

impl Faults {
    /// Adds a fault. Of faults with one reason the earliest is kept.
    pub(crate) fn add(
        &mut self,
        reason: RefusalReason,
        field: impl FnOnce() -> String,
        detail: impl Into<String>,
    ) {
        let told = self.first.as_ref().map(|refusal| refusal.reason);
        if told.is_none_or(|told| reason < told) {
            self.first = Some(Refusal {
                reason,
                field: field(),
                detail: detail.into(),
            });
        }
    }

    /// Splits what was found: faults that end the reading, and those that the engine's own may
    /// stand before.
    pub(crate) fn into_result(self) -> Result<Option<Refusal>, Refusal> {
        match self.first {
            Some(refusal) if refusal.reason < RefusalReason::RemovedKeysRequired => Err(refusal),
            late => Ok(late),
        }
    }
}

/// The place of the first item that is equal to an earlier one.
///
/// A few items are compared with each other; many are sorted, so that the work stays bounded by
/// their number.
pub(crate) fn first_repeat<T>(
    items: &[T],
    equal: impl Fn(&T, &T) -> bool,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
) -> Option<usize> {
    const FEW: usize = 16;
    if items.len() <= FEW {
        return (1..items.len()).find(|&place| {
            let (earlier, rest) = items.split_at(place);
            rest.first()
                .is_some_and(|item| earlier.iter().any(|other| equal(other, item)))
        });
    }
    let mut sorted: Vec<(usize, &T)> = items.iter().enumerate().collect();
    sorted.sort_by(|(left_place, left), (right_place, right)| {
        order(left, right).then(left_place.cmp(right_place))
    });
    let repeats = sorted.iter().zip(sorted.iter().skip(1));
    repeats
        .filter(|((_, left), (_, right))| equal(left, right))
        .map(|(_, (place, _))| *place)
        .min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_repeat_is_found_among_few_and_many() {
        let check = |items: &[u32], expected| {
            assert_eq!(
                first_repeat(items, |a, b| a == b, Ord::cmp),
                expected,
                "{items:?}"
            );
        };
        check(&[], None);
        check(&[1, 2, 3], None);
        check(&[3, 2, 3, 2], Some(2));
        let mut many: Vec<u32> = (0..100).rev().collect();
        check(&many, None);
        many.extend([7, 99]);
        check(&many, Some(100));
    }

    #[test]
    fn the_reason_that_stands_first_is_told() {
        let mut faults = Faults::default();
        faults.add(RefusalReason::ContextLimit, || "context".to_owned(), "many");
        faults.add(RefusalReason::NoResource, || "resources".to_owned(), "none");
        faults.add(RefusalReason::TagLimit, || "tags".to_owned(), "many");
        let refusal = faults.into_result().unwrap_err();
        assert_eq!(
            (refusal.reason, &*refusal.field),
            (RefusalReason::NoResource, "resources")
        );
    }
}
