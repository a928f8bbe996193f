//! What a server finds when it starts: its store, or a reason why it does not serve.

use std::fs;

use tagwarden::document::object::Document;
use tagwarden::model::object::ObjectId;
use tagwarden::source::embedded::{Author, Cause, Entry, FILE, Keep, Store};
use tonic_health::pb::health_check_response::ServingStatus;

use super::*;
use crate::support::process::{files, may, unlock, write};

#[tokio::test(flavor = "multi_thread")]
async fn the_state_and_its_revision_outlive_the_server() {
    let (mut world, _) = World::with_alice().await;
    let resource = r#"{"arn": "acs:ecs:cn-hangzhou:1:instance/i-9", "tags": {}}"#;
    world
        .apply(vec![
            put("resources", resource),
            put("accounts/1/roles/ops", "{}"),
            put(
                "policies/system/ReadOnlyAccess",
                &policy("Allow", "ecs:*", "*"),
            ),
            put("policies/system/Own", &policy("Allow", "ecs:*", "*")),
        ])
        .await;
    let deny = policy("Deny", "ecs:*", "*");
    let second = world
        .apply(vec![put("accounts/1/policies/P", &deny)])
        .await
        .revision
        .unwrap();
    let counts = |info: v1::GetSnapshotInfoResponse| {
        let found = info.snapshot.unwrap();
        [
            found.accounts,
            found.principals,
            found.policies,
            found.resources,
        ]
    };
    let World {
        mut process,
        folder,
        ..
    } = world;
    let counted = counts(process.info().await);
    process.signal("TERM");
    assert!(process.ended().await.success());

    let mut process = serve(&data(&folder), &[]).await;
    process.said("in force").await;
    assert_eq!(
        process.info().await.snapshot.unwrap().revision,
        Some(second.clone())
    );
    assert_eq!(counts(process.info().await), counted);
    let mut client = process.client().await;
    assert!(!may(&mut client, "1", "1").await.unwrap());
    let manage = process.manage().await;
    let mut world = World {
        process,
        manage,
        folder,
    };
    let rolled = world
        .rollback(1, v1::ChangeOptions::default())
        .await
        .unwrap();
    let third = rolled.revision.unwrap();
    assert_eq!((third.number, &third.source), (4, &second.source));
    // A revision of before the restart is one of this store.
    let asked = client.authorize(v1::AuthorizeRequest {
        principal: "acs:ram::1:user/alice".to_owned(),
        action: "ecs:StartInstance".to_owned(),
        resources: vec![v1::Resource {
            arn: "acs:ecs:cn-hangzhou:1:instance/i-1".to_owned(),
            ..v1::Resource::default()
        }],
        min_revision: Some(token(&second)),
        ..v1::AuthorizeRequest::default()
    });
    assert_eq!(
        within(asked).await.unwrap().into_inner().revision,
        Some(third)
    );
    assert_eq!(world.history().await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_begins_an_empty_store_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    write(&bundle, &files(&[("1", "Allow")]));
    let arguments = ["--bundle", bundle.to_str().unwrap()];
    let mut process = serve(&data(&folder), &arguments).await;
    process.said("in force").await;
    let first = process.info().await.snapshot.unwrap().revision;
    assert_eq!(first.as_ref().unwrap().number, 1);
    process.signal("TERM");
    assert!(process.ended().await.success());
    write(&bundle, &files(&[("1", "Deny")]));
    let mut process = serve(&data(&folder), &arguments).await;
    process.said("in force").await;
    assert_eq!(process.info().await.snapshot.unwrap().revision, first);
    let mut client = process.client().await;
    assert!(may(&mut client, "1", "1").await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_bundle_begins_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("bundle");
    write(&bundle, &files(&[("1", "Perhaps")]));
    let data = data(&folder);
    let arguments = [
        "--data",
        data.to_str().unwrap(),
        "--bundle",
        bundle.to_str().unwrap(),
    ];
    let mut process = Process::start(&arguments);
    let wrote = process.wrote().await.join("\n");
    assert!(wrote.contains("accounts/1/policies/P.json:2:"), "{wrote}");
    assert_eq!(process.ended().await.code(), Some(3));
    let store = Store::open(&data, Keep::default()).unwrap();
    assert_eq!(store.view().unwrap().revision().unwrap().number, 0);
}

async fn refuses_to_start(data: &Path) -> String {
    let mut process = Process::start(&["--data", data.to_str().unwrap()]);
    let wrote = process.wrote().await.join("\n");
    assert_eq!(process.ended().await.code(), Some(1), "{wrote}");
    wrote
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_is_refused() {
    let (world, _) = World::with_alice().await;
    let wrote = refuses_to_start(&data(&world.folder)).await;
    assert!(wrote.contains("another process uses this store"), "{wrote}");
    world.process.info().await.snapshot.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_store_is_refused() {
    let (world, _) = World::with_alice().await;
    let World {
        mut process,
        folder,
        ..
    } = world;
    process.signal("TERM");
    assert!(process.ended().await.success());
    let file = data(&folder).join(FILE);
    let mut bytes = fs::read(&file).unwrap();
    let length = bytes.len();
    for byte in &mut bytes[4_096..length.min(200_000)] {
        *byte ^= 0x55;
    }
    fs::write(&file, bytes).unwrap();
    let wrote = refuses_to_start(&data(&folder)).await;
    assert!(wrote.contains("the store is damaged"), "{wrote}");
}

/// A store whose documents this version refuses: it is told, and a change makes it good.
#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_is_refused_is_not_served_until_it_is_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let store = Store::open(&data, Keep::default()).unwrap();
    let mut staging = store.stage().unwrap();
    let id = ObjectId::try_from("settings").unwrap();
    let bad = Document::from(br#"{"rg_deny": "sometimes"}"#.as_slice());
    staging.set(&id, Some(&bad)).unwrap();
    let differences = staging.differences().unwrap();
    let entry = Entry {
        at: jiff::Timestamp::now(),
        author: Author {
            caller: "owner".to_owned(),
            principal: String::new(),
            peer: String::new(),
        },
        cause: Cause::Changes,
        message: String::new(),
        key: None,
    };
    staging.commit(entry, &differences).unwrap();
    drop(store);
    unlock(&data.join(FILE));
    let mut process = serve(&data, &[]).await;
    process.said("the bundle is refused").await;
    assert_eq!(process.health("").await, ServingStatus::NotServing);
    let refusal = process.info().await.refusal.unwrap();
    assert_eq!(refusal.errors[0].file, "settings");
    let manage = process.manage().await;
    let mut world = World {
        process,
        manage,
        folder,
    };
    let mut health = world.process.watch_health("").await;
    let first = within(health.message()).await.unwrap().unwrap();
    assert_eq!(first.status(), ServingStatus::NotServing);
    world.apply(vec![delete("settings")]).await;
    // Health is told after the change is answered.
    let next = within(health.message()).await.unwrap().unwrap();
    assert_eq!(next.status(), ServingStatus::Serving);
    assert_eq!(world.process.info().await.refusal, None);
}
