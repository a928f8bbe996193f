//! Predefined tags: made, listed, kept on disk, taken away; and who may.

use tagwarden::wire::status::reason_of;
use tonic::Code;

use super::*;

/// Alice may everything about tags, bob may list alone.
fn predefining() -> Vec<(String, String)> {
    let policy = |actions: &str| {
        format!(
            r#"{{"Version": "1", "Statement": [
                {{"Effect": "Allow", "Action": {actions}, "Resource": "*"}}]}}"#
        )
    };
    let files = [
        ("bundle.json", r#"{"format": 1}"#.to_owned()),
        (
            "accounts/1/account.json",
            r#"{"users": [{"name": "alice"}, {"name": "bob"}], "attachments": [
                {"policy": "custom:All", "to": "user:alice", "scope": "account"},
                {"policy": "custom:List", "to": "user:bob", "scope": "account"}]}"#
                .to_owned(),
        ),
        (
            "accounts/1/policies/All.json",
            policy(r#"["tag:*", "ecs:TagResources", "ecs:UntagResources"]"#),
        ),
        ("accounts/1/policies/List.json", policy(r#""tag:List*""#)),
    ];
    let owned = files.into_iter();
    owned.map(|(name, text)| (name.to_owned(), text)).collect()
}

fn tag(key: &str, values: &[&str]) -> v1::PredefinedTag {
    v1::PredefinedTag {
        key: key.to_owned(),
        values: owned(values),
    }
}

/// A text with its count, and whether it is predefined.
type Told = (String, u64, bool);

impl World {
    async fn predefining() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("bundle"), &predefining());
        Self::over(folder).await
    }

    async fn create(
        &mut self,
        principal: &str,
        tags: Vec<v1::PredefinedTag>,
    ) -> Result<v1::DirectoryOutcome, Status> {
        let asked = self.client.create_tags(v1::CreateTagsRequest {
            writer: Some(writer(principal)),
            tags,
        });
        Ok(within(asked).await?.into_inner().outcome.unwrap())
    }

    async fn delete(
        &mut self,
        principal: &str,
        tag: Option<v1::PredefinedTag>,
    ) -> Result<v1::DirectoryOutcome, Status> {
        let asked = self.client.delete_tag(v1::DeleteTagRequest {
            writer: Some(writer(principal)),
            tag,
        });
        Ok(within(asked).await?.into_inner().outcome.unwrap())
    }

    async fn keys(&mut self) -> Vec<Told> {
        let asked = self.client.list_tag_keys(v1::ListTagKeysRequest {
            principal: BOB.to_owned(),
            ..v1::ListTagKeysRequest::default()
        });
        told(within(asked).await.unwrap().into_inner().keys)
    }

    async fn values(&mut self, key: &str) -> Vec<Told> {
        let asked = self.client.list_tag_values(v1::ListTagValuesRequest {
            principal: BOB.to_owned(),
            key: key.to_owned(),
            ..v1::ListTagValuesRequest::default()
        });
        told(within(asked).await.unwrap().into_inner().values)
    }
}

fn told(counts: Vec<v1::TagCount>) -> Vec<Told> {
    let counts = counts.into_iter();
    counts
        .map(|one| (one.text, one.resources, one.predefined))
        .collect()
}

fn listed(texts: &[(&str, u64, bool)]) -> Vec<Told> {
    let texts = texts.iter();
    texts
        .map(|(text, count, predefined)| ((*text).to_owned(), *count, *predefined))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_predefined_stays_and_what_is_not_goes_with_its_last_resource() {
    let mut world = World::predefining().await;
    let made = world
        .create(
            ALICE,
            vec![tag("env", &["prod", "test"]), tag("owner", &[])],
        )
        .await
        .unwrap();
    assert!(made.change > 0);
    let line = world.process.said("the directory was changed").await;
    let named = ["rpc", "principal", "keys"].map(|name| line[name].clone());
    assert_eq!(named, ["CreateTags", ALICE, "env owner"], "{line}");
    world.put(&[(ONE, &[("env", "prod"), ("team", "a")])]).await;
    let both = [("env", 1, true), ("owner", 0, true), ("team", 1, false)];
    assert_eq!(world.keys().await, listed(&both));
    let values = [("prod", 1, true), ("test", 0, true)];
    assert_eq!(world.values("env").await, listed(&values));
    // The same again is no change; another value is added to those that are there.
    let again = world.create(ALICE, vec![tag("env", &["test"])]).await;
    assert_eq!(again.unwrap().change, 0);
    world
        .create(ALICE, vec![tag("env", &["dev"])])
        .await
        .unwrap();
    let mut world = world.again().await;
    let values = [("dev", 0, true), ("prod", 1, true), ("test", 0, true)];
    assert_eq!(world.values("env").await, listed(&values));
    world.untag(ALICE, &[ONE], &["env", "team"]).await.unwrap();
    let left = [("env", 0, true), ("owner", 0, true)];
    assert_eq!(world.keys().await, listed(&left));
    // A value goes, then the key with the rest; what is carried stays with its resource.
    world.put(&[(ONE, &[("env", "prod")])]).await;
    let value = Some(tag("env", &["prod", "none"]));
    world.delete(ALICE, value).await.unwrap();
    let values = [("dev", 0, true), ("prod", 1, false), ("test", 0, true)];
    assert_eq!(world.values("env").await, listed(&values));
    world.delete(ALICE, Some(tag("env", &[]))).await.unwrap();
    let gone = world.delete(ALICE, Some(tag("env", &[]))).await.unwrap();
    assert_eq!(gone.change, 0);
    let mut world = world.again().await;
    let left = [("env", 1, false), ("owner", 0, true)];
    assert_eq!(world.keys().await, listed(&left));
    assert_eq!(world.values("env").await, listed(&[("prod", 1, false)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn predefining_needs_its_own_permission() {
    let mut world = World::predefining().await;
    let check = |refused: Result<v1::DirectoryOutcome, Status>, action: &str| {
        let status = refused.unwrap_err();
        assert_eq!(status.code(), Code::PermissionDenied, "{status}");
        assert_eq!(reason_of(&status).as_deref(), Some("NoPermission.Tag"));
        let message = format!("`{action}` on `acs:tag:*:1:predefined` is not allowed");
        assert_eq!(status.message(), message);
    };
    check(
        world.create(BOB, vec![tag("env", &[])]).await,
        "tag:CreateTags",
    );
    check(
        world.delete(BOB, Some(tag("env", &[]))).await,
        "tag:DeleteTag",
    );
    assert_eq!(world.keys().await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_predefined_tags_are_told_by_the_published_codes() {
    let mut world = World::predefining().await;
    let keys = |from: usize, to: usize| -> Vec<v1::PredefinedTag> {
        (from..to).map(|n| tag(&format!("k{n}"), &[])).collect()
    };
    let cases = [
        (Vec::new(), "MissingParameter.Tags"),
        (keys(0, 11), "NumberExceed.Tags"),
        (vec![tag("a", &[]), tag("a", &["1"])], "Duplicate.TagKey"),
        (vec![tag("acs:a", &[])], "InvalidTagKey.Malformed"),
        (vec![tag("", &[])], "InvalidTagKey.Malformed"),
        (vec![tag("a", &["\u{7}"])], "InvalidTagValue.Malformed"),
    ];
    for (tags, reason) in cases {
        let refused = world.create(ALICE, tags).await.unwrap_err();
        assert_eq!(reason_of(&refused).as_deref(), Some(reason), "{refused}");
        assert_eq!(refused.code(), Code::InvalidArgument, "{reason}");
    }
    let absent = world.delete(ALICE, None).await.unwrap_err();
    assert_eq!(reason_of(&absent).as_deref(), Some("INVALID_REQUEST"));
    for from in (0..1_000).step_by(10) {
        world.create(ALICE, keys(from, from + 10)).await.unwrap();
    }
    let more = world.create(ALICE, keys(1_000, 1_001)).await.unwrap_err();
    assert_eq!(reason_of(&more).as_deref(), Some("QuotaExceed.Tags"));
    assert_eq!(more.code(), Code::FailedPrecondition);
    // Values of keys that are there have a limit of their own.
    let values: Vec<String> = (0..1_000).map(|n| format!("v{n}")).collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    world.create(ALICE, vec![tag("k1", &values)]).await.unwrap();
    let more = world.create(ALICE, vec![tag("k1", &["v1", "x"])]).await;
    let reason = reason_of(&more.unwrap_err());
    assert_eq!(reason.as_deref(), Some("QuotaExceed.Tags"));
    let mut world = world.again().await;
    let asked = world.client.list_tag_values(v1::ListTagValuesRequest {
        principal: BOB.to_owned(),
        key: "k1".to_owned(),
        page_size: 1_000,
        ..v1::ListTagValuesRequest::default()
    });
    let told = within(asked).await.unwrap().into_inner();
    assert_eq!((told.values.len(), &*told.next_page_token), (1_000, ""));
}
