//! Carrying a change of a primary to the resources that are associated with it.

use std::sync::Arc;

use super::{Event, MAX_CHAIN, failure};
use crate::model::arn::Arn;
use crate::model::inheritance::{Authority, OnDissociate, TagScope};
use crate::model::resource::{Association, Link, LiveResource, Provenance};
use crate::model::settings::is_reserved_key;
use crate::model::tagging::{Failure, FailureCode, PrimaryChange, Sweep, Touched, Work};
use crate::tagging::Gate;
use crate::tagging::law::InForce;
use crate::tagging::target::Wanted;
use crate::tagging::view::View;

/// How many associations are looked up at once.
const PAGE: usize = 64;

impl<V: View, G: Gate> Event<'_, '_, V, G> {
    /// Carries on everything that waits, breadth first (tag-policy 7, rule 39), as far as the
    /// budget reaches.
    pub(in crate::tagging) fn carry_on(&mut self) {
        while let Some(sweep) = self.queue.pop_front() {
            self.sweep(sweep);
        }
    }

    fn sweep(&mut self, mut sweep: Sweep) {
        loop {
            let page = self.state.links(&sweep.primary, sweep.after.as_ref(), PAGE);
            if page.is_empty() {
                return;
            }
            if sweep.path.len() >= MAX_CHAIN {
                self.too_long(page);
                return;
            }
            for link in page {
                if self.is_spent() {
                    self.leave(Work::Sweep(sweep));
                    return;
                }
                self.spend();
                self.reach(&sweep, &link);
                sweep.after = Some(link);
            }
        }
    }

    /// tag-policy 7, rule 39: "depth limit".
    fn too_long(&mut self, page: Vec<Link>) {
        let links = page.into_iter();
        let failures = links.map(|link| failure(&link.associated, FailureCode::ChainTooLong));
        self.hold_back(failures.collect());
    }

    fn reach(&mut self, sweep: &Sweep, link: &Link) {
        if link.associated == sweep.primary || sweep.path.contains(&link.associated) {
            return;
        }
        let Some(associated) = self.find(&link.associated) else {
            return;
        };
        let mut path = sweep.path.clone();
        path.push(sweep.primary.clone());
        let reached = match &sweep.change {
            PrimaryChange::Removed => self.end_or_keep(associated, link, path),
            PrimaryChange::Edited(touched) => self.follow(associated, link, touched, path),
        };
        if let Err(failure) = reached {
            self.deny(failure);
        }
    }

    /// An association whose primary is gone ends in any case; where nobody may delete the tags, they
    /// stay.
    fn end_or_keep(
        &mut self,
        associated: LiveResource,
        link: &Link,
        path: Vec<Arn>,
    ) -> Result<(), Failure> {
        let (kept, _) = ended(associated.clone(), link);
        let ended = self.end(associated, link, path);
        if ended.is_err() {
            self.put(kept);
        }
        ended
    }

    /// tag-policy 4.2: "Adding **and removing** tags on the primary propagate".
    fn follow(
        &mut self,
        associated: LiveResource,
        link: &Link,
        touched: &Touched,
        path: Vec<Arn>,
    ) -> Result<(), Failure> {
        // One that is gone by now has ended its associations, or is about to.
        let Some(primary) = self.find(&link.primary) else {
            return Ok(());
        };
        self.inherit(&primary, associated, link, touched.iter(), path)
    }

    /// Brings the named keys of a primary to an associated resource, as far as a rule in force
    /// carries them.
    pub(in crate::tagging) fn inherit<'k>(
        &mut self,
        primary: &LiveResource,
        associated: LiveResource,
        link: &Link,
        keys: impl Iterator<Item = &'k Arc<str>>,
        path: Vec<Arn>,
    ) -> Result<(), Failure> {
        let Some(InForce { setting, .. }) = self.law.in_force(&link.rule, &associated) else {
            return Ok(());
        };
        let association = association_of(link);
        // tag-policy 7, rule 42: "system and reserved keys: never inherited".
        let keys = keys.filter(|key| setting.scope.holds(key) && !is_reserved_key(key));
        let keys = keys.filter(|key| {
            let place = (associated.arn.shared(), Arc::clone(key));
            !self.written.contains(&place)
        });
        let wanted = keys.filter_map(|key| wanted(primary, &associated, &association, key));
        let wanted: Vec<Wanted> = wanted.collect();
        self.bring(associated, wanted, &association, setting.authority, path)
    }

    fn bring(
        &mut self,
        associated: LiveResource,
        wanted: Vec<Wanted>,
        association: &Association,
        authority: Authority,
        path: Vec<Arn>,
    ) -> Result<(), Failure> {
        if wanted.is_empty() {
            return Ok(());
        }
        for wanted in &wanted {
            let place = (associated.arn.shared(), Arc::clone(&wanted.key));
            self.written.insert(place);
        }
        let scope = match self.law.in_force(&association.rule, &associated) {
            Some(rule) => &rule.setting.scope,
            None => &TagScope::All,
        };
        let authority = self.authority(authority);
        self.pass(associated, authority, path, |target| {
            target.associate(wanted, association, scope);
        })
    }

    /// Ends an association: inherited tags are deleted, where the rule says so and is in force;
    /// otherwise they stay (tag-policy 7, rules 44 and 45) and are the resource's own.
    pub(in crate::tagging) fn end(
        &mut self,
        associated: LiveResource,
        link: &Link,
        path: Vec<Arn>,
    ) -> Result<(), Failure> {
        let rule = self.law.in_force(&link.rule, &associated);
        let deletes =
            rule.is_some_and(|rule| rule.definition.on_dissociate == OnDissociate::Delete);
        let authority = rule.map_or(Authority::ServiceRole, |rule| rule.setting.authority);
        let (associated, inherited) = ended(associated, link);
        if !deletes || inherited.is_empty() {
            self.put(associated);
            return Ok(());
        }
        let gone = |key| Wanted { key, value: None };
        let wanted = inherited.into_iter().map(gone).collect();
        self.bring(associated, wanted, &association_of(link), authority, path)
    }

    /// On whose authority a rule's tags are written in this event.
    fn authority(&self, rule: Authority) -> Authority {
        match self.cause.authority {
            Authority::Principal => Authority::Principal,
            Authority::ServiceRole => rule,
        }
    }
}

fn association_of(link: &Link) -> Association {
    Association {
        primary: link.primary.clone(),
        rule: link.rule.clone(),
    }
}

/// A resource without one of its associations, and the keys that came by it: they are its own now.
fn ended(mut associated: LiveResource, link: &Link) -> (LiveResource, Vec<Arc<str>>) {
    let association = association_of(link);
    let mut inherited = Vec::new();
    for (key, tag) in &mut associated.tags {
        if tag.provenance.is_by(&association) {
            tag.provenance = Provenance::Own;
            inherited.push(Arc::clone(key));
        }
    }
    associated.primaries.retain(|known| *known != association);
    (associated, inherited)
}

/// What becomes of one key; `None`: nothing.
fn wanted(
    primary: &LiveResource,
    associated: &LiveResource,
    association: &Association,
    key: &Arc<str>,
) -> Option<Wanted> {
    let key = Arc::clone(key);
    if let Some(tag) = primary.tags.get(&key) {
        let value = Some(Arc::clone(&tag.value));
        return Some(Wanted { key, value });
    }
    // tag-policy 7, rules 36 and 40: "removal only by the owner in the provenance record".
    let tag = associated.tags.get(&key)?;
    let is_ours = tag.provenance.is_by(association);
    is_ours.then_some(Wanted { key, value: None })
}
