//! Explanations (security 8): for who has the right, and as a principal the permission
//! `tagwarden:Explain`, for the principal and every resource of the question.

use super::*;

/// Account 1, in which alice starts instances and `sec` explains what `explains` says.
fn explained(explains: &str) -> Snapshot {
    let mut files = BundleFiles::default();
    files.insert("bundle.json", r#"{"format": 1}"#);
    for account in ["1", "2"] {
        let path = format!("accounts/{account}/account.json");
        files.insert(
            path,
            r#"{"users": [{"name": "alice"}], "roles": [{"name": "sec"}], "attachments": [
                {"policy": "system:AdministratorAccess", "to": "user:alice", "scope": "account"},
                {"policy": "custom:Explains", "to": "role:sec", "scope": "account"}]}"#,
        );
        let policy = format!(r#"{{"Version": "1", "Statement": [{explains}]}}"#);
        files.insert(format!("accounts/{account}/policies/Explains.json"), policy);
    }
    let (uid, _) = own();
    files.insert(
        "callers.json",
        format!(
            r#"{{"callers": [{{"name": "sec", "peers": [{{"uid": {uid}}}],
            "principal": "acs:ram::1:role/sec", "rpcs": ["Authorize", "BatchAuthorize"],
            "act_for": ["*", "acs:ram::1:role/*/*"],
            "supply": ["explain", "session", "resource_tags", "context:*"],
            "disclosure": 3}}]}}"#
        ),
    );
    let loaded =
        read_bundle(&files, Strictness::Strict).unwrap_or_else(|errors| panic!("{errors}"));
    let revision = Revision {
        source: SOURCE,
        number: 2,
        digest: 0,
    };
    Snapshot {
        revision,
        ..compile(&loaded.bundle).unwrap()
    }
}

const REFUSED: &str =
    "the caller `sec` may not send `explain`, for want of the permission `tagwarden:Explain`";

fn about(principal: &str, arns: &[&str]) -> v1::AuthorizeRequest {
    let resource = |arn: &&str| v1::Resource {
        arn: (*arn).to_owned(),
        ..v1::Resource::default()
    };
    v1::AuthorizeRequest {
        principal: principal.to_owned(),
        resources: arns.iter().map(resource).collect(),
        ..with_explain()
    }
}

fn allow(resources: &str) -> String {
    format!(r#"{{"Effect": "Allow", "Action": "tagwarden:Explain", "Resource": {resources}}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_needs_permission_for_the_principal_and_every_resource() {
    let mut world = World::new("{}");
    let mut client = world.unix().await;
    let (one, two) = (
        "acs:ecs:cn-hangzhou:1:instance/i-1",
        "acs:ecs:cn-hangzhou:1:instance/i-2",
    );
    let (everything, both) = (
        r#""*""#,
        format!(r#"["{ALICE}", "acs:ecs:*:1:instance/i-1"]"#),
    );
    let other_action = r#"{"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}"#;
    let denied = format!(
        r#"{}, {{"Effect": "Deny", "Action": "tagwarden:*", "Resource": "{ALICE}"}}"#,
        allow(everything)
    );
    let tagged = r#"{"Effect": "Allow", "Action": "tagwarden:Explain", "Resource": "*",
        "Condition": {"StringEquals": {"acs:ResourceTag/env": "test"}}}"#;
    let at_home = r#"{"Effect": "Allow", "Action": "tagwarden:Explain", "Resource": "*",
        "Condition": {"IpAddress": {"acs:SourceIp": "10.0.0.0/8"}}}"#;
    for (policy, request, expected) in [
        (allow(everything), about(ALICE, &[one, two]), "ALLOW"),
        (allow(&both), about(ALICE, &[one]), "ALLOW"),
        (allow(&both), about(ALICE, &[one, two]), REFUSED),
        (
            allow(&format!(r#""{ALICE}""#)),
            about(ALICE, &[one]),
            REFUSED,
        ),
        (allow(r#""acs:ecs:*:*:*""#), about(ALICE, &[one]), REFUSED),
        (other_action.to_owned(), about(ALICE, &[one]), REFUSED),
        (denied, about(ALICE, &[one]), REFUSED),
        // What is not known is no permission: nobody told the tags of alice.
        (tagged.to_owned(), about(ALICE, &[one]), REFUSED),
        // The call's context tells of alice, and not of who asks for the explanation.
        (
            at_home.to_owned(),
            v1::AuthorizeRequest {
                context: with_context("acs:SourceIp", "10.0.0.1").context,
                ..about(ALICE, &[one])
            },
            REFUSED,
        ),
        // Permissions of one account reach no other.
        (
            allow(everything),
            about(
                "acs:ram::2:user/alice",
                &["acs:ecs:cn-hangzhou:2:instance/i-1"],
            ),
            REFUSED,
        ),
        (
            allow(everything),
            about(ALICE, &["acs:ecs:cn-hangzhou:2:instance/i-1"]),
            REFUSED,
        ),
        // A session is explained as its role, a list by its pattern.
        (
            allow(everything),
            v1::AuthorizeRequest {
                explain: true,
                ..stating_no_policy("acs:ram::1:role/sec/s1")
            },
            "DENY",
        ),
        (
            allow(everything),
            v1::AuthorizeRequest {
                action: "ecs:DescribeInstances".to_owned(),
                ..about(ALICE, &["acs:ecs:cn-hangzhou:*:instance/*"])
            },
            "OWNER_UNKNOWN",
        ),
        (
            allow(everything),
            v1::AuthorizeRequest {
                action: "ecs:DescribeInstances".to_owned(),
                ..about(ALICE, &["acs:ecs:cn-hangzhou:1:instance/*"])
            },
            "ALLOW",
        ),
    ] {
        world.running.publisher.publish(explained(&policy));
        assert_eq!(
            told(&mut client, request.clone()).await,
            expected,
            "{policy} {request:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_explain_nothing_more_is_asked_and_items_are_held_to_the_same() {
    let mut world = World::new("{}");
    world
        .running
        .publisher
        .publish(explained(&allow(&format!(r#""{ALICE}""#))));
    let mut client = world.unix().await;
    let plain = within(client.authorize(asking()))
        .await
        .unwrap()
        .into_inner();
    assert!(plain.explanation.is_none() && !plain.statements.is_empty());
    let batch = v1::BatchAuthorizeRequest {
        requests: vec![with_explain(), asking()],
    };
    let answers = within(client.batch_authorize(batch)).await.unwrap();
    let answers: Vec<_> = answers.into_inner().results.into_iter().map(item).collect();
    assert_eq!(answers, [REFUSED, "ALLOW"]);
    world.running.publisher.publish(explained(&allow(r#""*""#)));
    let told = within(client.authorize(with_explain())).await.unwrap();
    assert!(told.into_inner().explanation.is_some());
}
