use jiff::Timestamp;
use prost::Message as _;

use super::*;
use crate::engine::decision::Obligations;
use crate::engine::explain::ExplainedResource;
use crate::engine::request::{Context, KnownGroup, KnownTags, Resource, Session, TagWrite};
use crate::model::action::ActionRef;
use crate::model::arn::{PrincipalRef, ResourceName};
use crate::model::settings::{MissingRequired, Settings};
use crate::model::tag::TagRef;
use crate::model::verdict::{DenyReason, Layer, OnDeny};

const TAGS: [TagRef<'static>; 3] = [
    TagRef {
        key: "a",
        value: "1",
    },
    TagRef {
        key: "b",
        value: "2",
    },
    TagRef {
        key: "c",
        value: "3",
    },
];

fn reply(decision: &Decision, disclosure: Disclosure) -> v1::AuthorizeResponse {
    reply_under(MissingRequired::default(), decision, disclosure)
}

fn reply_under(
    missing_required: MissingRequired,
    decision: &Decision,
    disclosure: Disclosure,
) -> v1::AuthorizeResponse {
    let resources = [Resource {
        name: ResourceName::All,
        tags: KnownTags::Unknown,
        group: KnownGroup::Unknown,
        owner: None,
    }];
    let request = Request {
        principal: PrincipalRef::parse("acs:ram::1:user/alice").unwrap(),
        action: ActionRef::parse("ecs:DescribeInstances").unwrap(),
        resources: &resources,
        tags: TagWrite {
            set: Some(&TAGS),
            ..TagWrite::default()
        },
        context: Context {
            current_time: Timestamp::UNIX_EPOCH,
            source_ip: None,
            secure_transport: None,
            mfa_present: None,
            entries: &[],
        },
        session: Session::Unstated,
        kind: None,
        understands_obligations: true,
    };
    let settings = Settings {
        missing_required,
        ..Settings::default()
    };
    let snapshot = Snapshot {
        settings,
        ..Snapshot::default()
    };
    let asked = Asked {
        snapshot: &snapshot,
        request: &request,
        disclosure,
    };
    let Decision { outcome, cause, .. } = *decision;
    let verdicts = [Verdict { outcome, cause }].into_iter().collect();
    let mut bytes = Vec::new();
    asked.write(
        decision,
        &verdicts,
        Some(&explanation()),
        "id",
        &mut Writer(&mut bytes),
    );
    let message = v1::AuthorizeResponse::decode(bytes.as_slice()).unwrap();
    assert_eq!(
        message.encode_to_vec(),
        bytes,
        "not as prost writes it: {message:?}"
    );
    message
}

fn explanation() -> Explanation {
    let resource = ExplainedResource {
        arn: "*".to_owned(),
        outcome: Outcome::ExplicitDeny,
        units: Vec::new(),
    };
    Explanation {
        resources: vec![resource],
    }
}

fn decision(outcome: Outcome, reason: Option<DenyReason>) -> Decision {
    let statement = Some(StatementId {
        policy: PolicyId::SESSION,
        index: 2,
    });
    let cause = Cause {
        layer: Some(Layer::Control { level: 3 }),
        statement,
    };
    Decision {
        outcome,
        reason,
        on_deny: OnDeny::EmptyResult,
        cause,
        obligations: Obligations {
            filter_tags: Some(0b101),
            filter_results: true,
        },
    }
}

#[test]
fn each_level_tells_more_and_none_tells_another_effect() {
    let denied = decision(Outcome::ExplicitDeny, Some(DenyReason::Explicit));
    let least = reply(&denied, Disclosure::Effect);
    let expected = v1::AuthorizeResponse {
        effect: v1::Effect::Deny.into(),
        on_deny: v1::OnDeny::EmptyResult.into(),
        decision_id: "id".to_owned(),
        ..v1::AuthorizeResponse::default()
    };
    assert_eq!(least, expected);

    let reason = reply(&denied, Disclosure::Reason);
    assert_eq!(reason.reason(), v1::Reason::ExplicitDeny);
    assert_eq!(
        (reason.layer(), reason.control_level),
        (v1::Layer::Control, 3)
    );
    assert!(reason.revision.is_some() && reason.statements.is_empty());
    assert!(reason.verdicts.is_empty());

    let statements = reply(&denied, Disclosure::Statements);
    assert_eq!(statements.statements.len(), 1);
    assert_eq!(statements.statements[0].policy, "session");
    assert_eq!(statements.verdicts[0].arn, "*");
    assert!(statements.missing_keys.is_empty());
    let absent = reply_under(MissingRequired::AsAbsent, &denied, Disclosure::Statements);
    assert_eq!(absent.missing_keys, ["acs:SourceIp", "acs:SecureTransport"]);
    assert!(statements.explanation.is_none());

    let all = reply(&denied, Disclosure::Explanation);
    assert_eq!(all.explanation.unwrap().steps[0].subject, "*");
}

#[test]
fn obligations_stand_beside_an_allow_alone() {
    let allowed = reply(&decision(Outcome::Allow, None), Disclosure::Effect);
    assert_eq!(allowed.effect(), v1::Effect::Allow);
    assert_eq!(allowed.on_deny(), v1::OnDeny::Unspecified);
    let [first, second] = allowed.obligations.as_slice() else {
        panic!("{:?}", allowed.obligations)
    };
    let Some(v1::obligation::Obligation::MustFilterTags(filter)) = &first.obligation else {
        panic!("{first:?}")
    };
    let keys: Vec<_> = filter.tags.iter().map(|tag| tag.key.as_str()).collect();
    assert_eq!(keys, ["a", "c"]);
    assert_eq!(
        second.obligation,
        Some(v1::obligation::Obligation::FilterResults(
            v1::FilterResults {}
        ))
    );
    let required = decision(Outcome::Allow, Some(DenyReason::ObligationRequired));
    let denied = reply(&required, Disclosure::Reason);
    assert_eq!(denied.effect(), v1::Effect::Deny);
    assert_eq!(denied.reason(), v1::Reason::ObligationRequired);
    assert!(denied.obligations.is_empty());
}
