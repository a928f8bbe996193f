//! Two bundles of the typical profile, and requests with what each of them answers.

#[path = "../../benches/support/profiles.rs"]
#[expect(
    dead_code,
    unreachable_pub,
    reason = "shared with the benches; this test uses a part"
)]
mod profiles;

use profiles::{Profile, Shape};
use tagwarden::compiler::compile;
use tagwarden::engine::decide;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::verdict::Outcome;
use tagwarden::wire::v1;

/// One request, and whether each bundle allows it.
pub(super) struct Asked {
    pub(super) message: v1::AuthorizeRequest,
    pub(super) allowed: [bool; 2],
}

/// The profile, and the same with every attachment moved to the next user.
pub(super) fn bundles() -> [Bundle; 2] {
    let first = Profile::new(Shape::typical()).bundle();
    let mut second = first.clone();
    let attachments = &mut second.accounts[0].attachments;
    let mut policies: Vec<_> = attachments.iter().map(|one| one.policy.clone()).collect();
    policies.rotate_left(7);
    for (attachment, policy) in attachments.iter_mut().zip(policies) {
        attachment.policy = policy;
    }
    [first, second]
}

/// Requests that both bundles decide.
pub(super) fn asked(bundles: &[Bundle; 2]) -> Vec<Asked> {
    let snapshots = bundles.each_ref().map(|bundle| compile(bundle).unwrap());
    let profile = Profile::new(Shape::typical());
    let draw = profiles::random::Draw::uniform(profile.shape.principals);
    let mut asked = Vec::new();
    for request in profile.requests(&snapshots[0], &draw, 1_024) {
        let decided = snapshots
            .each_ref()
            .map(|snapshot| decide(snapshot, &request));
        if let [Ok(first), Ok(second)] = decided {
            let allowed = [first, second].map(|decision| decision.outcome == Outcome::Allow);
            let message = profiles::message::message(&request);
            asked.push(Asked { message, allowed });
        }
    }
    assert!(
        asked.len() > 200,
        "only {} requests are decided",
        asked.len()
    );
    asked
}
