//! What is refused, in which order, and how it is told.

use tagwarden::wire::status::reason_of;
use tonic::Code;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn both_actions_are_needed_and_nobody_learns_what_there_is() {
    let mut world = World::new().await;
    world.put(&[(ONE, &[])]).await;
    // Bob may by the tag service, and not by the service's own action.
    for arn in [ONE, "acs:ecs:cn-hangzhou:1:instance/none"] {
        let outcome = world.tag(BOB, &[arn], &[("n", "1")]).await.unwrap();
        assert_eq!(outcome.failed[0].code, "NoPermission.Tag", "{arn}");
        assert_eq!(outcome.change, 0);
        let outcome = world.untag(BOB, &[arn], &[]).await.unwrap();
        assert_eq!(outcome.failed[0].code, "NoPermission.Tag", "{arn}");
    }
    assert!(!world.has(ONE, "n", "1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn tag_policies_intercept_with_the_published_message() {
    let mut world = World::new().await;
    world.put(&[(ONE, &[]), (TWO, &[])]).await;
    let tags = [("env", "Prod")];
    let outcome = world.tag(ALICE, &[ONE], &tags).await.unwrap();
    let [failed] = &*outcome.failed else {
        panic!("{outcome:?}")
    };
    assert_eq!(failed.code, "Forbidden.TagPolicy");
    let message = "The operation is failure, because the valid tag policy values of 'TagValue' \
                   are [\"prod\",\"test\"], but the value is \"Prod\".";
    assert_eq!(failed.message, message);
    let refused = world
        .tag_in(v1::TagCallForm::Ecs, ALICE, &[ONE], &tags)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert_eq!(reason_of(&refused).as_deref(), Some("Forbidden.TagPolicy"));
    assert_eq!(refused.message(), message);
    let outcome = world.tag(ALICE, &[ONE], &[("ENV", "prod")]).await.unwrap();
    let message = "The operation is failure, because the valid tag policy values of 'TagKey' \
                   are [\"env\"], but the value is \"ENV\".";
    assert_eq!(outcome.failed[0].message, message);
}

/// In the unified form a resource fails alone, in that of ECS the call does.
#[tokio::test(flavor = "multi_thread")]
async fn the_form_says_what_fails() {
    let mut world = World::new().await;
    world.put(&[(ONE, &[])]).await;
    let gone = "acs:ecs:cn-hangzhou:1:instance/none";
    let (arns, tags) = ([ONE, gone], [("n", "1")]);
    let refused = world
        .tag_in(v1::TagCallForm::Ecs, ALICE, &arns, &tags)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::NotFound);
    let reason = reason_of(&refused);
    assert_eq!(reason.as_deref(), Some("InvalidResourceId.NotFound"));
    assert!(!world.has(ONE, "n", "1").await, "nothing of it was done");
    let outcome = world.tag(ALICE, &arns, &tags).await.unwrap();
    assert_eq!(outcome.failed.len(), 1);
    assert!(world.has(ONE, "n", "1").await);
}

type Arns<'a> = &'a [&'a str];
type Tags<'a> = &'a [(&'a str, &'a str)];

#[tokio::test(flavor = "multi_thread")]
async fn shape_and_limits_are_told_by_the_published_codes() {
    let mut world = World::new().await;
    world.put(&[(ONE, &[])]).await;
    let many: Vec<String> = (0..51)
        .map(|n| format!("acs:ecs::1:instance/{n}"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let keys: Vec<String> = (0..21).map(|n| format!("k{n}")).collect();
    let tags: Vec<(&str, &str)> = keys.iter().map(|key| (&**key, "v")).collect();
    let (unified, ecs) = (v1::TagCallForm::Unified, v1::TagCallForm::Ecs);
    let one: &[(&str, &str)] = &[("n", "1")];
    let cases: [(_, Arns<'_>, Tags<'_>, &str); 8] = [
        (unified, &many, one, "NumberExceed.ResourceIds"),
        (unified, &[], one, "MissingParameter.ResourceIds"),
        (unified, &[ONE, ONE], one, "RESOURCE_DUPLICATE"),
        (unified, &[ONE], &tags[..11], "NumberExceed.Tags"),
        (ecs, &[ONE], &tags, "NumberExceed.Tags"),
        (unified, &[ONE], &[], "MissingParameter.Tags"),
        (
            unified,
            &[ONE],
            &[("n", "1"), ("n", "2")],
            "Duplicate.TagKey",
        ),
        (unified, &["acs:ecs"], one, "INVALID_REQUEST"),
    ];
    for (form, arns, tags, reason) in cases {
        let refused = world.tag_in(form, ALICE, arns, tags).await.unwrap_err();
        assert_eq!(reason_of(&refused).as_deref(), Some(reason), "{refused}");
        assert_eq!(refused.code(), Code::InvalidArgument, "{reason}");
    }
    for (tag, reason) in [
        (("", "1"), "InvalidTagKey.Malformed"),
        (("k ", "1"), "InvalidTagKey.Malformed"),
        (("k", "\u{7}"), "InvalidTagValue.Malformed"),
    ] {
        let refused = world.tag(ALICE, &[ONE], &[tag]).await.unwrap_err();
        assert_eq!(reason_of(&refused).as_deref(), Some(reason), "{refused}");
    }
    let outcome = world.tag(ALICE, &[ONE], &[("acs:x", "1")]).await.unwrap();
    assert_eq!(outcome.failed[0].code, "InvalidTagKey.Malformed");
    let half = &tags[..10];
    world.tag(ALICE, &[ONE], half).await.unwrap();
    let outcome = world.tag_in(ecs, ALICE, &[ONE], &tags).await.unwrap_err();
    let reason = reason_of(&outcome);
    assert_eq!(reason.as_deref(), Some("NumberExceed.Tags"));
    let more: Vec<(&str, &str)> = tags[10..20].to_vec();
    let outcome = world.tag(ALICE, &[ONE], &more).await.unwrap();
    assert_eq!(
        outcome.failed[0].code, "QuotaExceed.Tags",
        "two places are kept"
    );
}

/// The caller comes first, whatever else is wrong with the call.
#[tokio::test(flavor = "multi_thread")]
async fn a_caller_needs_the_right_and_the_principal() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("bundle");
    let own = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(folder.path()).unwrap());
    let mut files = bundle();
    files.push((
        "callers.json".to_owned(),
        format!(
            r#"{{"callers": [{{"name": "tagger", "peers": [{{"uid": {own}}}],
                "principal": "{ALICE}", "rpcs": ["TagResources"],
                "act_for": ["acs:ram::1:user/b*"]}}]}}"#
        ),
    ));
    write(&place, &files);
    let mut world = World::over(folder).await;
    let check = |refused: Status, part: &str| {
        assert_eq!(refused.code(), Code::PermissionDenied, "{refused}");
        assert_eq!(reason_of(&refused).as_deref(), Some("CALLER_NOT_ALLOWED"));
        assert!(refused.message().contains(part), "{refused}");
    };
    let asked = world
        .client
        .put_resources(v1::PutResourcesRequest::default());
    check(within(asked).await.unwrap_err(), "call `PutResources`");
    check(
        world.untag(ALICE, &[], &[]).await.unwrap_err(),
        "call `UntagResources`",
    );
    check(world.tag(OPS, &[], &[]).await.unwrap_err(), "`session`");
    let carol = "acs:ram::1:user/carol";
    check(
        world.tag(carol, &[ONE], &[("n", "1")]).await.unwrap_err(),
        "`principal`",
    );
    // Itself, and whom it acts for.
    for principal in ["", ALICE, BOB] {
        let outcome = world.tag(principal, &[ONE], &[("n", "1")]).await.unwrap();
        assert_eq!(outcome.change, 0);
    }
    let asked = world.client.tag_resources(v1::TagResourcesRequest {
        writer: Some(v1::TagWriter {
            context: vec![v1::ContextEntry {
                key: "acs:SourceIp".to_owned(),
                values: vec!["10.0.0.1".to_owned()],
            }],
            ..v1::TagWriter::default()
        }),
        ..v1::TagResourcesRequest::default()
    });
    check(within(asked).await.unwrap_err(), "context");
}
