//! What the calls do, and that it is there after a restart.

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn tags_are_written_seen_by_decisions_and_kept() {
    let mut world = World::new().await;
    let made = world.put(&[(ONE, &[("team", "a")]), (TWO, &[])]).await;
    assert_eq!((made.change > 0, made.failed), (true, Vec::new()));
    assert!(world.has(ONE, "team", "a").await);
    let tagged = world.tag(ALICE, &[ONE, TWO], &[("env", "prod"), ("team", "b")]);
    let tagged = tagged.await.unwrap();
    assert!(
        tagged.change > made.change && tagged.failed.is_empty(),
        "{tagged:?}"
    );
    for arn in [ONE, TWO] {
        assert!(world.has(arn, "env", "prod").await);
        assert!(world.has(arn, "team", "b").await);
        assert!(!world.has(arn, "team", "a").await);
    }
    let line = world.process.said("the directory was changed").await;
    assert_eq!(line["rpc"], "PutResources", "{line}");
    let line = world.process.said("the directory was changed").await;
    let told = ["rpc", "caller", "principal", "arns", "keys"].map(|name| line[name].clone());
    let arns = format!("{ONE} {TWO}");
    assert_eq!(
        told,
        ["TagResources", "owner", ALICE, &arns, "env team"],
        "{line}"
    );
    assert_eq!(line["change"], tagged.change);

    let mut world = world.again().await;
    assert!(world.has(TWO, "team", "b").await);
    // A key that is not there is no error.
    world.untag(ALICE, &[ONE], &["team", "none"]).await.unwrap();
    assert!(!world.has(ONE, "team", "b").await);
    let all = world.untag(ALICE, &[ONE, TWO], &[]).await.unwrap();
    assert!(all.change > tagged.change);
    // Nothing is left to be removed, and nothing is changed.
    let none = world.untag(ALICE, &[ONE], &["team"]).await.unwrap();
    assert_eq!(none.failed, []);
    let world = world.again().await;
    for (key, value) in [("env", "prod"), ("team", "b")] {
        assert!(!world.has(TWO, key, value).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_writes_where_its_role_may_before_and_after() {
    let mut world = World::new().await;
    world
        .put(&[(ONE, &[("team", "ops")]), (TWO, &[("team", "a")])])
        .await;
    let outcome = world.tag(OPS, &[ONE, TWO], &[("n", "1")]).await.unwrap();
    let [failed] = &*outcome.failed else {
        panic!("{outcome:?}")
    };
    assert_eq!((&*failed.arn, &*failed.code), (TWO, "NoPermission.Tag"));
    assert!(world.has(ONE, "n", "1").await && !world.has(TWO, "n", "1").await);
    // security 4: the tags after the write must be allowed as well.
    let outcome = world.tag(OPS, &[ONE], &[("team", "a")]).await.unwrap();
    assert_eq!(outcome.failed[0].code, "NoPermission.Tag");
    let outcome = world.untag(OPS, &[ONE], &["team"]).await.unwrap();
    assert_eq!(outcome.failed[0].code, "NoPermission.Tag");
    assert!(world.has(ONE, "team", "ops").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn resources_are_removed_and_a_region_stands_for_a_star() {
    let mut world = World::new().await;
    world.put(&[(ONE, &[]), (TWO, &[("team", "a")])]).await;
    let asked = world.client.tag_resources(v1::TagResourcesRequest {
        writer: Some(v1::TagWriter {
            region: "cn-hangzhou".to_owned(),
            ..writer(ALICE)
        }),
        arns: owned(&["acs:ecs:*:*:instance/i-1"]),
        tags: sent(&[("n", "1")]),
        ..v1::TagResourcesRequest::default()
    });
    let outcome = within(asked).await.unwrap().into_inner().outcome.unwrap();
    assert_eq!(outcome.failed, []);
    assert!(world.has(ONE, "n", "1").await);
    let asked = world.client.remove_resources(v1::RemoveResourcesRequest {
        arns: owned(&[TWO, "acs:ecs:cn-hangzhou:1:instance/none"]),
    });
    let outcome = within(asked).await.unwrap().into_inner().outcome.unwrap();
    assert_eq!(outcome.failed[0].code, "InvalidResourceId.NotFound");
    let gone = world.tag(ALICE, &[TWO], &[("n", "1")]).await.unwrap();
    assert_eq!(gone.failed[0].code, "InvalidResourceId.NotFound");
    // What is told of a resource stays, where nothing is told of its tags.
    let asked = world.client.put_resources(v1::PutResourcesRequest {
        resources: vec![v1::ResourceFacts {
            arn: ONE.to_owned(),
            resource_group: Some(v1::ResourceGroup {
                id: "rg-1".to_owned(),
            }),
            ..v1::ResourceFacts::default()
        }],
    });
    within(asked).await.unwrap();
    assert!(world.has(ONE, "n", "1").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_file_the_directory_is_in_memory_and_start_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("bundle");
    write(&place, &bundle());
    let mut process = Process::start(&["--bundle", place.to_str().unwrap()]);
    let said = "the directory is in memory: what is written to it ends with the process";
    process.said(said).await;
    process.said("in force").await;
    let client = process.directory().await;
    let mut world = World {
        process,
        client,
        folder,
    };
    world.put(&[(ONE, &[("team", "a")])]).await;
    assert!(world.has(ONE, "team", "a").await);
}

/// A bundle's resources begin an empty directory, once.
#[tokio::test(flavor = "multi_thread")]
async fn resources_of_a_bundle_begin_an_empty_directory_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = bundle();
    let line = format!(r#"{{"arn": "{ONE}", "tags": {{"team": "a"}}}}"#);
    files.push(("resources.jsonl".to_owned(), line));
    write(&folder.path().join("bundle"), &files);
    let mut world = World::over(folder).await;
    assert!(world.has(ONE, "team", "a").await);
    world.tag(ALICE, &[ONE], &[("team", "b")]).await.unwrap();
    let world = world.again().await;
    assert!(world.has(ONE, "team", "b").await);
}

/// A backup is made beside writes, and is one moment of both stores; a start from it is another
/// epoch.
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_what_a_server_starts_from() {
    let mut world = World::new().await;
    world.put(&[(ONE, &[("team", "a")]), (TWO, &[])]).await;
    let place = world.folder.path().join("backup");
    let manage = format!("unix:{}", world.process.manage_path().display());
    let command = |arguments: &[&str]| {
        let mut command = std::process::Command::new(PROGRAM);
        command.args(arguments);
        let command = tokio::task::spawn_blocking(move || command.output().unwrap());
        async move { within(command).await.unwrap() }
    };
    let backup = command(&["backup", place.to_str().unwrap(), "--manage", &manage]);
    let writes = async {
        for number in 0..20 {
            let value = number.to_string();
            world.tag(ALICE, &[TWO], &[("n", &value)]).await.unwrap();
        }
    };
    let (saved, ()) = tokio::join!(backup, writes);
    let told = String::from_utf8(saved.stdout).unwrap();
    assert!(
        saved.status.success() && told.contains("2 resources"),
        "{told}"
    );
    let data = world.folder.path().join("restored");
    let (from, to) = (place.to_str().unwrap(), data.to_str().unwrap());
    let restored = command(&["restore", from, "--data", to, "-o", "json"]).await;
    assert!(restored.status.success(), "{restored:?}");
    let occupied = command(&["restore", from, "--data", to]).await;
    let told = String::from_utf8(occupied.stderr).unwrap();
    assert!(
        !occupied.status.success() && told.contains("something already"),
        "{told}"
    );
    let mut process = Process::start(&["--data", to]);
    process.said("in force").await;
    let of = async |process: &Process| process.info().await.snapshot.unwrap().revision.unwrap();
    let (own, other) = (of(&world.process).await, of(&process).await);
    assert_eq!((own.number, &own.digest), (other.number, &other.digest));
    assert_ne!(own.source, other.source, "it is another epoch");
    let client = process.directory().await;
    let folder = tempfile::tempdir().unwrap();
    let mut second = World {
        process,
        client,
        folder,
    };
    assert!(second.has(ONE, "team", "a").await);
    second.tag(ALICE, &[ONE], &[("team", "b")]).await.unwrap();
    assert!(second.has(ONE, "team", "b").await && world.has(ONE, "team", "a").await);
    // A file that is not the one that was written is told.
    let file = place.join("directory.redb");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    let again = world.folder.path().join("again");
    let damaged = command(&["restore", from, "--data", again.to_str().unwrap()]).await;
    let told = String::from_utf8(damaged.stderr).unwrap();
    assert!(told.contains("not the one that was written"), "{told}");
    assert!(!again.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_commands_write_tags() {
    let mut world = World::new().await;
    world.put(&[(ONE, &[])]).await;
    let manage = format!("unix:{}", world.process.manage_path().display());
    let command = |arguments: &[&str]| {
        let mut command = std::process::Command::new(PROGRAM);
        command.args(arguments).args(["--manage", &manage]);
        let command = tokio::task::spawn_blocking(move || command.output().unwrap());
        async move { within(command).await.unwrap() }
    };
    let tagged = command(&["tag", "-t", "team=a", "--principal", ALICE, ONE]).await;
    let told = String::from_utf8(tagged.stdout).unwrap();
    assert!(
        tagged.status.success() && told.starts_with("change "),
        "{told}"
    );
    assert!(world.has(ONE, "team", "a").await);
    let gone = "acs:ecs:cn-hangzhou:1:instance/none";
    let half = command(&["tag", "-t", "n=1", "--principal", ALICE, ONE, gone]).await;
    let told = String::from_utf8(half.stdout).unwrap();
    assert_eq!(half.status.code(), Some(1));
    assert!(
        told.contains(&format!("failed: {gone}: InvalidResourceId.NotFound")),
        "{told}"
    );
    let whole = [
        "tag",
        "--whole",
        "-t",
        "n=2",
        "--principal",
        ALICE,
        ONE,
        gone,
    ];
    let whole = command(&whole).await;
    let told = String::from_utf8(whole.stderr).unwrap();
    assert_eq!(whole.status.code(), Some(1));
    assert!(
        told.starts_with("error: InvalidResourceId.NotFound"),
        "{told}"
    );
    assert!(world.has(ONE, "n", "1").await);
    let untagged = command(&["untag", "--all", "--principal", ALICE, "-o", "json", ONE]).await;
    let told: serde_json::Value = serde_json::from_slice(&untagged.stdout).unwrap();
    assert!(told["change"].as_u64().unwrap() > 0, "{told}");
    assert!(!world.has(ONE, "team", "a").await);
    let nothing = command(&["tag", ONE]).await;
    assert_eq!(nothing.status.code(), Some(2));
}
