//! The state that a change is worked out on: look-ups, and the changes of this run over them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::arn::{AccountId, Arn};
use crate::model::resource::{Link, LiveResource};
use crate::model::tagging::{Forget, Plan, PredefinedValues, PredefinedWrite, Work};

/// The directory, to be asked. What it answers does not change while a change is worked out.
pub trait View {
    /// A resource by its ARN as written.
    fn find(&self, arn: &str) -> Option<LiveResource>;

    /// The associations of a primary that come after a place, at most so many, in order.
    fn links(&self, primary: &Arn, after: Option<&Link>, most: usize) -> Vec<Link>;

    /// All associations that come after a place, at most so many, in order.
    fn all_links(&self, after: Option<&Link>, most: usize) -> Vec<Link>;

    /// What is still to be forgotten: the [`Work::Forget`] that is left.
    fn forgets(&self) -> Vec<Forget>;

    /// Whether a primary was removed and its associations are still ending: whether a
    /// [`Sweep`](crate::model::tagging::Sweep) of its removal is left.
    fn is_ending(&self, arn: &Arn) -> bool;

    /// The values of a predefined key; `None`: it is not predefined.
    fn predefined(&self, account: &AccountId, key: &str) -> Option<PredefinedValues>;

    /// How many keys an account has predefined.
    fn predefined_keys(&self, account: &AccountId) -> usize;
}

/// A view with changes over it that nobody else sees yet.
#[derive(Debug, Clone)]
pub struct Overlay<'v, V> {
    under: &'v V,
    changed: BTreeMap<Arc<str>, Option<LiveResource>>,
    /// The associations of the changed resources: whether each is there now.
    links: BTreeMap<Link, bool>,
    left: Vec<Work>,
    /// The predefined keys that change.
    predefined: BTreeMap<(AccountId, Arc<str>), Option<PredefinedValues>>,
}

impl<'v, V: View> Overlay<'v, V> {
    /// Nothing is changed yet.
    pub fn new(under: &'v V) -> Self {
        Self {
            under,
            changed: BTreeMap::new(),
            links: BTreeMap::new(),
            left: Vec::new(),
            predefined: BTreeMap::new(),
        }
    }

    /// What is beneath the changes.
    pub fn under(&self) -> &'v V {
        self.under
    }

    /// Puts a change over what is there.
    pub fn apply(&mut self, plan: &Plan) {
        for write in &plan.writes {
            self.set(&write.arn, write.next.clone());
        }
        self.left.extend_from_slice(&plan.left);
        for PredefinedWrite {
            account,
            key,
            values,
        } in &plan.predefined
        {
            let place = (account.clone(), Arc::clone(key));
            self.predefined.insert(place, values.clone());
        }
    }

    /// Puts one resource, or its absence, over what is there.
    pub(super) fn set(&mut self, arn: &Arn, next: Option<LiveResource>) {
        let before = self.find(arn.as_str());
        for link in before.iter().flat_map(LiveResource::links) {
            self.links.insert(link, false);
        }
        for link in next.iter().flat_map(LiveResource::links) {
            self.links.insert(link, true);
        }
        self.changed.insert(arn.shared(), next);
    }

    /// What is there beneath and over, merged. A page of what is beneath bounds what is taken of
    /// what is over it; where nothing of a page is left, the next one is taken.
    fn merged(
        &self,
        after: Option<&Link>,
        most: usize,
        beneath: impl Fn(Option<&Link>) -> Vec<Link>,
        is_asked: impl Fn(&Link) -> bool,
    ) -> Vec<Link> {
        let mut page = beneath(after);
        loop {
            let end = (page.len() >= most).then(|| page.last().cloned()).flatten();
            page.retain(|link| self.links.get(link) != Some(&false));
            let over = self.links.iter().filter(|(_, is_there)| **is_there);
            let over = over.map(|(link, _)| link).filter(|link| {
                after.is_none_or(|after| *link > after)
                    && end.as_ref().is_none_or(|end| *link <= end)
                    && is_asked(link)
            });
            page.extend(over.cloned());
            page.sort_unstable();
            page.dedup();
            page.truncate(most);
            match end {
                Some(end) if page.is_empty() => page = beneath(Some(&end)),
                Some(_) | None => return page,
            }
        }
    }
}

impl<V: View> View for Overlay<'_, V> {
    fn find(&self, arn: &str) -> Option<LiveResource> {
        match self.changed.get(arn) {
            Some(next) => next.clone(),
            None => self.under.find(arn),
        }
    }

    fn links(&self, primary: &Arn, after: Option<&Link>, most: usize) -> Vec<Link> {
        let beneath = |after: Option<&Link>| self.under.links(primary, after, most);
        self.merged(after, most, beneath, |link| link.primary == *primary)
    }

    fn all_links(&self, after: Option<&Link>, most: usize) -> Vec<Link> {
        let beneath = |after: Option<&Link>| self.under.all_links(after, most);
        self.merged(after, most, beneath, |_| true)
    }

    fn forgets(&self) -> Vec<Forget> {
        let mut forgets = self.under.forgets();
        forgets.extend(self.left.iter().filter_map(|work| match work {
            Work::Forget(forget) => Some(forget.clone()),
            Work::Sweep(_) | Work::Backfill(_) => None,
        }));
        forgets
    }

    fn is_ending(&self, arn: &Arn) -> bool {
        self.under.is_ending(arn) || self.left.iter().any(|work| work.ends(arn))
    }

    fn predefined(&self, account: &AccountId, key: &str) -> Option<PredefinedValues> {
        match self.predefined.get(&(account.clone(), Arc::from(key))) {
            Some(values) => values.clone(),
            None => self.under.predefined(account, key),
        }
    }

    fn predefined_keys(&self, account: &AccountId) -> usize {
        let mut keys = self.under.predefined_keys(account);
        let own = self.predefined.iter().filter(|((of, _), _)| of == account);
        for ((_, key), values) in own {
            let was = self.under.predefined(account, key).is_some();
            keys = keys + usize::from(values.is_some()) - usize::from(was);
        }
        keys
    }
}
