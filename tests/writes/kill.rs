//! `kill -9` at random points, with writers at work: every acknowledged write is there, and the
//! index agrees with the resources.
//!
//! `TAGWARDEN_DIRECTORY_KILLS` says how often; 200 by default.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tagwarden::source::directory::{DirectoryStore, FILE};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::*;
use crate::support::process::unlock;

/// What each writer was told, and what it asked for last: the value of its key, by resource.
type Acknowledged = BTreeMap<(u64, u64), Write>;

#[derive(Debug, Clone, Copy, Default)]
struct Write {
    done: u64,
    asked: u64,
}

const WRITERS: u64 = 4;
const RESOURCES: u64 = 12;

fn arn(number: u64) -> String {
    format!("acs:ecs:cn-hangzhou:1:instance/k-{number}")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_every_kill() {
    let kills = std::env::var("TAGWARDEN_DIRECTORY_KILLS");
    let kills: u64 = kills.ok().map_or(200, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("bundle"), &bundle());
    let mut world = World::over(folder).await;
    let arns: Vec<String> = (0..RESOURCES).map(arn).collect();
    let facts: Vec<(&str, &[(&str, &str)])> = arns.iter().map(|arn| (&**arn, &[][..])).collect();
    world.put(&facts).await;
    let mut known = Acknowledged::new();
    let value = Arc::new(AtomicU64::new(0));
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut total = 0;
    for kill in 0..kills {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let stop = Arc::new(AtomicBool::new(false));
        let (made, mut changes) = watch::channel(0_u64);
        let made = Arc::new(made);
        let mut writers = JoinSet::new();
        // Calls that come together are committed by another thread than one that comes alone.
        let at_once = if kill.is_multiple_of(2) { WRITERS } else { 1 };
        for writer in 0..at_once {
            let own = known.iter().filter(|((by, _), _)| *by == writer);
            let own = own.map(|(place, write)| (*place, *write)).collect();
            let client = world.process.directory().await;
            let (stop, made, value) = (Arc::clone(&stop), Arc::clone(&made), Arc::clone(&value));
            writers.spawn(write_on(client, writer, own, value, made, stop));
        }
        let least = 1 + random % 12;
        drop(
            within(changes.wait_for(|made| *made >= least))
                .await
                .unwrap(),
        );
        for _ in 0..random % 3_000 {
            tokio::task::yield_now().await;
        }
        world.process.signal("KILL");
        stop.store(true, Ordering::Relaxed);
        while let Some(done) = within(writers.join_next()).await {
            known.extend(done.unwrap());
        }
        total += *changes.borrow();
        let World {
            mut process,
            folder,
            ..
        } = world;
        process.ended().await;
        check(&folder, &mut known);
        world = World::over(folder).await;
        check_index(&mut world).await;
    }
    println!("{kills} kills, {total} acknowledged writes");
    assert!(total >= kills, "{total}");
}

/// Tags and untags its own key on the resources in turn, until the server is gone.
async fn write_on(
    mut client: Client,
    writer: u64,
    mut known: Acknowledged,
    value: Arc<AtomicU64>,
    made: Arc<watch::Sender<u64>>,
    stop: Arc<AtomicBool>,
) -> Acknowledged {
    let key = format!("w{writer}");
    let mut place = writer;
    while !stop.load(Ordering::Relaxed) {
        place = (place + 1) % RESOURCES;
        let next = value.fetch_add(1, Ordering::Relaxed) + 1;
        let entry = known.entry((writer, place)).or_default();
        // Every fifth write removes the key: its value is 0 then.
        let next = if next.is_multiple_of(5) { 0 } else { next };
        entry.asked = next;
        let writer = Some(super::writer(ALICE));
        let done = if next == 0 {
            let asked = client.untag_resources(v1::UntagResourcesRequest {
                writer,
                arns: vec![arn(place)],
                keys: vec![key.clone()],
                ..v1::UntagResourcesRequest::default()
            });
            asked.await.map(|answer| answer.into_inner().outcome)
        } else {
            let asked = client.tag_resources(v1::TagResourcesRequest {
                writer,
                arns: vec![arn(place)],
                tags: sent(&[(&*key, &*next.to_string())]),
                ..v1::TagResourcesRequest::default()
            });
            asked.await.map(|answer| answer.into_inner().outcome)
        };
        // A call that was cut off may have been made or not.
        let Ok(Some(outcome)) = done else {
            return known;
        };
        assert_eq!(outcome.failed, []);
        entry.done = next;
        made.send_modify(|made| *made += 1);
    }
    known
}

/// Compares the index with the resources: a search by each tag finds those that carry it, and keys
/// and values are listed with as many as there are.
async fn check_index(world: &mut World) {
    let arns = (0..RESOURCES).map(arn).collect();
    let asked = world
        .client
        .list_tag_resources(v1::ListTagResourcesRequest {
            principal: String::new(),
            arns,
        });
    let scanned = within(asked).await.unwrap().into_inner().resources;
    let mut carried: BTreeMap<String, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
    for resource in scanned {
        for tag in resource.tags {
            let by = carried.entry(tag.key).or_default().entry(tag.value);
            by.or_default().insert(resource.arn.clone());
        }
    }
    let scope = Some(v1::ResourceScope {
        account: "1".to_owned(),
        ..v1::ResourceScope::default()
    });
    let keys = world.client.list_tag_keys(v1::ListTagKeysRequest {
        scope: scope.clone(),
        page_size: 1_000,
        ..v1::ListTagKeysRequest::default()
    });
    let keys = within(keys).await.unwrap().into_inner().keys;
    let counted = |values: &BTreeMap<String, BTreeSet<String>>| {
        values.values().map(|by| by.len() as u64).sum::<u64>()
    };
    let expected: Vec<(&str, u64)> = carried
        .iter()
        .map(|(key, values)| (&**key, counted(values)))
        .collect();
    let found: Vec<(&str, u64)> = keys.iter().map(|key| (&*key.text, key.resources)).collect();
    assert_eq!(found, expected);
    for (key, values) in &carried {
        let listed = world.client.list_tag_values(v1::ListTagValuesRequest {
            scope: scope.clone(),
            key: key.clone(),
            page_size: 1_000,
            ..v1::ListTagValuesRequest::default()
        });
        let listed = within(listed).await.unwrap().into_inner().values;
        let found: Vec<(&str, u64)> = listed
            .iter()
            .map(|value| (&*value.text, value.resources))
            .collect();
        let expected: Vec<(&str, u64)> = values
            .iter()
            .map(|(value, by)| (&**value, by.len() as u64))
            .collect();
        assert_eq!(found, expected, "{key}");
        for (value, by) in values {
            assert_eq!(searched(world, scope.clone(), key, value).await, *by);
        }
    }
}

async fn searched(
    world: &mut World,
    scope: Option<v1::ResourceScope>,
    key: &str,
    value: &str,
) -> BTreeSet<String> {
    let exact = |text: &str| v1::TextMatch {
        kind: v1::TextMatchKind::Exact.into(),
        text: text.to_owned(),
    };
    let asked = v1::ListResourcesByTagsRequest {
        scope,
        filters: vec![v1::TagFilter {
            key: Some(exact(key)),
            values: vec![exact(value)],
            negated: false,
        }],
        page_size: 1_000,
        ..v1::ListResourcesByTagsRequest::default()
    };
    let found = within(world.client.list_resources_by_tags(asked)).await;
    let found = found.unwrap().into_inner();
    assert_eq!(found.next_page_token, "");
    found.resources.into_iter().map(|one| one.arn).collect()
}

/// Looks at the file: each key has the value that was acknowledged last, or the one that was asked
/// for when the server went.
fn check(folder: &tempfile::TempDir, known: &mut Acknowledged) {
    let store = DirectoryStore::open(&data(folder.path())).unwrap();
    let mut found: BTreeMap<(u64, u64), u64> = BTreeMap::new();
    let mut resources = 0;
    let loaded = store.load(|resource| {
        let arn = resource.arn.to_string();
        let place: u64 = arn.rsplit('-').next().unwrap().parse().unwrap();
        for (key, tag) in &resource.tags {
            let writer: u64 = key.strip_prefix('w').unwrap().parse().unwrap();
            found.insert((writer, place), tag.value.parse().unwrap());
        }
        assert!(resource.version.0 > 0);
        resources += 1;
    });
    assert!(loaded.unwrap().version.0 > 0);
    drop(store);
    unlock(&data(folder.path()).join(FILE));
    assert_eq!(resources, RESOURCES);
    for (place, write) in known {
        let found = found.get(place).copied().unwrap_or(0);
        assert!(
            found == write.done || found == write.asked,
            "{place:?}: {found} is there, {write:?}"
        );
        *write = Write {
            done: found,
            asked: found,
        };
    }
}
