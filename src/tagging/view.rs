//! The state that a change is worked out on: look-ups, and the changes of this run over them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::model::arn::Arn;
use crate::model::resource::{Link, LiveResource, Write};
use crate::model::tagging::Work;

/// The directory, to be asked. What it answers does not change while a change is worked out.
pub trait View {
    /// A resource by its ARN as written.
    fn find(&self, arn: &str) -> Option<LiveResource>;

    /// The associations of a primary that come after a place, at most so many, in order.
    fn links(&self, primary: &Arn, after: Option<&Link>, most: usize) -> Vec<Link>;

    /// All associations that come after a place, at most so many, in order.
    fn all_links(&self, after: Option<&Link>, most: usize) -> Vec<Link>;

    /// The work that earlier changes left, in the order in which they left it.
    fn work(&self) -> &[Work];
}

/// A view with changes over it that nobody else sees yet.
#[derive(Debug, Clone)]
pub struct Overlay<'v, V> {
    under: &'v V,
    changed: BTreeMap<Arc<str>, Option<LiveResource>>,
    /// The associations of the changed resources: whether each is there now.
    links: BTreeMap<Link, bool>,
    work: Vec<Work>,
}

impl<'v, V: View> Overlay<'v, V> {
    /// Nothing is changed yet.
    pub fn new(under: &'v V) -> Self {
        Self {
            under,
            changed: BTreeMap::new(),
            links: BTreeMap::new(),
            work: under.work().to_vec(),
        }
    }

    /// Puts the writes of a change over what is there, and takes its work for the work that is
    /// left.
    pub fn apply(&mut self, writes: &[Write], work: Vec<Work>) {
        for write in writes {
            self.set(&write.arn, write.next.clone());
        }
        self.work = work;
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

    fn work(&self) -> &[Work] {
        &self.work
    }
}
