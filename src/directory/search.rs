//! Finds the resources of a query, step by step from a position on.
//!
//! Sets of slots are combined window by window, so that a step costs what it looks at and not what
//! there is. A filter that means too many tags to combine is left to whoever compares the resource
//! itself: what is found may not hold, and nothing that holds is passed by.
//!
//! A resource that is there from the first step to the last and holds all the while is found
//! exactly once, whatever happens to others.

use std::ops::Bound;

use roaring::RoaringBitmap;

use super::carriers::Carriers;
use super::entry::Entry;
use super::index::Index;
use super::partition::{OfKey, Partition};
use super::posting::Window;
use super::query::{Filter, Query, Scope, Sense, TextMatch};

/// How many slots are combined at once.
const WINDOW: u32 = 1 << 16;
/// The most texts of keys or values that are compared for one filter.
const MOST_COMPARED: usize = 16_384;
/// The most tags that are combined for one filter.
const MOST_COMBINED: usize = 1_024;

/// Where a search goes on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Position {
    /// The region.
    pub region: Box<str>,
    /// The slot in there.
    pub slot: u32,
}

/// What a step found.
#[derive(Debug, Default)]
pub struct Step {
    /// Resources, in the order of their positions.
    pub found: Vec<(Position, Entry)>,
    /// Where the next step begins; `None`: everything was looked at.
    pub next: Option<Position>,
    /// How many slots were passed, whether they hold anything or not.
    pub passed: u32,
    /// Whether all that was found holds.
    pub is_exact: bool,
}

/// How far a step goes.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// The most resources that it finds.
    pub found: usize,
    /// The most slots that it passes.
    pub passed: u32,
}

impl Index {
    /// One step of a search.
    pub(super) fn step(&self, query: &Query, from: &Position, reach: Reach) -> Step {
        let mut step = Step {
            is_exact: true,
            ..Step::default()
        };
        for (region, partition) in self.regions(&query.scope, &from.region) {
            let plan = Plan::new(partition, query);
            step.is_exact &= plan.is_exact;
            let mut at = if **region == *from.region {
                from.slot
            } else {
                0
            };
            while at < partition.slots.end() {
                let left = reach.passed.saturating_sub(step.passed);
                let end = at.saturating_add(left).min(partition.slots.end());
                let end = end.min((at | (WINDOW - 1)).saturating_add(1));
                for slot in plan.within(at, end) {
                    let position = Position {
                        region: Box::from(&**region),
                        slot,
                    };
                    if step.found.len() >= reach.found {
                        step.passed = step.passed.saturating_add(slot - at);
                        step.next = Some(position);
                        return step;
                    }
                    let entry = partition.slots.get(slot).cloned();
                    step.found.extend(entry.map(|entry| (position, entry)));
                }
                step.passed = step.passed.saturating_add(end - at);
                at = end;
                if step.passed >= reach.passed {
                    step.next = Some(Position {
                        region: Box::from(&**region),
                        slot: at,
                    });
                    return step;
                }
            }
        }
        step
    }
}

/// What is combined for a query in one partition.
struct Plan<'p> {
    partition: &'p Partition,
    terms: Vec<(Sense, Vec<Carriers<'p>>)>,
    is_exact: bool,
}

impl<'p> Plan<'p> {
    fn new(partition: &'p Partition, query: &Query) -> Self {
        let mut plan = Self {
            partition,
            terms: Vec::new(),
            is_exact: true,
        };
        plan.terms.extend(scope_terms(partition, &query.scope));
        for filter in &query.filters {
            match postings(partition, filter) {
                Some(postings) => plan.terms.push((filter.sense, postings)),
                None => plan.is_exact = false,
            }
        }
        plan
    }

    fn within(&self, start: u32, end: u32) -> RoaringBitmap {
        let window = Window::new(start..end);
        let mut found = &self.partition.all & window.all();
        for (sense, postings) in &self.terms {
            if found.is_empty() {
                break;
            }
            let mut meant = RoaringBitmap::new();
            for carriers in postings {
                carriers.add_to(&window, &mut meant);
            }
            match sense {
                Sense::Has => found &= meant,
                Sense::Lacks => found -= meant,
            }
        }
        found
    }
}

/// What a scope says beside account and region.
pub(super) fn scope_terms<'p>(
    partition: &'p Partition,
    scope: &Scope,
) -> impl Iterator<Item = (Sense, Vec<Carriers<'p>>)> {
    let kinds = scope.kinds.as_ref().map(|kinds| {
        let kept = kinds.kept.iter();
        let told = kinds.told.iter();
        let kept = kept.filter_map(|kind| partition.kept_kinds.get(kind));
        let told = told.filter_map(|kind| partition.told_kinds.get(kind));
        (Sense::Has, kept.chain(told).map(Carriers::from).collect())
    });
    let groups = scope.groups.iter();
    let groups = groups.filter_map(|group| partition.groups.get(group));
    let groups = groups.map(Carriers::from);
    let groups = (!scope.groups.is_empty()).then(|| (Sense::Has, groups.collect()));
    kinds.into_iter().chain(groups)
}

/// Who carries a tag that a filter means; `None`: these are too many to combine.
fn postings<'p>(partition: &'p Partition, filter: &Filter) -> Option<Vec<Carriers<'p>>> {
    let mut left = MOST_COMPARED;
    let mut found = Vec::new();
    match &filter.key {
        TextMatch::Exact(key) => {
            let of_key = partition.keys.get(&**key);
            of_key.map_or(Some(()), |of_key| {
                of_values(of_key, filter, &mut left, &mut found)
            })?;
        }
        TextMatch::Prefix(start) => {
            let from = (Bound::Included(&**start), Bound::Unbounded);
            let keys = partition.keys.range::<str, _>(from);
            for (_, of_key) in keys.take_while(|(key, _)| key.starts_with(&**start)) {
                left = left.checked_sub(1)?;
                of_values(of_key, filter, &mut left, &mut found)?;
            }
        }
        TextMatch::Infix(part) => {
            for (key, of_key) in &partition.keys {
                left = left.checked_sub(1)?;
                if key.contains(&**part) {
                    of_values(of_key, filter, &mut left, &mut found)?;
                }
            }
        }
    }
    Some(found)
}

/// Adds who carries a value that a filter means, of one key; `None`: too many.
fn of_values<'p>(
    of_key: &'p OfKey,
    filter: &Filter,
    left: &mut usize,
    found: &mut Vec<Carriers<'p>>,
) -> Option<()> {
    if filter.values.is_empty() {
        found.push((&of_key.any).into());
    }
    for value in &filter.values {
        match value {
            TextMatch::Exact(exact) => {
                found.extend(of_key.values.get(exact));
            }
            TextMatch::Prefix(start) => {
                let values = of_key.values.range(Bound::Included(start));
                for (_, carriers) in values.take_while(|(text, _)| value.holds(text)) {
                    *left = left.checked_sub(1)?;
                    found.push(carriers);
                }
            }
            TextMatch::Infix(_) => {
                for (text, carriers) in of_key.values.range(Bound::Unbounded) {
                    *left = left.checked_sub(1)?;
                    found.extend(value.holds(text).then_some(carriers));
                }
            }
        }
        if found.len() > MOST_COMBINED {
            return None;
        }
    }
    (found.len() <= MOST_COMBINED).then_some(())
}
