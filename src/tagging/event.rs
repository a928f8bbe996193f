//! One event being worked out: the writes so far, what waits to be carried on, and what was held
//! back.
//!
//! A change of a primary is carried on breadth first. Within an event each key of a resource is
//! written at most once, and no change comes back to a resource that it came through, so that every
//! cycle ends. When the budget is spent, what is not reached yet is left as work.

mod carry;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::target::Target;
use super::view::{Overlay, View};
use super::{Edit, Gate, Law};
use crate::model::account::Name;
use crate::model::arn::Arn;
use crate::model::inheritance::Authority;
use crate::model::resource::{Link, LiveResource, Provenance, Version, Write};
use crate::model::tag::TagRef;
use crate::model::tagging::{
    Cause, Failure, FailureCode, Forget, Plan, PrimaryChange, Sweep, Touched, Work,
};

/// Through how many resources a change goes.
pub const MAX_CHAIN: usize = 8;

/// One event.
pub(super) struct Event<'e, 's, V, G> {
    state: Overlay<'e, V>,
    pub(super) law: &'e Law<'s>,
    gate: &'e G,
    cause: Cause,
    at: Version,
    forgets: Vec<Forget>,
    /// How many associations may still be reached.
    budget: usize,
    /// The versions that written resources had.
    expected: BTreeMap<Arc<str>, (Arn, Option<Version>)>,
    written: BTreeSet<(Arc<str>, Arc<str>)>,
    queue: VecDeque<Sweep>,
    plan: Plan,
    /// The writes that whoever acts may not do.
    denied: Vec<Failure>,
}

/// What an event comes to.
pub(super) struct Outcome {
    pub(super) plan: Plan,
    /// What the principal may not write, on whose authority everything is written. A call fails for
    /// it.
    pub(super) denied: Vec<Failure>,
}

impl<'e, 's, V: View, G: Gate> Event<'e, 's, V, G> {
    pub(super) fn new(
        view: &'e V,
        law: &'e Law<'s>,
        gate: &'e G,
        cause: Cause,
        at: Version,
        budget: usize,
    ) -> Self {
        Self {
            state: Overlay::new(view),
            law,
            gate,
            cause,
            at,
            forgets: view.forgets(),
            budget,
            expected: BTreeMap::new(),
            written: BTreeSet::new(),
            queue: VecDeque::new(),
            plan: Plan::default(),
            denied: Vec::new(),
        }
    }

    /// Carries on what waits, and tells what the event comes to.
    pub(super) fn finish(mut self) -> Outcome {
        self.carry_on();
        let Self {
            state,
            expected,
            mut plan,
            denied,
            ..
        } = self;
        for (arn, expected) in expected.into_values() {
            let next = state.find(arn.as_str());
            if expected.is_some() || next.is_some() {
                plan.writes.push(Write {
                    arn,
                    expected,
                    next,
                });
            }
        }
        plan.held_back.sort();
        plan.held_back.dedup();
        Outcome { plan, denied }
    }

    /// A resource as it counts: what is to be forgotten of it is forgotten.
    pub(super) fn find(&self, arn: &Arn) -> Option<LiveResource> {
        let resource = self.state.find(arn.as_str())?;
        Some(settled(resource, &self.forgets))
    }

    /// Whether the associations of a primary that was removed are still ending.
    pub(super) fn is_ending(&self, arn: &Arn) -> bool {
        self.state.is_ending(arn)
    }

    /// Puts a resource as it is to be. What is as it was is not written; what is still to be
    /// forgotten of it is not as it was, for a write is what keeps it from being forgotten.
    pub(super) fn put(&mut self, mut next: LiveResource) {
        let before = self.state.find(next.arn.as_str());
        next.version = before.as_ref().map_or(self.at, |before| before.version);
        let is_same = |before: &LiveResource| {
            *before == next && settled(before.clone(), &self.forgets) == next
        };
        if before.as_ref().is_some_and(is_same) {
            return;
        }
        next.version = self.at;
        let arn = next.arn.clone();
        self.set(&arn, before.map(|before| before.version), Some(next));
    }

    /// Takes a resource away.
    pub(super) fn remove(&mut self, arn: &Arn) {
        let before = self.state.find(arn.as_str());
        self.set(arn, before.map(|before| before.version), None);
    }

    fn set(&mut self, arn: &Arn, before: Option<Version>, next: Option<LiveResource>) {
        let expected = self.expected.entry(arn.shared());
        expected.or_insert_with(|| (arn.clone(), before));
        self.state.set(arn, next);
    }

    /// Tells that nothing was done to a resource that was named.
    pub(super) fn refuse(&mut self, failure: Failure) {
        self.plan.refused.push(failure);
    }

    pub(super) fn hold_back(&mut self, failures: Vec<Failure>) {
        self.plan.held_back.extend(failures);
    }

    /// Tells that whoever acts may not write what a change brings.
    pub(super) fn deny(&mut self, failure: Failure) {
        match self.cause.authority {
            Authority::Principal => self.denied.push(failure),
            Authority::ServiceRole => self.plan.held_back.push(failure),
        }
    }

    /// Runs the pass over one resource, and writes what it comes to.
    ///
    /// # Errors
    ///
    /// When whoever acts may not write these tags; nothing is written.
    pub(super) fn pass(
        &mut self,
        resource: LiveResource,
        authority: Authority,
        path: Vec<Arn>,
        work_out: impl FnOnce(&mut Target<'e, 's>),
    ) -> Result<(), Failure> {
        let before = resource.clone();
        let group = self.group_of(&resource);
        let mut target = Target::new(self.law, resource);
        work_out(&mut target);
        target.repair(group.as_ref());
        let Target {
            next,
            touched,
            held_back,
            ..
        } = target;
        if authority == Authority::Principal {
            self.check(&before, &next, &touched)?;
        }
        self.hold_back(held_back);
        let arn = next.arn.clone();
        self.put(next);
        self.edited(&arn, touched, path);
        Ok(())
    }

    /// Whether a user may write this: its permission, then tag policies.
    ///
    /// # Errors
    ///
    /// The code that the user is told.
    pub(super) fn admit(
        &self,
        resource: &LiveResource,
        edit: &Edit<'_>,
    ) -> Result<(), FailureCode> {
        self.gate.check(resource, edit)?;
        self.law.intercepts(resource, edit.set, edit.removed)
    }

    /// security 5.1: "tag writes on every resource that they change". Who associates a resource
    /// must be allowed to tag it, whatever the primary has now: what it has later comes without a
    /// question.
    ///
    /// # Errors
    ///
    /// When whoever acts may not.
    pub(super) fn may_tag(&self, resource: &LiveResource) -> Result<(), Failure> {
        let asked = self.gate.check_at_all(resource);
        asked.map_err(|code| failure(&resource.arn, code))
    }

    /// security 5.1: "tag writes on every resource that they change".
    fn check(
        &self,
        before: &LiveResource,
        next: &LiveResource,
        touched: &[Arc<str>],
    ) -> Result<(), Failure> {
        let touched = Touched::new(touched.iter().cloned());
        let keys = touched.iter();
        let set: Vec<TagRef<'_>> = keys
            .filter_map(|key| next.get(key).map(|value| TagRef { key, value }))
            .collect();
        let removed = touched.iter().filter(|key| next.get(key).is_none());
        let removed: Vec<&str> = removed.map(|key| &**key).collect();
        if set.is_empty() && removed.is_empty() {
            return Ok(());
        }
        let edit = Edit {
            set: &set,
            removed: &removed,
        };
        self.gate.check(before, &edit).map_err(|code| Failure {
            arn: before.arn.clone(),
            key: None,
            code,
        })
    }

    /// The resource group that a resource is in, as far as the directory knows it.
    fn group_of(&self, resource: &LiveResource) -> Option<LiveResource> {
        let group = resource.group.as_ref()?;
        let named = group_arns(resource.owner()?, group);
        named.iter().find_map(|arn| self.state.find(arn))
    }

    /// Tells that keys of a resource were written, so that those associated with it follow.
    pub(super) fn edited(&mut self, arn: &Arn, touched: Vec<Arc<str>>, path: Vec<Arn>) {
        let touched = Touched::new(touched);
        for key in touched.iter() {
            self.written.insert((arn.shared(), Arc::clone(key)));
        }
        if !touched.is_empty() {
            self.send(arn, PrimaryChange::Edited(touched), path);
        }
    }

    /// Sends a change of a primary on its way.
    pub(super) fn send(&mut self, primary: &Arn, change: PrimaryChange, path: Vec<Arn>) {
        self.queue.push_back(Sweep {
            primary: primary.clone(),
            change,
            after: None,
            path,
            cause: self.cause.clone(),
        });
    }

    /// Goes on with a change that an earlier event left.
    pub(super) fn resume(&mut self, sweep: Sweep) {
        self.queue.push_back(sweep);
    }

    pub(super) fn leave(&mut self, work: Work) {
        self.plan.left.push(work);
    }

    /// Whether the budget is spent.
    pub(super) fn is_spent(&self) -> bool {
        self.budget == 0
    }

    pub(super) fn spend(&mut self) {
        self.budget = self.budget.saturating_sub(1);
    }

    /// All associations after a place, so many at most.
    pub(super) fn links(&self, after: Option<&Link>, most: usize) -> Vec<Link> {
        self.state.all_links(after, most)
    }

    /// Forgets this too, in every resource that is looked at.
    pub(super) fn also_forget(&mut self, forget: &Forget) {
        self.forgets.push(forget.clone());
    }

    /// How much could not be written so far.
    pub(super) fn failures(&self) -> u64 {
        u64::try_from(self.plan.held_back.len() + self.denied.len()).unwrap_or(u64::MAX)
    }

    /// Begins anew with what is written at most once: the next association is an event of its own.
    pub(super) fn begin(&mut self) {
        self.written.clear();
    }
}

/// The ARNs under which a directory may know a resource group.
pub fn group_arns(account: &str, group: &Name) -> [String; 2] {
    ["*", ""].map(|region| format!("acs:resourcemanager:{region}:{account}:resourcegroup/{group}"))
}

/// A resource as it counts while something is still to be forgotten: what answers show of where its
/// tags came from.
pub fn settled(mut resource: LiveResource, forgets: &[Forget]) -> LiveResource {
    for forget in forgets {
        forget_in(forget, &mut resource);
    }
    resource
}

/// tag-policy 7, rule 44: "tags stay and lose provenance". What was written since is not forgotten.
fn forget_in(forget: &Forget, resource: &mut LiveResource) {
    let is_older = resource.version <= forget.at;
    if !is_older || resource.owner() != Some(forget.account.as_str()) {
        return;
    }
    for (key, tag) in &mut resource.tags {
        let Provenance::Inherited(association) = &tag.provenance else {
            continue;
        };
        let is_meant = forget
            .rule
            .as_ref()
            .is_none_or(|rule| *rule == association.rule);
        let is_kept = forget.kept.as_ref().is_some_and(|kept| kept.holds(key));
        if is_meant && !is_kept {
            tag.provenance = Provenance::Own;
        }
    }
}

/// A failure of a whole resource.
pub(super) fn failure(arn: &Arn, code: FailureCode) -> Failure {
    Failure {
        arn: arn.clone(),
        key: None,
        code,
    }
}
