//! Steps of the work that earlier changes left.

use super::event::Event;
use super::{Actor, Gate, STEP, View, partial};
use crate::model::inheritance::ExistingSupport;
use crate::model::resource::Link;
use crate::model::tagging::{Backfill, Forget, Plan, Work};

impl<V: View, G: Gate> Actor<'_, '_, V, G> {
    /// Does a step of work that was left; what the plan leaves takes its place. Nothing is left of
    /// work that is done. The gate is that of the work's cause.
    pub fn step(&self, work: &Work) -> Plan {
        match work {
            Work::Sweep(sweep) => {
                let mut event = self.event_by(sweep.cause.authority, STEP);
                event.resume(sweep.clone());
                partial(event.finish())
            }
            Work::Backfill(backfill) => self.fill(backfill.clone()),
            Work::Forget(forget) => self.forget(forget.clone()),
        }
    }

    fn fill(&self, mut backfill: Backfill) -> Plan {
        let mut event = self.event_by(backfill.cause.authority, STEP);
        loop {
            if event.is_spent() {
                backfill.progress.failed += event.failures();
                event.leave(Work::Backfill(backfill));
                return partial(event.finish());
            }
            let Some(link) = event.links(backfill.after.as_ref(), 1).pop() else {
                backfill.progress.failed += event.failures();
                let plan = partial(event.finish());
                return Plan {
                    filled: Some(backfill.progress),
                    ..plan
                };
            };
            event.spend();
            backfill.progress.seen += 1;
            if link.rule == backfill.rule && fill_one(&mut event, &backfill, &link) {
                backfill.progress.filled += 1;
            }
            backfill.after = Some(link);
        }
    }

    fn forget(&self, mut forget: Forget) -> Plan {
        let mut event = self.event();
        event.also_forget(&forget);
        let page = event.links(forget.after.as_ref(), STEP);
        for link in &page {
            let is_meant = forget.rule.as_ref().is_none_or(|rule| *rule == link.rule);
            if let Some(resource) = event.find(&link.associated).filter(|_| is_meant) {
                event.put(resource);
            }
        }
        if let Some(last) = page.last() {
            forget.after = Some(last.clone());
            event.leave(Work::Forget(forget));
        }
        partial(event.finish())
    }
}

/// Fills one association: an event of its own.
fn fill_one<V: View, G: Gate>(
    event: &mut Event<'_, '_, V, G>,
    backfill: &Backfill,
    link: &Link,
) -> bool {
    let definition = event.law.definition(&link.rule);
    let supported = definition.is_some_and(|rule| rule.existing == ExistingSupport::Supported);
    let (Some(primary), Some(associated)) =
        (event.find(&link.primary), event.find(&link.associated))
    else {
        return false;
    };
    if !supported || associated.owner() != Some(backfill.account.as_str()) {
        return false;
    }
    event.begin();
    let path = vec![link.primary.clone()];
    let filled = event.inherit(&primary, associated, link, primary.tags.keys(), path);
    if let Err(failure) = filled {
        event.deny(failure);
    }
    event.carry_on();
    true
}
