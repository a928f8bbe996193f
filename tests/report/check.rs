//! `CheckCompliance`: what each principal is told, by which filters, and who may ask at all.

use std::path::PathBuf;

use hyper_util::rt::TokioIo;
use tagwarden::model::verdict::limits::REPORTS as PLACES;
use tagwarden::wire::status::reason_of;
use tokio::net::UnixStream;
use tonic::Code;
use tonic::transport::Endpoint;
use tower::service_fn;

use super::*;

/// More resources than a connection takes that is not read.
const MANY: usize = 4_000;

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_comply_is_told_with_totals() {
    let mut world = World::new().await;
    let checked = world.check(asked(ALICE)).await.unwrap();
    let (value, case) = (instance("value"), instance("case"));
    let (bare, group) = (instance("bare"), instance("group"));
    let expected = BTreeMap::from([
        (
            "acs:ecs:cn-hangzhou:1:disk/d-1",
            vec![("VALUE", "env", "stage")],
        ),
        (&*value, vec![("VALUE", "env", "Prod")]),
        (&*case, vec![("KEY_CASE", "ENV", "prod")]),
        (
            &*bare,
            vec![("MISSING", "CostCenter", ""), ("MISSING", "env", "")],
        ),
        (&*group, vec![("RG_TAG_NOT_INHERITED", "owner", "x")]),
    ]);
    assert_eq!(checked.told(), expected);
    // The bucket and the group itself are bound by nothing.
    assert_eq!(checked.sums(), [8, 6, 1, 5]);
    assert_eq!(checked.row("env", "ecs:instance"), Some([2, 1, 1, 1, 0]));
    assert_eq!(checked.row("env", "ecs:disk"), Some([0, 0, 0, 1, 0]));
    let of_instances = checked.row("CostCenter", "ecs:instance");
    assert_eq!(of_instances, Some([4, 1, 0, 0, 0]));
    assert_eq!(checked.row("owner", "ecs:instance"), Some([0, 0, 0, 0, 1]));
    let counts = checked.totals().violations.iter();
    let counts = counts.map(|one| (one.code().as_str_name(), one.count));
    let counts: BTreeMap<_, _> = counts.collect();
    let expected = BTreeMap::from([
        ("TAG_VIOLATION_CODE_MISSING", 2),
        ("TAG_VIOLATION_CODE_KEY_CASE", 1),
        ("TAG_VIOLATION_CODE_VALUE", 2),
        ("TAG_VIOLATION_CODE_RG_TAG_NOT_INHERITED", 1),
    ]);
    assert_eq!(counts, expected);
}

/// The verdict is the one of `ValidateTagging`.
#[tokio::test(flavor = "multi_thread")]
async fn the_verdict_is_that_of_detecting() {
    let mut world = World::new().await;
    let checked = world.check(asked(ALICE)).await.unwrap();
    let told = checked.told();
    let mut client = world.process.tagging().await;
    for name in ["good", "value", "case", "bare", "group"] {
        let arn = instance(name);
        let tags = (name == "group").then(|| v1::TagSet {
            tags: vec![v1::Tag {
                key: "owner".to_owned(),
                value: "ops".to_owned(),
            }],
        });
        let asked = v1::ValidateTaggingRequest {
            principal: ALICE.to_owned(),
            resource: Some(v1::Resource {
                arn: arn.clone(),
                ..v1::Resource::default()
            }),
            operation: v1::TaggingOperation::Detect.into(),
            group_tags: tags.map(|tags| v1::GroupTags {
                tags: Some(tags),
                excluded: false,
            }),
            ..v1::ValidateTaggingRequest::default()
        };
        let verdict = within(client.validate_tagging(asked)).await.unwrap();
        let verdict = verdict.into_inner().verdict.unwrap();
        let found = verdict.violations.iter().map(|one| {
            let code = one.code().as_str_name();
            (code.strip_prefix("TAG_VIOLATION_CODE_").unwrap(), &*one.key)
        });
        let found: Vec<_> = found.collect();
        let own = told.get(&*arn).into_iter().flatten();
        let own: Vec<_> = own.map(|(code, key, _)| (*code, *key)).collect();
        assert_eq!(own, found, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_principal_does_not_see_is_neither_told_nor_counted() {
    let mut world = World::new().await;
    let checked = world.check(asked(BOB)).await.unwrap();
    assert_eq!(checked.sums(), [3, 3, 1, 2]);
    let value = instance("value");
    let told: Vec<&str> = checked.told().into_keys().collect();
    assert_eq!(told, ["acs:ecs:cn-hangzhou:1:disk/d-1", &*value]);
    assert_eq!(checked.row("owner", "ecs:instance"), None);
    // Nobody of account 1 sees anything of account 2.
    let elsewhere = v1::CheckComplianceRequest {
        scope: Some(of_account("2")),
        ..asked(ALICE)
    };
    assert_eq!(world.check(elsewhere).await.unwrap().sums(), [0; 4]);
    // The server's own user sees all accounts, or the one that it names.
    let all = world.check(asked("")).await.unwrap();
    assert_eq!(all.sums(), [9, 6, 1, 5]);
    let one = v1::CheckComplianceRequest {
        scope: Some(of_account("2")),
        ..asked("")
    };
    assert_eq!(world.check(one).await.unwrap().sums(), [1, 0, 0, 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn scope_and_keys_narrow_what_is_judged() {
    let mut world = World::new().await;
    let scope = |types: &[&str], groups: &[&str], regions: &[&str]| {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Some(v1::ResourceScope {
            account: String::new(),
            regions: owned(regions),
            types: owned(types),
            resource_groups: owned(groups),
        })
    };
    for (scope, expected) in [
        (scope(&["ecs:disk"], &[], &[]), [1, 1, 0, 1]),
        (scope(&["ECS:Instance"], &[], &[]), [5, 5, 1, 4]),
        (scope(&[], &["rg-1"], &[]), [1, 1, 0, 1]),
        (scope(&[], &[], &["cn-beijing"]), [0, 0, 0, 0]),
        (scope(&[], &[], &["cn-hangzhou"]), [7, 6, 1, 5]),
    ] {
        let asked = v1::CheckComplianceRequest {
            scope: scope.clone(),
            ..asked(ALICE)
        };
        let found = world.check(asked).await.unwrap().sums();
        assert_eq!(found, expected, "{scope:?}");
    }
    let asked = v1::CheckComplianceRequest {
        keys: vec!["COSTCENTER".to_owned()],
        ..asked(ALICE)
    };
    let checked = world.check(asked.clone()).await.unwrap();
    assert_eq!(checked.sums(), [8, 5, 4, 1]);
    let bare = instance("bare");
    let expected = BTreeMap::from([(&*bare, vec![("MISSING", "CostCenter", "")])]);
    assert_eq!(checked.told(), expected);
    let asked = v1::CheckComplianceRequest {
        totals_only: true,
        ..asked
    };
    let totals = world.check(asked).await.unwrap();
    assert_eq!((totals.sums(), totals.resources.len()), ([8, 5, 4, 1], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_needs_the_right() {
    let folder = tempfile::tempdir().unwrap();
    let own = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(folder.path()).unwrap());
    let with = |rpcs: &str| {
        let mut files = bundle();
        let callers = format!(
            r#"{{"callers": [{{"name": "reporter", "peers": [{{"uid": {own}}}],
                "principal": "{BOB}", "rpcs": [{rpcs}]}}]}}"#
        );
        files.push(("callers.json".to_owned(), callers));
        files
    };
    let mut world = World::with(with(r#""CheckCompliance""#)).await;
    // Itself, and nobody else.
    assert_eq!(world.check(asked("")).await.unwrap().sums(), [3, 3, 1, 2]);
    let refused = world.check(asked(ALICE)).await.unwrap_err();
    assert_eq!(reason_of(&refused).as_deref(), Some("CALLER_NOT_ALLOWED"));
    let mut world = World::with(with(r#""ListTagResources""#)).await;
    let refused = world.check(asked("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert!(refused.message().contains("`CheckCompliance`"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_malformed_is_refused() {
    let mut world = World::new().await;
    let keys = |count: usize| (0..count).map(|n| format!("k{n}")).collect();
    for keys in [keys(51), vec![String::new()]] {
        let asked = v1::CheckComplianceRequest {
            keys,
            ..asked(ALICE)
        };
        let refused = world.check(asked).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        assert_eq!(reason_of(&refused).as_deref(), Some("INVALID_REQUEST"));
    }
}

/// A check goes on as fast as it is read, and only so many run at once.
#[tokio::test(flavor = "multi_thread")]
async fn checks_that_are_not_read_wait_and_hold_their_places() {
    let mut files = bundle();
    let value = "x".repeat(200);
    let lines = (0..MANY).map(|n| {
        let arn = instance(&format!("many-{n}"));
        format!(r#"{{"arn": "{arn}", "tags": {{"env": "{value}", "CostCenter": "1"}}}}"#)
    });
    let lines: Vec<String> = lines.collect();
    let (_, resources) = files.last_mut().unwrap();
    *resources = lines.join("\n");
    let mut world = World::with(files).await;
    let mut slow = DirectoryServiceClient::new(narrow(world.process.manage_path()).await);
    let mut held = Vec::new();
    for _ in 0..PLACES {
        let stream = within(slow.check_compliance(asked(ALICE))).await.unwrap();
        let mut stream = stream.into_inner();
        let first = within(stream.message()).await.unwrap().unwrap();
        assert!(first.totals.is_none(), "there is more");
        held.push(stream);
    }
    let refused = world.check(asked(ALICE)).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(reason_of(&refused).as_deref(), Some("REPORT_LIMIT"));
    // One that is read to its end gives its place back.
    let mut one = held.pop().unwrap();
    let mut last = None;
    while let Some(message) = within(one.message()).await.unwrap() {
        last = message.totals;
    }
    assert_eq!(last.unwrap().noncompliant, u64::try_from(MANY).unwrap());
    drop(one);
    let checked = world.check(asked(ALICE)).await.unwrap();
    assert_eq!(checked.told().len(), MANY);
    assert!(checked.messages > MANY / 200, "{}", checked.messages);
}

/// A connection on which little is sent before it is read.
async fn narrow(path: PathBuf) -> Channel {
    let endpoint = Endpoint::from_static("http://localhost").initial_stream_window_size(16_384);
    let connector = service_fn(move |_| {
        let path = path.clone();
        async move { UnixStream::connect(path).await.map(TokioIo::new) }
    });
    within(endpoint.connect_with_connector(connector))
        .await
        .unwrap()
}
