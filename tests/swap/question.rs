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
use tagwarden::engine::request::{KnownTags, Request};
use tagwarden::model::arn::PrincipalRef;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::tag::TagRef;
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
            let message = message(&request);
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

fn message(request: &Request<'_>) -> v1::AuthorizeRequest {
    let PrincipalRef::User { account, name } = request.principal else {
        panic!("the profile asks as users")
    };
    let resource = |resource: &tagwarden::engine::request::Resource<'_>| v1::Resource {
        arn: resource.name.as_str().to_owned(),
        tags: match resource.tags {
            KnownTags::Unknown | KnownTags::Stored(_) => None,
            KnownTags::Sent(tags) => Some(tag_set(tags)),
        },
        ..v1::Resource::default()
    };
    let entry = |key: &str, value: String| v1::ContextEntry {
        key: key.to_owned(),
        values: vec![value],
    };
    let address = request.context.source_ip.map(|address| address.to_string());
    let secure = request
        .context
        .secure_transport
        .map(|secure| secure.to_string());
    let typed = [("acs:SourceIp", address), ("acs:SecureTransport", secure)];
    v1::AuthorizeRequest {
        principal: format!("acs:ram::{account}:user/{name}"),
        action: request.action.as_str().to_owned(),
        resources: request.resources.iter().map(resource).collect(),
        tag_write: request.tags.set.map(|tags| v1::TagWrite {
            set: Some(tag_set(tags)),
            ..v1::TagWrite::default()
        }),
        context: typed
            .into_iter()
            .filter_map(|(key, value)| Some(entry(key, value?)))
            .collect(),
        understands_obligations: request.understands_obligations,
        ..v1::AuthorizeRequest::default()
    }
}

fn tag_set(tags: &[TagRef<'_>]) -> v1::TagSet {
    let tag = |tag: &TagRef<'_>| v1::Tag {
        key: tag.key.to_owned(),
        value: tag.value.to_owned(),
    };
    v1::TagSet {
        tags: tags.iter().map(tag).collect(),
    }
}
