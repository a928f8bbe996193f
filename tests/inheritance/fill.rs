//! Back-fill: in the background, with its progress told, and to its end whatever happens.

use super::*;

const DISKS: usize = 600;

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_comes_into_force_fills_what_is_there() {
    let mut world = World::new().await;
    world.with_disks(&[("env", "prod")], DISKS).await;
    world.change(&[(FEATURE, Some(ON))]).await;
    assert_eq!(world.carrying("env", "prod").await, 0);
    world.change(&[(&rule(), Some(FILLING))]).await;
    let seen = world.settle().await;
    for work in &seen {
        assert_eq!(work.kind(), v1::InheritanceWorkKind::Fill);
        assert_eq!(
            (&*work.account, &*work.rule, &*work.principal),
            ("1", DISK, "")
        );
        assert_eq!(work.failed, 0);
    }
    assert!(seen.is_sorted_by_key(|work| work.filled), "{seen:?}");
    assert_eq!(world.carrying("env", "prod").await, DISKS as u64);
    let line = world.process.said("a rule has filled what was there").await;
    let told = ["seen", "filled", "failed"].map(|name| line[name].as_u64().unwrap());
    assert_eq!(told, [DISKS as u64, DISKS as u64, 0], "{line}");
    // It was acted on once: a start finds nothing to do, and a tag that was taken away stays away.
    world.untag(&disk(1), "env").await;
    let mut world = World::over(world.killed().await).await;
    assert_eq!(world.settle().await, []);
    assert_eq!(world.carrying("env", "prod").await, DISKS as u64 - 1);
    // A rule that is disabled and enabled again is a change.
    world
        .change(&[(&rule(), Some(r#"{"status": "disabled", "existing": true}"#))])
        .await;
    world.change(&[(&rule(), Some(FILLING))]).await;
    world.settle().await;
    assert_eq!(world.carrying("env", "prod").await, DISKS as u64);
}

impl World {
    async fn untag(&mut self, arn: &str, key: &str) {
        let asked = self.client.untag_resources(v1::UntagResourcesRequest {
            writer: Some(writer(ALICE)),
            arns: vec![arn.to_owned()],
            keys: vec![key.to_owned()],
            ..v1::UntagResourcesRequest::default()
        });
        let outcome = within(asked).await.unwrap().into_inner().outcome.unwrap();
        assert_eq!(outcome.failed, []);
    }
}

/// The server is killed as soon as the change is told, and goes on with it when it is there again.
#[tokio::test(flavor = "multi_thread")]
async fn a_back_fill_survives_the_end_of_the_server() {
    let mut world = World::new().await;
    world.with_disks(&[("env", "prod")], DISKS).await;
    world
        .change(&[(FEATURE, Some(ON)), (&rule(), Some(FILLING))])
        .await;
    let mut kills = 0;
    loop {
        world = World::over(world.killed().await).await;
        kills += 1;
        let told = world.progress("", "").await.unwrap();
        if told.pieces == 0 || kills == 5 {
            break;
        }
    }
    world.settle().await;
    println!("{kills} kills");
    assert_eq!(world.carrying("env", "prod").await, DISKS as u64);
}

/// tag-policy 7, rule 44: what was written before is the resource's own, at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_feature_that_is_turned_off_leaves_the_tags_and_forgets_where_they_came_from() {
    let mut world = World::new().await;
    let enabled = r#"{"status": "enabled"}"#;
    world
        .change(&[(FEATURE, Some(ON)), (&rule(), Some(enabled))])
        .await;
    world.with_disks(&[("env", "prod")], 60).await;
    assert_eq!(world.carrying("env", "prod").await, 60);
    world.change(&[(FEATURE, Some(OFF))]).await;
    world.change(&[(FEATURE, Some(ON))]).await;
    let end = world
        .client
        .dissociate_resources(v1::DissociateResourcesRequest {
            writer: Some(writer(ALICE)),
            associations: vec![v1::ResourceAssociation {
                primary: INSTANCE.to_owned(),
                associated: disk(7),
                rule: DISK.to_owned(),
            }],
        });
    within(end).await.unwrap();
    assert_eq!(world.value(&disk(7), "env").await.as_deref(), Some("prod"));
    world.settle().await;
    assert_eq!(world.carrying("env", "prod").await, 60);
}

/// Whoever may not list the rules of an account is told of no work, as if there were none.
#[tokio::test(flavor = "multi_thread")]
async fn progress_is_told_to_who_may_see_the_rules() {
    let mut world = World::new().await;
    world.with_disks(&[("env", "prod")], DISKS).await;
    world
        .change(&[(FEATURE, Some(ON)), (&rule(), Some(FILLING))])
        .await;
    let bob = "acs:ram::1:user/bob";
    let mut asked = 0;
    loop {
        let own = world.progress(ALICE, "").await.unwrap();
        let of_bob = world.progress(bob, "1").await.unwrap();
        assert_eq!(
            (of_bob.pieces, of_bob.edits, of_bob.work),
            (0, 0, Vec::new())
        );
        let other = world.progress(ALICE, "2").await.unwrap();
        assert_eq!((other.pieces, other.work), (0, Vec::new()));
        if own.pieces == 0 {
            break;
        }
        assert_eq!(own.work.len(), 1);
        asked += 1;
    }
    println!("{asked} answers on the way");
    let refused = world.progress("", "x").await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused}");
}
