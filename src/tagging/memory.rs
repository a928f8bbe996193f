//! A directory in memory, as plain as can be: for cases and for tests of the state machine.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::View;
use crate::model::arn::{AccountId, Arn};
use crate::model::resource::{Link, LiveResource, Version};
use crate::model::tagging::{Forget, Plan, PredefinedValues, PredefinedWrite, Work};

/// Resources, the work that is left, and the number of the next change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Memory {
    resources: BTreeMap<Arc<str>, LiveResource>,
    links: BTreeSet<Link>,
    work: Vec<Work>,
    predefined: BTreeMap<(AccountId, Arc<str>), PredefinedValues>,
    changes: u64,
}

/// A resource that is not as a write expects it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not at the version that the write expects")]
pub struct Conflict(pub Arn);

impl Memory {
    /// The resources, by ARN.
    pub fn resources(&self) -> impl Iterator<Item = &LiveResource> {
        self.resources.values()
    }

    /// The work that is left, the oldest first.
    pub fn work(&self) -> &[Work] {
        &self.work
    }

    /// The number that the next change has.
    pub fn next_version(&self) -> Version {
        Version(self.changes + 1)
    }

    /// Commits a step of work: what it leaves takes the place of that work.
    ///
    /// # Errors
    ///
    /// As [`Self::commit`]; the work is left as it was.
    pub fn commit_step(&mut self, work: &Work, plan: &Plan) -> Result<(), Conflict> {
        self.commit(plan)?;
        if let Some(place) = self.work.iter().position(|left| left == work) {
            self.work.remove(place);
        }
        Ok(())
    }

    /// Commits a change, all of it or nothing.
    ///
    /// # Errors
    ///
    /// When a resource has another version than a write expects.
    pub fn commit(&mut self, plan: &Plan) -> Result<(), Conflict> {
        for write in &plan.writes {
            let known = self.resources.get(write.arn.as_str());
            if known.map(|known| known.version) != write.expected {
                return Err(Conflict(write.arn.clone()));
            }
        }
        for write in &plan.writes {
            let before = self.resources.remove(write.arn.as_str());
            for link in before.iter().flat_map(LiveResource::links) {
                self.links.remove(&link);
            }
            if let Some(next) = &write.next {
                self.links.extend(next.links());
                self.resources.insert(write.arn.shared(), next.clone());
            }
        }
        self.work.extend_from_slice(&plan.left);
        for PredefinedWrite {
            account,
            key,
            values,
        } in &plan.predefined
        {
            let place = (account.clone(), Arc::clone(key));
            match values {
                Some(values) => self.predefined.insert(place, values.clone()),
                None => self.predefined.remove(&place),
            };
        }
        self.changes += 1;
        Ok(())
    }
}

impl View for Memory {
    fn find(&self, arn: &str) -> Option<LiveResource> {
        self.resources.get(arn).cloned()
    }

    fn links(&self, primary: &Arn, after: Option<&Link>, most: usize) -> Vec<Link> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let links = self.links.range((from, Bound::Unbounded));
        let links = links.skip_while(|link| link.primary < *primary);
        let links = links.take_while(|link| link.primary == *primary);
        links.take(most).cloned().collect()
    }

    fn all_links(&self, after: Option<&Link>, most: usize) -> Vec<Link> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let links = self.links.range((from, Bound::Unbounded));
        links.take(most).cloned().collect()
    }

    fn forgets(&self) -> Vec<Forget> {
        let forgets = self.work.iter().filter_map(|work| match work {
            Work::Forget(forget) => Some(forget.clone()),
            Work::Sweep(_) | Work::Backfill(_) => None,
        });
        forgets.collect()
    }

    fn is_ending(&self, arn: &Arn) -> bool {
        self.work.iter().any(|work| work.ends(arn))
    }

    fn predefined(&self, account: &AccountId, key: &str) -> Option<PredefinedValues> {
        let place = (account.clone(), Arc::from(key));
        self.predefined.get(&place).cloned()
    }

    fn predefined_keys(&self, account: &AccountId) -> usize {
        let keys = self.predefined.keys();
        keys.filter(|(of, _)| of == account).count()
    }
}
