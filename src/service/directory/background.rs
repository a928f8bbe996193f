//! Steps of the work that changes leave: on whose behalf each is done.

use crate::engine::request::Request;
use crate::management::directory::{Step, Turn};
use crate::model::action::ActionRef;
use crate::model::arn::PrincipalRef;
use crate::model::inheritance::Authority;
use crate::model::resource::LiveResource;
use crate::model::tagging::{Cause, FailureCode, Plan, Work};
use crate::snapshot::Snapshot;
use crate::tagging::{Actor, Edit, Gate, Law};

use super::asker::{Asker, TAG};

/// What works off the work that changes of the directory left.
pub fn step() -> Step {
    Box::new(worked)
}

/// A step, in the policies that are in force now. Without any nothing is done, and it stays.
fn worked(turn: &Turn<'_>, work: &Work) -> Plan {
    let Some(snapshot) = turn.snapshot else {
        return Plan {
            left: vec![work.clone()],
            ..Plan::default()
        };
    };
    let cause = match work {
        Work::Sweep(sweep) => Some(&sweep.cause),
        Work::Backfill(backfill) => Some(&backfill.cause),
        Work::Forget(_) => None,
    };
    let law = Law::new(snapshot);
    let gate = Later {
        turn,
        snapshot,
        cause,
    };
    let actor = Actor {
        view: turn.view,
        law: &law,
        gate: &gate,
        principal: cause.and_then(|cause| cause.principal.clone()),
        at: turn.version,
    };
    actor.step(work)
}

/// Whoever caused a piece of work, asked anew: by the policies of now, and without the
/// circumstances of then.
struct Later<'l> {
    turn: &'l Turn<'l>,
    snapshot: &'l Snapshot,
    cause: Option<&'l Cause>,
}

impl Gate for Later<'_> {
    fn check(&self, resource: &LiveResource, edit: &Edit<'_>) -> Result<(), FailureCode> {
        self.asked(|asker| asker.check(resource, edit))
    }

    fn check_at_all(&self, resource: &LiveResource) -> Result<(), FailureCode> {
        self.asked(|asker| asker.check_at_all(resource))
    }
}

impl Later<'_> {
    fn asked(
        &self,
        check: impl FnOnce(&Asker<'_>) -> Result<(), FailureCode>,
    ) -> Result<(), FailureCode> {
        let Some(Cause {
            principal: Some(principal),
            authority: Authority::Principal | Authority::ServiceRole,
        }) = self.cause
        else {
            return Ok(());
        };
        let (Ok(named), Ok(action)) = (PrincipalRef::parse(principal), ActionRef::parse(TAG))
        else {
            return Err(FailureCode::NoPermission);
        };
        let asked = Request::bare(named, action, &[], self.turn.now);
        check(&Asker::of(self.snapshot, asked))
    }
}
