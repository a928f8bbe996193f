//! Associations from primary to associated: each is kept with the associated resource, and found
//! here from the other end.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use super::entry::Entry;
use crate::model::arn::Arn;
use crate::model::inheritance::RuleId;
use crate::model::resource::{Association, Link};

/// All associations, by primary.
#[derive(Debug, Default)]
pub(super) struct Links(BTreeMap<Arn, BTreeSet<(Arn, RuleId)>>);

impl Links {
    pub(super) fn insert(&mut self, entry: &Entry, primaries: &[Association]) {
        let arn = entry.to_arn();
        for Association { primary, rule } in primaries {
            let ends = self.0.entry(primary.clone()).or_default();
            ends.insert((arn.clone(), rule.clone()));
        }
    }

    pub(super) fn remove(&mut self, entry: &Entry, primaries: &[Association]) {
        let arn = entry.to_arn();
        for Association { primary, rule } in primaries {
            if let Some(ends) = self.0.get_mut(primary) {
                ends.remove(&(arn.clone(), rule.clone()));
                if ends.is_empty() {
                    self.0.remove(primary);
                }
            }
        }
    }

    /// The associations of one primary, in their order, after one of them.
    pub(super) fn of(&self, primary: &Arn, after: Option<&Link>) -> impl Iterator<Item = Link> {
        let after = after.map(|link| (link.associated.clone(), link.rule.clone()));
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let ends = self.0.get(primary).into_iter();
        let ends = ends.flat_map(move |ends| ends.range((from.clone(), Bound::Unbounded)));
        ends.map(|end| link(primary, end))
    }

    /// All associations in their order, after one of them.
    pub(super) fn all(&self, after: Option<&Link>) -> impl Iterator<Item = Link> {
        let rest = after.map(|link| self.of(&link.primary, Some(link)));
        let from = after.map_or(Bound::Unbounded, |link| Bound::Excluded(&link.primary));
        let further = self.0.range::<Arn, _>((from, Bound::Unbounded));
        let further = further.flat_map(|(primary, ends)| ends.iter().map(|end| link(primary, end)));
        rest.into_iter().flatten().chain(further)
    }
}

fn link(primary: &Arn, (associated, rule): &(Arn, RuleId)) -> Link {
    Link {
        primary: primary.clone(),
        associated: associated.clone(),
        rule: rule.clone(),
    }
}
