//! Changes that were made while nobody acted on them, and on whose behalf they are acted on then.

use jiff::Timestamp;
use tagwarden::model::object::ObjectId;
use tagwarden::source::embedded::{Author, Cause, Entry, FILE, Keep, Store};

use super::*;
use crate::support::process::unlock;

const CHECKED: &str = r#"{"status": "enabled", "existing": true, "authorize_associated": true}"#;

/// Writes a change into the store as if a server had ended between the change and its work.
fn change(folder: &tempfile::TempDir, principal: &str, operations: &[(&str, &str)]) {
    let store = Store::open(&World::data(folder), Keep::default()).unwrap();
    let mut staging = store.stage().unwrap();
    for (id, document) in operations {
        let id = ObjectId::try_from(*id).unwrap();
        staging.set(&id, Some(document.as_bytes())).unwrap();
    }
    let differences = staging.differences().unwrap();
    let entry = Entry {
        at: Timestamp::now(),
        author: Author {
            caller: "test".to_owned(),
            principal: principal.to_owned(),
            peer: String::new(),
        },
        cause: Cause::Changes,
        message: String::new(),
        key: None,
    };
    staging.commit(entry, &differences).unwrap();
    drop(store);
    unlock(&World::data(folder).join(FILE));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_nobody_acted_on_is_acted_on_at_start() {
    let mut world = World::new().await;
    world.with_disks(&[("env", "prod")], 3).await;
    world.change(&[(FEATURE, Some(ON))]).await;
    let folder = world.killed().await;
    change(&folder, "", &[(&rule(), FILLING)]);
    let mut world = World::over(folder).await;
    world.settle().await;
    assert_eq!(world.carrying("env", "prod").await, 3);
    // The same for a feature that is turned off: the end of an association takes nothing.
    let folder = world.killed().await;
    change(&folder, "", &[(FEATURE, OFF)]);
    let mut world = World::over(folder).await;
    world.settle().await;
    assert_eq!(world.carrying("env", "prod").await, 3);
}

/// security 5.1: a rule that is `authorize_associated` writes what its author may write; where the
/// author is not known, nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_checked_rule_fills_on_behalf_of_its_author() {
    let bob = "acs:ram::1:user/bob";
    for (author, later, filled) in [(ALICE, None, 2), (bob, None, 0), (ALICE, Some(ALICE), 0)] {
        let mut world = World::new().await;
        world.with_disks(&[("env", "prod")], 2).await;
        world.change(&[(FEATURE, Some(ON))]).await;
        let folder = world.killed().await;
        change(&folder, author, &[(&rule(), CHECKED)]);
        if let Some(later) = later {
            // The newest change is another one: nobody knows who made that of the rules.
            change(&folder, later, &[("accounts/1/users/carol", "{}")]);
        }
        let mut world = World::over(folder).await;
        world.settle().await;
        let what = format!("{author} {later:?}");
        assert_eq!(world.carrying("env", "prod").await, filled, "{what}");
    }
}
