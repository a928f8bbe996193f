//! The rules of the service beside the cases: batches, stages, limits, types, and whose policies
//! are told.

use tagwarden::document::shipped;
use tagwarden::document::tag_policy::read_tag_policy;
use tagwarden::model::account::Name;
use tagwarden::model::arn::AccountId;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::organization::{Member, Node, Organization, TagAttachment, TagMode};
use tagwarden::model::tag_policy::Dialect;
use tagwarden::wire::status::reason_of;
use tagwarden::wire::v1;
use tagwarden::wire::v1::TagPolicyMode::{Enforce, Report, Warn};
use tagwarden::wire::v1::TagViolationCode as Code;
use tagwarden::wire::v1::tagging_service_client::TaggingServiceClient;
use tonic::transport::Channel;

use super::effective::publish;
use crate::support::server::{Running, config, start};

const WEB: &str = "acs:ecs:cn-hangzhou:7:instance/*";

type Attached<'a> = (&'a str, TagMode, &'a str);

/// An organization with policies at the Root and at its one member, account 7.
fn bundle(root: &[Attached<'_>], member: &[Attached<'_>]) -> Bundle {
    let account = |text: &str| AccountId::try_from(text).unwrap();
    let name = |text: &str| Name::try_from(text).unwrap();
    let tag = |attached: &[Attached<'_>]| -> Vec<TagAttachment> {
        let attached = attached.iter();
        attached
            .map(|(policy, mode, _)| TagAttachment {
                policy: name(policy),
                mode: *mode,
            })
            .collect()
    };
    let policies = root.iter().chain(member).map(|(policy, _, text)| {
        let read = read_tag_policy(text, Some(Dialect::Alibaba));
        (name(policy), read.unwrap().value)
    });
    Bundle {
        catalog: shipped::catalog().clone(),
        tag_policies: policies.collect(),
        control_policies: shipped::control_policies().clone(),
        organizations: vec![Organization {
            id: "rd".to_owned(),
            management: account("1"),
            dialect: Dialect::Alibaba,
            root: Node {
                name: "Root".to_owned(),
                control: Vec::new(),
                tag: tag(root),
                folders: Vec::new(),
                members: vec![Member {
                    account: account("7"),
                    control: Vec::new(),
                    tag: tag(member),
                }],
            },
        }],
        ..Bundle::default()
    }
}

async fn serve(bundle: &Bundle) -> (Running, TaggingServiceClient<Channel>) {
    let mut running = start(config());
    publish(&mut running, bundle, 1);
    let client = TaggingServiceClient::new(running.channel().await);
    (running, client)
}

fn write(tags: &[(&str, &str)]) -> v1::TagWrite {
    let tag = |(key, value): &(&str, &str)| v1::Tag {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    };
    v1::TagWrite {
        set: Some(v1::TagSet {
            tags: tags.iter().map(tag).collect(),
        }),
        ..v1::TagWrite::default()
    }
}

/// A resource is made.
fn create(arn: &str, kind: &str, tags: &[(&str, &str)]) -> v1::ValidateTaggingRequest {
    v1::ValidateTaggingRequest {
        resource: Some(v1::Resource {
            arn: arn.to_owned(),
            r#type: kind.to_owned(),
            ..v1::Resource::default()
        }),
        operation: v1::TaggingOperation::Create.into(),
        tag_write: Some(write(tags)),
        ..v1::ValidateTaggingRequest::default()
    }
}

fn env(values: &str, enforced: &str) -> String {
    format!(
        r#"{{"tags": {{"env": {{"tag_value": {{"@@assign": [{values}]}},
            "enforced_for": {{"@@assign": [{enforced}]}}}}}}}}"#
    )
}

fn told(verdict: &v1::TaggingVerdict) -> Vec<(Code, v1::TagPolicyMode, bool)> {
    let violations = verdict.violations.iter();
    violations
        .map(|one| (one.code(), one.mode(), one.intercepted))
        .collect()
}

/// security 6.3, over a socket.
#[tokio::test]
async fn a_policy_that_reports_loosens_nothing_and_each_stage_is_told() {
    let (strict, loose) = (env(r#""a""#, r#""ecs:instance""#), env(r#""*""#, ""));
    let team = r#"{"tags": {"team": {"tag_value": {"@@assign": ["x"]}, "enforced_for": {"@@assign": ["ecs:instance"]}}}}"#;
    let unit = r#"{"tags": {"unit": {"tag_value": {"@@assign": ["x"]}, "enforced_for": {"@@assign": ["ecs:instance"]}}}}"#;
    let (_running, mut client) = serve(&bundle(
        &[
            ("loose", TagMode::Report, &loose),
            ("strict", TagMode::Enforce, &strict),
        ],
        &[
            ("team", TagMode::Warn, team),
            ("unit", TagMode::Report, unit),
        ],
    ))
    .await;
    let tags = [("env", "b"), ("team", "y"), ("unit", "y")];
    let answer = client.validate_tagging(create(WEB, "", &tags)).await;
    let verdict = answer.unwrap().into_inner().verdict.unwrap();
    assert!(verdict.intercepted);
    let expected = [
        (Code::Value, Enforce, true),
        (Code::Value, Warn, false),
        (Code::Value, Report, false),
    ];
    assert_eq!(told(&verdict), expected);
    let tags = [("env", "a"), ("team", "y"), ("unit", "y")];
    let answer = client.validate_tagging(create(WEB, "", &tags)).await;
    let verdict = answer.unwrap().into_inner().verdict.unwrap();
    assert!(!verdict.intercepted && !verdict.compliant);
    assert_eq!(told(&verdict), expected[1..]);
}

#[tokio::test]
async fn a_batch_has_one_result_for_each_operation() {
    let policy = env(r#""a""#, r#""ecs:instance""#);
    let (_running, mut client) = serve(&bundle(&[("p", TagMode::Enforce, &policy)], &[])).await;
    let other = "acs:ecs:cn-hangzhou:999:instance/*";
    let requests = vec![
        create(WEB, "", &[("env", "a")]),
        create(WEB, "", &[("env", "b")]),
        create(other, "", &[("env", "b")]),
        v1::ValidateTaggingRequest::default(),
    ];
    let message = v1::BatchValidateTaggingRequest { requests };
    let answer = client.batch_validate_tagging(message.clone()).await;
    let results = answer.unwrap().into_inner().results;
    assert_eq!(results.len(), message.requests.len());
    for (result, request) in results.into_iter().zip(message.requests) {
        // Each is answered as a call of its own would be.
        let alone = client.validate_tagging(request).await;
        match (result.result.unwrap(), alone) {
            (v1::validate_tagging_result::Result::Response(one), Ok(alone)) => {
                assert_eq!(one, alone.into_inner());
            }
            (v1::validate_tagging_result::Result::Error(one), Err(alone)) => {
                assert_eq!(one.code, i32::from(alone.code()));
                assert_eq!(one.message, alone.message());
                assert!(!one.details.is_empty());
            }
            (one, alone) => panic!("{one:?}, {alone:?}"),
        }
    }
    let requests = vec![create(WEB, "", &[]); 1_000];
    let message = v1::BatchValidateTaggingRequest { requests };
    let answer = client.batch_validate_tagging(message.clone()).await;
    assert_eq!(answer.unwrap().into_inner().results.len(), 1_000);
    let mut requests = message.requests;
    requests.push(create(WEB, "", &[]));
    let message = v1::BatchValidateTaggingRequest { requests };
    let status = client.batch_validate_tagging(message).await.unwrap_err();
    assert_eq!(reason_of(&status).as_deref(), Some("TAGGING_BATCH_LIMIT"));
}

/// security 6.4
#[tokio::test]
async fn writes_under_a_statement_over_a_limit_are_intercepted() {
    let groups = |from: usize| {
        let names: Vec<String> = (from..from + 15)
            .map(|one| format!("\"rg-{one}\""))
            .collect();
        let names = names.join(", ");
        format!(r#"{{"tags": {{"env": {{"rg_scope": {{"@@append": [{names}]}}}}}}}}"#)
    };
    let (root, member) = (groups(0), groups(15));
    let bundle = bundle(
        &[("root", TagMode::Enforce, &root)],
        &[("member", TagMode::Enforce, &member)],
    );
    let (_running, mut client) = serve(&bundle).await;
    let mut request = create(WEB, "", &[("Env", "x")]);
    let group = |id: &str| Some(v1::ResourceGroup { id: id.to_owned() });
    let resource = request.resource.as_mut().unwrap();
    resource.resource_group = group("rg-3");
    let answer = client.validate_tagging(request.clone()).await.unwrap();
    let verdict = answer.into_inner().verdict.unwrap();
    assert!(verdict.intercepted);
    assert!(told(&verdict).contains(&(Code::OverLimit, Enforce, true)));
    request.tag_write = Some(write(&[("other", "x")]));
    let answer = client.validate_tagging(request).await.unwrap();
    assert!(!answer.into_inner().verdict.unwrap().intercepted);
    let asked = v1::GetEffectiveTagPolicyRequest {
        account: "7".to_owned(),
        ..v1::GetEffectiveTagPolicyRequest::default()
    };
    let answer = client.get_effective_tag_policy(asked).await.unwrap();
    let answer = answer.into_inner();
    let note = answer.notes.iter().find(|note| note.code == "OVER_LIMIT");
    let note = note.unwrap();
    assert_eq!((&*note.node, &*note.policy), ("7", "member"));
    assert_eq!(note.others, ["Root: root", "7: member"]);
}

/// semantics 49
#[tokio::test]
async fn a_sent_type_takes_no_resource_out_of_a_scope() {
    let policy = env(r#""a""#, r#""ecs:instance""#);
    let (_running, mut client) = serve(&bundle(&[("p", TagMode::Enforce, &policy)], &[])).await;
    let wrong = [("env", "b")];
    let mut check = async |arn: &str, kind: &str, expected: Result<bool, &str>| {
        let answer = client.validate_tagging(create(arn, kind, &wrong)).await;
        let found = match &answer {
            Ok(answer) => Ok(answer.get_ref().verdict.as_ref().unwrap().intercepted),
            Err(status) => Err(reason_of(status).unwrap()),
        };
        assert_eq!(found, expected.map_err(str::to_owned), "{arn} {kind}");
    };
    check(WEB, "", Ok(true)).await;
    check(WEB, "ECS:instance", Ok(true)).await;
    check(WEB, "ecs:disk", Err("RESOURCE_TYPE_MISMATCH")).await;
    let open = "acs:ecs:cn-hangzhou:7:*";
    check(open, "ecs:disk", Ok(false)).await;
    check(open, "oss:bucket", Err("RESOURCE_TYPE_MISMATCH")).await;
    check(open, "", Err("RESOURCE_TYPE_UNKNOWN")).await;
    check(open, "ecs:instance", Ok(true)).await;
}

#[tokio::test]
async fn an_effective_policy_tells_what_was_refused_and_by_which_lock() {
    let locked = r#"{"tags": {"env": {"tag_value": {"@@assign": ["a"],
        "@@operators_allowed_for_child_policies": ["@@append"]}}}}"#;
    let member = r#"{"tags": {"env": {"tag_value": {"@@assign": ["*"], "@@append": ["b"]}}}}"#;
    let (_running, mut client) = serve(&bundle(
        &[("locked", TagMode::Enforce, locked)],
        &[("member", TagMode::Enforce, member)],
    ))
    .await;
    let mut asked = v1::GetEffectiveTagPolicyRequest {
        account: "7".to_owned(),
        ..v1::GetEffectiveTagPolicyRequest::default()
    };
    let answer = client.get_effective_tag_policy(asked.clone()).await;
    let answer = answer.unwrap().into_inner();
    let expected = r#"{"tags":{"env":{"tag_key":"env","tag_value":["a","b"]}}}"#;
    assert_eq!(answer.policy_json, expected);
    assert_eq!(answer.path, ["Root", "7"]);
    assert_eq!(answer.dialect, "alibaba");
    let origins: Vec<(&str, &str, &str, &str)> = answer
        .origins
        .iter()
        .map(|one| (&*one.value, &*one.node, &*one.policy, &*one.operator))
        .collect();
    let expected = [
        ("a", "Root", "locked", "@@assign"),
        ("b", "7", "member", "@@append"),
    ];
    assert_eq!(origins, expected);
    let [note] = answer.notes.as_slice() else {
        panic!("{:?}", answer.notes);
    };
    assert_eq!((&*note.code, &*note.operator), ("LOCKED", "@@assign"));
    assert_eq!((&*note.node, &*note.others[0]), ("7", "Root: locked"));
    asked.principal = "acs:ram::7:user/alice".to_owned();
    let status = client.get_effective_tag_policy(asked.clone()).await;
    let reason = reason_of(&status.unwrap_err());
    assert_eq!(reason.as_deref(), Some("NOT_AUTHORIZED"));
    asked.principal.clear();
    asked.account = "8".to_owned();
    let status = client.get_effective_tag_policy(asked).await.unwrap_err();
    assert_eq!(reason_of(&status).as_deref(), Some("NODE_NOT_FOUND"));
}
