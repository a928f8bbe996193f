//! Who may list at all, and what is refused before anything is looked at.

use tagwarden::model::arn::AccountId;
use tagwarden::model::tagging::PredefinedWrite;
use tagwarden::snapshot::caller::CallerTable;
use tagwarden::wire::status::reason_of;
use tonic::Code;

use super::*;

#[tokio::test]
async fn nobody_lists_without_being_known() {
    let mut listed = Listed::start();
    listed.publish(&bundle());
    let mut snapshot = compile(&bundle()).unwrap();
    snapshot.callers = CallerTable::default();
    snapshot.revision.number = 9;
    listed.running.publisher.publish(snapshot);
    let mut client = listed.client().await;
    let tags = v1::ListTagResourcesRequest {
        principal: user("all"),
        arns: vec!["acs:ecs:cn-a:1:disk/d-1".to_owned()],
    };
    let search = v1::ListResourcesByTagsRequest {
        principal: user("all"),
        page_size: 1,
        ..v1::ListResourcesByTagsRequest::default()
    };
    let key_search = v1::ListTagKeysRequest {
        principal: user("all"),
        ..v1::ListTagKeysRequest::default()
    };
    let value_search = v1::ListTagValuesRequest {
        principal: user("all"),
        key: "env".to_owned(),
        ..v1::ListTagValuesRequest::default()
    };
    let refusals = [
        client.list_tag_resources(tags).await.unwrap_err(),
        client.list_resources_by_tags(search).await.unwrap_err(),
        client.list_tag_keys(key_search).await.unwrap_err(),
        client.list_tag_values(value_search).await.unwrap_err(),
    ];
    for status in refusals {
        assert_eq!(status.code(), Code::PermissionDenied);
        assert_eq!(reason_of(&status).unwrap(), "CALLER_NOT_ALLOWED");
    }
}

#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a row for each rule")]
async fn what_breaks_a_rule_is_refused_with_its_field() {
    let mut listed = Listed::start();
    listed.publish(&bundle());
    let mut client = listed.client().await;
    let base = v1::ListResourcesByTagsRequest {
        principal: user("all"),
        page_size: 5,
        ..v1::ListResourcesByTagsRequest::default()
    };
    let scope = |scope: v1::ResourceScope| v1::ListResourcesByTagsRequest {
        scope: Some(scope),
        ..base.clone()
    };
    let filters = |filters: Vec<v1::TagFilter>| v1::ListResourcesByTagsRequest {
        filters,
        ..base.clone()
    };
    let mut no_kind = has("env", &["prod"]);
    no_kind.values[0].kind = 0;
    let mut no_key = has("env", &["prod"]);
    no_key.key = None;
    let many = |count: usize| vec!["x".to_owned(); count];
    let cases = [
        (
            "page_size",
            v1::ListResourcesByTagsRequest {
                page_size: 1_001,
                ..base.clone()
            },
        ),
        (
            "principal",
            v1::ListResourcesByTagsRequest {
                principal: String::new(),
                ..base.clone()
            },
        ),
        (
            "principal",
            v1::ListResourcesByTagsRequest {
                principal: "x".to_owned(),
                ..base.clone()
            },
        ),
        (
            "scope.account",
            scope(v1::ResourceScope {
                account: "x".to_owned(),
                ..Default::default()
            }),
        ),
        (
            "scope.account",
            v1::ListResourcesByTagsRequest {
                principal: "ecs.aliyuncs.com".to_owned(),
                ..base.clone()
            },
        ),
        (
            "scope.regions",
            scope(v1::ResourceScope {
                regions: many(51),
                ..Default::default()
            }),
        ),
        (
            "scope.types",
            scope(v1::ResourceScope {
                types: many(51),
                ..Default::default()
            }),
        ),
        (
            "scope.resource_groups",
            scope(v1::ResourceScope {
                resource_groups: many(51),
                ..Default::default()
            }),
        ),
        (
            "scope.resource_groups",
            scope(v1::ResourceScope {
                resource_groups: vec!["a b".to_owned()],
                ..Default::default()
            }),
        ),
        ("filters", filters(vec![has("env", &[]); 21])),
        ("filters[0].values", filters(vec![has("env", &["x"; 21])])),
        (
            "filters[1].values.kind",
            filters(vec![has("env", &[]), no_kind]),
        ),
        ("filters[0].key", filters(vec![no_key])),
        (
            "filters[0].key.text",
            filters(vec![has(&"x".repeat(257), &[])]),
        ),
    ];
    for (field, ask) in cases {
        let status = client.list_resources_by_tags(ask).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{field}");
        assert_eq!(reason_of(&status).unwrap(), "INVALID_REQUEST");
        assert!(
            status.message().starts_with(&format!("{field}: ")),
            "{field}: {}",
            status.message()
        );
    }
}

#[tokio::test]
async fn resources_that_cannot_be_listed_are_refused_by_their_reason() {
    let mut listed = Listed::start();
    listed.publish(&bundle());
    let mut client = listed.client().await;
    let mut arns = vec!["acs:ecs:cn-a:1:disk/d-1".to_owned()];
    for (reason, asked) in [
        ("NO_RESOURCE", Vec::new()),
        ("RESOURCE_DUPLICATE", [arns.clone(), arns.clone()].concat()),
        (
            "RESOURCE_ID_REQUIRED",
            vec!["acs:ecs:cn-a:1:disk/*".to_owned()],
        ),
        ("RESOURCE_ID_REQUIRED", vec!["*".to_owned()]),
        ("INVALID_REQUEST", vec!["x".to_owned()]),
        ("RESOURCE_LIMIT", {
            arns.extend((0..50).map(|number| format!("acs:ecs:cn-a:1:disk/{number}")));
            arns
        }),
    ] {
        let ask = v1::ListTagResourcesRequest {
            principal: user("all"),
            arns: asked,
        };
        let status = client.list_tag_resources(ask).await.unwrap_err();
        assert_eq!(reason_of(&status).unwrap(), reason);
    }
    let no_key = v1::ListTagValuesRequest {
        principal: user("all"),
        ..v1::ListTagValuesRequest::default()
    };
    let status = client.list_tag_values(no_key).await.unwrap_err();
    assert!(
        status.message().starts_with("key: "),
        "{}",
        status.message()
    );
}

#[tokio::test]
async fn predefined_tags_stay_and_are_told_to_whoever_may_list_them() {
    let mut listed = Listed::start();
    listed.publish(&bundle());
    let account = AccountId::try_from("1").unwrap();
    let tags: [(&str, &[&str]); 2] = [("env", &["prod", "stage"]), ("zone", &[])];
    for (key, values) in tags {
        let values = values.iter().map(|value| Arc::from(*value));
        listed.directory.predefine(&[PredefinedWrite {
            account: account.clone(),
            key: Arc::from(key),
            values: Some(values.collect()),
        }]);
    }
    let mut client = listed.client().await;
    // A reload takes nothing away that is predefined, and all that nothing carries any more.
    listed.directory.replace([]);
    for page_size in [1, 10] {
        let asked = |who: &str| v1::ListTagKeysRequest {
            principal: user(who),
            page_size,
            ..v1::ListTagKeysRequest::default()
        };
        let told = keys(&mut client, asked("all")).await.unwrap().told;
        assert_eq!(
            counts(&told),
            BTreeMap::from([("env".to_owned(), 0), ("zone".to_owned(), 0)])
        );
        assert!(told.iter().all(|one| one.predefined));
        assert!(
            keys(&mut client, asked("team-a"))
                .await
                .unwrap()
                .told
                .is_empty()
        );
    }
    listed.directory.replace(bundle().resources);
    for page_size in [1, 2, 10] {
        let asked = v1::ListTagValuesRequest {
            principal: user("all"),
            key: "env".to_owned(),
            page_size,
            ..v1::ListTagValuesRequest::default()
        };
        let told = values(&mut client, asked).await.unwrap().told;
        let told: Vec<_> = told
            .iter()
            .map(|one| (&*one.text, one.resources, one.predefined))
            .collect();
        let expected = [
            ("prod", 5, true),
            ("prod-eu", 1, false),
            ("stage", 0, true),
            ("test", 1, false),
        ];
        assert_eq!(told, expected);
    }
}
