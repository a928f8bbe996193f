//! Decisions of the engine, as clients see them: effect, reason, obligations, and how much is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use tagwarden::compiler::compile;
use tagwarden::directory::Directory;
use tagwarden::document::{PolicyOptions, read_policy};
use tagwarden::model::account::{Account, Attachment, Grantee, Name, PolicyRef, Scope, User};
use tagwarden::model::bundle::Bundle;
use tagwarden::model::caller::Disclosure;
use tagwarden::model::catalog::Catalog;
use tagwarden::model::resource::Resource;
use tagwarden::model::settings::Settings;
use tagwarden::model::statement::DocumentLayer;
use tagwarden::model::tag::{TagRef, TagSet};
use tagwarden::service::{Config, Listen};
use tagwarden::snapshot::{Revision, Snapshot};
use tagwarden::wire::v1;
use tagwarden::wire::v1::authorization_service_client::AuthorizationServiceClient;
use tonic_types::StatusExt as _;

use crate::support::server::{Running, SOURCE, config, start_with, trusting, within};

const ALICE: &str = "acs:ram::1:user/alice";

/// Alice may do everything with instances tagged `env=test`, and nothing with locked ones.
const POLICY: &str = r#"{"Version": "1", "Statement": [
    {"Sid": "test", "Effect": "Allow", "Action": "ecs:*", "Resource": "*",
     "Condition": {"StringEquals": {"acs:ResourceTag/env": "test"}}},
    {"Effect": "Deny", "Action": "ecs:*", "Resource": "*",
     "Condition": {"StringEquals": {"acs:ResourceTag/locked": "true"}}}
]}"#;

fn snapshot(disclosure: Disclosure) -> Snapshot {
    let options = PolicyOptions {
        layer: DocumentLayer::Identity,
        settings: &Settings::default(),
        catalog: &Catalog::default(),
    };
    let policy = read_policy(POLICY, &options).unwrap().value;
    let name = Name::try_from("instances").unwrap();
    let account = Account {
        id: "1".try_into().unwrap(),
        users: vec![User {
            name: "alice".to_owned(),
            uid: None,
        }],
        groups: Vec::new(),
        roles: Vec::new(),
        policies: BTreeMap::from([(name.clone(), policy)]),
        attachments: vec![Attachment {
            policy: PolicyRef::Custom(name),
            to: Grantee::User("alice".to_owned()),
            scope: Scope::Account,
        }],
    };
    let bundle = Bundle {
        accounts: vec![account],
        ..Bundle::default()
    };
    let revision = Revision {
        source: SOURCE,
        number: 7,
        digest: 0xd1,
    };
    Snapshot {
        revision,
        callers: trusting(disclosure),
        ..compile(&bundle).unwrap()
    }
}

fn start(disclosure: Disclosure) -> Running {
    start_at("127.0.0.1:0".parse().unwrap(), disclosure)
}

fn start_at(listen: Listen, disclosure: Disclosure) -> Running {
    let directory = Arc::new(Directory::default());
    let tags = vec![
        TagRef {
            key: "env",
            value: "prod",
        }
        .into(),
    ];
    directory.replace([Resource {
        arn: "acs:ecs:cn-hangzhou:1:instance/known".try_into().unwrap(),
        account: None,
        kind: None,
        group: None,
        tags: TagSet::new(tags).unwrap(),
    }]);
    let config = Config {
        listen: vec![listen],
        ..config()
    };
    let mut running = start_with(config, directory);
    running.publisher.publish(snapshot(disclosure));
    running
}

fn tags(pairs: &[(&str, &str)]) -> v1::TagSet {
    let tag = |(key, value): &(&str, &str)| v1::Tag {
        key: (*key).to_owned(),
        value: (*value).to_owned(),
    };
    v1::TagSet {
        tags: pairs.iter().map(tag).collect(),
    }
}

fn instance(id: &str, sent: &[(&str, &str)]) -> v1::Resource {
    v1::Resource {
        arn: format!("acs:ecs:cn-hangzhou:1:instance/{id}"),
        resource_group: Some(v1::ResourceGroup::default()),
        tags: Some(tags(sent)),
        ..v1::Resource::default()
    }
}

fn asking(action: &str, resource: v1::Resource) -> v1::AuthorizeRequest {
    v1::AuthorizeRequest {
        principal: ALICE.to_owned(),
        action: action.to_owned(),
        resources: vec![resource],
        ..v1::AuthorizeRequest::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn effects_and_reasons_are_told() {
    let running = start(Disclosure::Reason);
    let mut client = running.client().await;
    let mut ask = async |request| {
        within(client.authorize(request))
            .await
            .unwrap()
            .into_inner()
    };
    let test = [("env", "test")];

    let allowed = ask(asking("ecs:StopInstance", instance("a", &test))).await;
    assert_eq!(
        (allowed.effect(), allowed.reason()),
        (v1::Effect::Allow, v1::Reason::Unspecified)
    );
    assert_eq!(allowed.layer(), v1::Layer::Identity);
    assert_eq!(allowed.revision.unwrap().number, 7);
    assert!(allowed.statements.is_empty() && allowed.verdicts.is_empty());

    let locked = [("env", "test"), ("locked", "true")];
    let denied = ask(asking("ecs:StopInstance", instance("a", &locked))).await;
    assert_eq!(
        (denied.effect(), denied.reason()),
        (v1::Effect::Deny, v1::Reason::ExplicitDeny)
    );
    assert_eq!(denied.on_deny(), v1::OnDeny::Error);
    assert_ne!(allowed.decision_id, denied.decision_id);

    let hidden = ask(asking("ecs:DescribeInstances", instance("a", &[]))).await;
    assert_eq!(
        (hidden.effect(), hidden.on_deny()),
        (v1::Effect::Deny, v1::OnDeny::EmptyResult)
    );

    // What the directory knows stands before what is sent.
    let known = ask(asking("ecs:StopInstance", instance("known", &test))).await;
    assert_eq!(
        (known.effect(), known.reason()),
        (v1::Effect::Deny, v1::Reason::ImplicitDeny)
    );

    let other = v1::AuthorizeRequest {
        principal: "acs:ram::1:user/bob".to_owned(),
        ..asking("ecs:StopInstance", instance("a", &test))
    };
    assert_eq!(ask(other).await.reason(), v1::Reason::PrincipalUnknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_resource_is_a_precondition_with_its_field() {
    let running = start(Disclosure::Reason);
    let unknown = v1::Resource {
        tags: None,
        ..instance("a", &[])
    };
    let asked = asking("ecs:StopInstance", unknown);
    let refused = within(running.client().await.authorize(asked))
        .await
        .unwrap_err();
    let details = refused.get_error_details();
    assert_eq!(details.error_info().unwrap().reason, "RESOURCE_UNKNOWN");
    assert_eq!(
        details.precondition_failure().unwrap().violations[0].subject,
        "resources"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_see_more_is_told_statements_and_steps() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("s");
    let listen = format!("unix:{}", socket.display()).parse().unwrap();
    let running = start_at(listen, Disclosure::Statements);
    let asked = asking("ecs:StopInstance", instance("a", &[("env", "test")]));
    let asked = v1::AuthorizeRequest {
        explain: true,
        ..asked
    };
    let mut owner = AuthorizationServiceClient::new(running.channel_to(socket).await);
    let told = within(owner.authorize(asked)).await.unwrap().into_inner();
    let expected = v1::StatementRef {
        policy: "custom:instances".to_owned(),
        sid: "test".to_owned(),
        index: 0,
    };
    assert_eq!(told.statements, std::slice::from_ref(&expected));
    assert_eq!(told.verdicts[0].statement, Some(expected));
    assert!(told.missing_keys.is_empty());
    let step = &told.explanation.unwrap().steps[0];
    assert_eq!(step.subject, "acs:ecs:cn-hangzhou:1:instance/a");
    assert!(!step.steps.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_answers_all_from_one_snapshot() {
    let running = start(Disclosure::Reason);
    let ask = |place: usize| {
        let env = if place.is_multiple_of(2) {
            "test"
        } else {
            "prod"
        };
        asking("ecs:StopInstance", instance("a", &[("env", env)]))
    };
    let requests = (0..300).map(ask).collect();
    let batch = v1::BatchAuthorizeRequest { requests };
    let told = within(running.client().await.batch_authorize(batch))
        .await
        .unwrap()
        .into_inner();
    for (place, one) in told.results.into_iter().enumerate() {
        let Some(v1::authorize_result::Result::Response(answer)) = one.result else {
            panic!("no answer at {place}")
        };
        let allowed = answer.effect() == v1::Effect::Allow;
        assert_eq!(allowed, place.is_multiple_of(2), "{place}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn candidates_are_dropped_by_tag_by_decision_and_when_unknown() {
    let running = start(Disclosure::Reason);
    let team = [("env", "test"), ("team", "a")];
    let unknown = v1::Resource {
        tags: None,
        ..instance("unknown", &[])
    };
    let asked = v1::FilterResourcesRequest {
        principal: ALICE.to_owned(),
        action: "ecs:DescribeInstances".to_owned(),
        candidates: vec![
            instance("seen", &team),
            instance("other-team", &[("env", "test")]),
            instance("other-env", &[("env", "prod"), ("team", "a")]),
            unknown,
            instance("seen-too", &team),
        ],
        filter_tags: Some(tags(&[("team", "a")])),
        ..v1::FilterResourcesRequest::default()
    };
    let told = within(running.client().await.filter_resources(asked))
        .await
        .unwrap()
        .into_inner();
    let ids: Vec<_> = told
        .arns
        .iter()
        .map(|arn| arn.rsplit('/').next().unwrap())
        .collect();
    assert_eq!(ids, ["seen", "seen-too"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_policy_is_read_and_refused_where_it_cannot_be() {
    let running = start(Disclosure::Reason);
    let mut client = running.client().await;
    let mut ask = async |principal: &str, document: &str| {
        let policy = v1::session::Policy::PolicyDocument(document.to_owned());
        let request = v1::AuthorizeRequest {
            principal: principal.to_owned(),
            session: Some(v1::Session {
                policy: Some(policy),
            }),
            ..asking("ecs:StopInstance", instance("a", &[("env", "test")]))
        };
        match within(client.authorize(request)).await {
            Ok(answer) => answer.into_inner().reason().as_str_name().to_owned(),
            Err(refused) => refused
                .get_error_details()
                .error_info()
                .unwrap()
                .reason
                .clone(),
        }
    };
    let session = "acs:ram::1:role/ops/s1";
    assert_eq!(ask(ALICE, POLICY).await, "SESSION_NOT_APPLICABLE");
    assert_eq!(ask(session, "{}").await, "INVALID_DOCUMENT");
    for _ in 0..2 {
        assert_eq!(ask(session, POLICY).await, "REASON_PRINCIPAL_UNKNOWN");
    }
}
