//! What the calls of a group come to, before it is committed.

use super::WriteFault;
use super::base::{Base, WorkId};
use super::rules;
use crate::model::arn::AccountId;
use crate::model::inheritance::SERVICE_ROLE;
use crate::model::resource::{Version, Write};
use crate::model::tagging::{Plan, PredefinedWrite, Progress, Work};
use crate::tagging::Overlay;

/// What the calls of a group come to.
#[derive(Default)]
pub(super) struct Worked {
    pub(super) writes: Vec<Write>,
    /// What becomes of predefined keys; of two writes of one key the later stands.
    pub(super) predefined: Vec<PredefinedWrite>,
    /// A change of rules, which comes before everything else.
    pub(super) rules: Option<rules::Change>,
    /// A step of the work that was left, which comes last.
    pub(super) step: Option<Stepped>,
    /// What becomes of the pieces of work.
    pub(super) work: Vec<(WorkId, Option<Work>)>,
    /// What each call is told when the group is committed.
    pub(super) outcomes: Vec<Result<Option<Version>, WriteFault>>,
    pub(super) version: Version,
}

/// A step of the work that was left, for the log.
pub(super) struct Stepped {
    work: Work,
    writes: usize,
    held_back: usize,
    filled: Option<Progress>,
}

impl Worked {
    /// Whether there is anything to write.
    pub(super) fn is_something(&self) -> bool {
        let is_governed = self
            .rules
            .as_ref()
            .is_some_and(|change| change.accounts() > 0);
        let is_written = !self.writes.is_empty() || !self.predefined.is_empty();
        is_governed || is_written || !self.work.is_empty()
    }

    /// Takes a change of rules with what it leaves to do.
    pub(super) fn govern(
        &mut self,
        change: Option<rules::Change>,
        at: Version,
        last_work: &mut WorkId,
        overlay: &mut Overlay<'_, Base>,
    ) {
        let left = change.as_ref().map(|change| change.work.clone());
        let plan = Plan {
            left: left.unwrap_or_default(),
            ..Plan::default()
        };
        self.take(plan, at, last_work, None, overlay);
        self.rules = change;
    }

    /// Takes a plan; returns the number of its change, if there is anything to write. `done` is the
    /// work that it was a step of.
    pub(super) fn take(
        &mut self,
        mut plan: Plan,
        version: Version,
        last_work: &mut WorkId,
        done: Option<WorkId>,
        overlay: &mut Overlay<'_, Base>,
    ) -> Option<Version> {
        for write in &mut plan.writes {
            if let Some(next) = &mut write.next {
                next.version = version;
            }
        }
        overlay.apply(&plan);
        let Plan {
            writes,
            predefined,
            left,
            ..
        } = plan;
        let is_something = !writes.is_empty() || !predefined.is_empty() || !left.is_empty();
        self.writes.extend(writes);
        self.predefined.extend(predefined);
        let mut place = done;
        for work in left {
            let id = place.take().unwrap_or_else(|| {
                *last_work += 1;
                *last_work
            });
            self.work.push((id, Some(work)));
        }
        self.work.extend(place.map(|id| (id, None)));
        if !is_something {
            return None;
        }
        self.version = version;
        Some(version)
    }
}

impl Stepped {
    pub(super) fn new(work: &Work, plan: &Plan) -> Self {
        Self {
            work: work.clone(),
            writes: plan.writes.len(),
            held_back: plan.held_back.len(),
            filled: plan.filled,
        }
    }

    /// tag-policy 8: "writes carry its name in provenance and audit"; security 5.1: "the log names
    /// the causing principal".
    pub(super) fn tell(&self, change: Version) {
        let Self {
            work,
            writes,
            held_back,
            filled,
        } = self;
        let (about, cause) = match work {
            Work::Sweep(sweep) => (sweep.primary.as_str(), Some(&sweep.cause)),
            Work::Backfill(backfill) => (backfill.rule.as_str(), Some(&backfill.cause)),
            Work::Forget(forget) => {
                let rule = forget.rule.as_ref();
                (rule.map_or("", |rule| rule.as_str()), None)
            }
        };
        let principal = cause.and_then(|cause| cause.principal.as_deref());
        let account = work.account().map_or("", AccountId::as_str);
        if *writes > 0 || *held_back > 0 {
            tracing::info!(
                role = SERVICE_ROLE,
                work = work.kind(),
                account,
                about,
                principal = principal.unwrap_or_default(),
                change = change.0,
                writes,
                held_back,
                "the directory was changed in the background"
            );
        }
        if let Some(Progress {
            seen,
            filled,
            failed,
        }) = filled
        {
            tracing::info!(
                account,
                rule = about,
                seen,
                filled,
                failed,
                "a rule has filled what was there"
            );
        }
    }
}
