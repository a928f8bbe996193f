//! `kill -9` at random points, with random changes and rollbacks under way: every change that was
//! acknowledged is there, none in another order, and nobody reads from before what it was promised.
//!
//! `TAGWARDEN_KILLS` says how often; 200 by default.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use tagwarden::wire::v1::authorization_service_client::AuthorizationServiceClient;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tonic::Code;

use super::*;

/// A generator of its own, so that a run can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What was acknowledged: the digest of each revision, by its number.
type Acknowledged = Arc<watch::Sender<BTreeMap<u64, String>>>;

const WRITERS: u64 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_every_kill() {
    let kills = std::env::var("TAGWARDEN_KILLS");
    let kills: u64 = kills.ok().map_or(200, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let acknowledged = Acknowledged::default();
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut source = String::new();
    let mut answers = 0;
    let start = Instant::now();
    for round in 0..kills {
        let process = serve(&data, &[]).await;
        let mut manage = process.manage().await;
        check(&mut manage, &acknowledged, &mut source).await;
        let stop = Arc::new(AtomicBool::new(false));
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let seed = Random(random.0 ^ (round << 8) ^ (writer + 1));
            let (manage, acknowledged) = (process.manage().await, Arc::clone(&acknowledged));
            writers.spawn(write(manage, acknowledged, seed, Arc::clone(&stop)));
        }
        let asking = ask(
            process.client().await,
            Arc::clone(&acknowledged),
            Arc::clone(&stop),
        );
        let asking = tokio::spawn(asking);
        moment(&acknowledged, &mut random).await;
        process.signal("KILL");
        stop.store(true, Ordering::Relaxed);
        while let Some(done) = within(writers.join_next()).await {
            done.unwrap();
        }
        answers += within(asking).await.unwrap();
        drop(process);
    }
    let process = serve(&data, &[]).await;
    check(&mut process.manage().await, &acknowledged, &mut source).await;
    let made = acknowledged.borrow().len();
    let took = start.elapsed();
    println!("{kills} kills, {made} changes, {answers} answers, {took:?}");
    assert!(made > 0 && answers > 0, "{made} changes, {answers} answers");
}

/// Waits for the point of a kill: some changes were acknowledged, and others are somewhere between
/// being asked for and being on the disk.
async fn moment(acknowledged: &Acknowledged, random: &mut Random) {
    let made = acknowledged.borrow().len() + usize::try_from(random.below(8)).unwrap();
    let mut changes = acknowledged.subscribe();
    let made = changes.wait_for(|known| known.len() >= made);
    drop(within(made).await.unwrap());
    for _ in 0..random.below(5_000) {
        tokio::task::yield_now().await;
    }
}

/// Changes and rolls back until the server is gone; writes down what is acknowledged.
async fn write(
    mut manage: Manage,
    acknowledged: Acknowledged,
    mut random: Random,
    stop: Arc<AtomicBool>,
) {
    let mut last = 0;
    while !stop.load(Ordering::Relaxed) {
        let known = newest(&acknowledged).unwrap_or_default();
        let answer = if random.below(5) == 0 && known > 1 {
            let number = known - random.below(known.min(8));
            let asked = manage.rollback(v1::RollbackRequest {
                number,
                options: None,
            });
            asked.await.map(|answer| answer.into_inner().revision)
        } else {
            let asked = manage.apply_changes(v1::ApplyChangesRequest {
                operations: operations(&mut random),
                options: None,
            });
            asked.await.map(|answer| answer.into_inner().revision)
        };
        // A call that was cut off may have been made or not.
        let Ok(revision) = answer else { continue };
        let Some(revision) = revision else { continue };
        assert!(revision.number >= last, "{} after {last}", revision.number);
        last = revision.number;
        acknowledged.send_modify(|acknowledged| {
            let known = acknowledged.insert(revision.number, revision.digest.clone());
            assert!(
                known.is_none_or(|known| known == revision.digest),
                "two states of {last}"
            );
        });
    }
}

/// Asks with the newest revision that was acknowledged, until the server is gone; counts the
/// answers, none of which may be older.
async fn ask(
    mut client: AuthorizationServiceClient<Channel>,
    acknowledged: Acknowledged,
    stop: Arc<AtomicBool>,
) -> usize {
    let mut source = String::new();
    let mut answers = 0;
    let mut last = 0;
    while !stop.load(Ordering::Relaxed) {
        let min_revision = newest(&acknowledged)
            .filter(|_| !source.is_empty())
            .map(|number| v1::RevisionToken {
                source: source.clone(),
                number,
            });
        let asked = min_revision.as_ref().map_or(0, |token| token.number);
        let answer = client.authorize(v1::AuthorizeRequest {
            principal: "acs:ram::1:user/user1".to_owned(),
            action: "ecs:StartInstance".to_owned(),
            resources: vec![v1::Resource {
                arn: "acs:ecs:cn-hangzhou:1:instance/i-1".to_owned(),
                ..v1::Resource::default()
            }],
            min_revision,
            ..v1::AuthorizeRequest::default()
        });
        match answer.await {
            Ok(answer) => {
                let served = answer.into_inner().revision.unwrap();
                assert!(
                    served.number >= asked.max(last),
                    "{} for {asked}",
                    served.number
                );
                last = served.number;
                source = served.source;
                answers += 1;
            }
            // An acknowledged change is in force: nobody needs to wait for it.
            Err(status) => assert_ne!(status.code(), Code::FailedPrecondition, "{status}"),
        }
    }
    answers
}

fn operations(random: &mut Random) -> Vec<v1::Operation> {
    let number = random.below(6);
    let id = format!("accounts/{}", number + 1);
    let user = format!("{id}/users/user{}", random.below(10));
    match random.below(4) {
        0 => vec![put(&id, "{}"), delete(&user)],
        1 => vec![put(&id, "{}"), put(&user, "{}")],
        2 => {
            let uid = format!(r#"{{"uid": "{}"}}"#, number * 100 + random.below(100));
            vec![put(&id, "{}"), put(&format!("{id}/users/numbered"), &uid)]
        }
        _ => {
            let name = format!("{id}/policies/P{}", random.below(3));
            let actions = ["ecs:*", "oss:*", "rds:*"];
            let action = actions[usize::try_from(random.below(3)).unwrap()];
            vec![put(&id, "{}"), put(&name, &policy("Allow", action, "*"))]
        }
    }
}

/// The newest revision that was acknowledged.
fn newest(acknowledged: &Acknowledged) -> Option<u64> {
    acknowledged.borrow().keys().next_back().copied()
}

/// The history holds what was acknowledged, under its number and with its digest, without a gap.
async fn check(manage: &mut Manage, acknowledged: &Acknowledged, source: &mut String) {
    let mut found: BTreeMap<u64, String> = BTreeMap::new();
    let mut page_token = String::new();
    let mut newest = 0;
    loop {
        let asked = manage.list_revisions(v1::ListRevisionsRequest {
            page_size: 1_000,
            page_token,
            differences: false,
        });
        let page = within(asked).await.unwrap().into_inner();
        let served = page.revision.unwrap();
        if source.is_empty() {
            source.clone_from(&served.source);
        }
        assert_eq!(*source, served.source, "it is another store");
        newest = newest.max(served.number);
        for change in page.changes {
            let revision = change.revision.unwrap();
            found.insert(revision.number, revision.digest);
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let last = self::newest(acknowledged).unwrap_or_default();
    assert!(
        newest >= last,
        "revision {newest} is served and {last} was acknowledged"
    );
    for (number, digest) in acknowledged.borrow().iter() {
        assert_eq!(found.get(number), Some(digest), "revision {number}");
    }
    let numbers: Vec<u64> = found.keys().copied().collect();
    assert_eq!(
        numbers,
        (1..=newest).collect::<Vec<u64>>(),
        "there is a gap"
    );
    // What was made without an answer is known from now on.
    acknowledged.send_modify(|acknowledged| acknowledged.extend(found));
}
