use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::document::object::{Authored as _, Mention};
use crate::model::object::ObjectId;

fn id(text: &str) -> ObjectId {
    ObjectId::try_from(text).unwrap()
}

fn entry(at: Timestamp) -> Entry {
    Entry {
        at,
        author: Author {
            caller: "owner".to_owned(),
            principal: String::new(),
            peer: "uid 7".to_owned(),
        },
        cause: Cause::Changes,
        message: "why".to_owned(),
        key: None,
    }
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// Puts objects, and deletes those without a document.
fn change(store: &Store, at: Timestamp, objects: &[(&str, Option<&str>)]) -> Committed {
    let mut staging = store.stage().unwrap();
    for (name, document) in objects {
        staging.set(&id(name), document.map(str::as_bytes)).unwrap();
    }
    let differences = staging.differences().unwrap();
    staging.commit(entry(at), &differences).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

#[test]
fn a_change_is_there_after_a_restart_and_one_that_was_dropped_is_not() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data/tagwarden");
    let store = Store::open(&directory, Keep::default()).unwrap();
    assert_eq!(store.view().unwrap().revision().unwrap().number, 0);
    let first = change(
        &store,
        now(),
        &[("settings", Some("{}")), ("callers", Some("{}"))],
    );
    let second = change(
        &store,
        now(),
        &[("callers", None), ("accounts/1", Some("{}"))],
    );
    let mut dropped = store.stage().unwrap();
    dropped.set(&id("settings"), None).unwrap();
    assert_eq!(dropped.next().number, 3);
    drop(dropped);
    let (source, before) = (store.source(), store.view().unwrap().revision().unwrap());
    drop(store);

    let store = Store::open(&directory, Keep::default()).unwrap();
    let view = store.view().unwrap();
    assert_eq!(view.revision().unwrap(), before);
    assert_eq!((before.source, before), (source, second.revision));
    assert_ne!(first.revision.digest, second.revision.digest);
    let objects = view.all().unwrap();
    let names: Vec<String> = objects.iter().map(|(id, _)| id.to_string()).collect();
    assert_eq!(names, ["accounts/1", "settings"]);
    let of = objects.iter().map(|(id, document)| (id, &**document));
    assert_eq!(StateDigest::of(of).short(), before.digest);
    let records = view.records(u64::MAX, 10).unwrap();
    assert_eq!(
        records.iter().map(|one| one.number).collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!(view.record(1).unwrap().unwrap(), records[1]);
    assert_eq!((records[0].objects, &*records[0].message), (2, "why"));
    let differences = view.differences(2).unwrap();
    assert_eq!(differences[0].id, id("callers"));
    assert_eq!(differences[0].before.as_deref(), Some(b"{}".as_slice()));
    assert_eq!(differences[0].after, None);
    assert_eq!(
        (mode(&directory), mode(&directory.join(FILE))),
        (0o700, 0o600)
    );
}

#[test]
fn an_object_that_is_put_as_it_was_is_no_difference() {
    let store = Store::in_memory(Keep::default()).unwrap();
    change(&store, now(), &[("settings", Some("{}"))]);
    let mut staging = store.stage().unwrap();
    for document in [None, Some(b"{}".as_slice())] {
        staging.set(&id("settings"), document).unwrap();
    }
    staging.set(&id("callers"), Some(b"{}")).unwrap();
    staging.set(&id("callers"), None).unwrap();
    assert_eq!(staging.differences().unwrap(), []);
    assert_eq!(staging.next().digest, staging.base().digest);
}

#[test]
fn look_ups_see_what_is_staged() {
    let store = Store::in_memory(Keep::default()).unwrap();
    let attachment = "accounts/1/attachments/user:alice/account/custom:Dev";
    change(
        &store,
        now(),
        &[
            ("accounts/1", Some("{}")),
            ("accounts/1/groups/ops", Some(r#"{"users": ["alice"]}"#)),
            ("accounts/12", Some("{}")),
            (attachment, Some("{}")),
        ],
    );
    let alice = Mention::User("1".try_into().unwrap(), "alice".to_owned());
    let names = |found: Vec<ObjectId>| found.iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut staging = store.stage().unwrap();
    let renamed = br#"{"users": ["bob"]}"#;
    staging
        .set(&id("accounts/1/groups/ops"), Some(renamed))
        .unwrap();
    assert_eq!(
        names(staging.naming(&alice, 9).unwrap()),
        Vec::<String>::new()
    );
    let view = store.view().unwrap();
    assert_eq!(
        names(view.naming(&alice, 9).unwrap()),
        ["accounts/1/groups/ops"]
    );
    assert_eq!(view.naming(&alice, 0).unwrap(), []);
    let custom = Mention::Custom("1".try_into().unwrap(), "Dev".try_into().unwrap());
    assert_eq!(names(staging.naming(&custom, 9).unwrap()), [attachment]);
    let below = names(staging.below("accounts/1/", 9).unwrap());
    assert_eq!(below, [attachment, "accounts/1/groups/ops"]);
    assert_eq!(
        names(view.below("accounts/1", 2).unwrap()),
        ["accounts/1", attachment]
    );
    let listed = view.list("accounts/1", "accounts/1/groups/ops", 9, Documents::Left);
    let listed = listed.unwrap();
    assert_eq!(listed.objects.len(), 1);
    assert_eq!(listed.objects[0].id, id("accounts/12"));
    assert_eq!((&listed.objects[0].document, listed.is_cut), (&None, false));
    let cut = view.list("", "", 9, Documents::Told { most: 3 }).unwrap();
    assert_eq!((cut.objects.len(), cut.is_cut), (1, true));
}

#[test]
fn history_is_bounded_by_count_and_age() {
    let keep = Keep {
        changes: 3,
        days: 10,
    };
    let store = Store::in_memory(keep).unwrap();
    let numbers = |store: &Store| -> Vec<u64> {
        let records = store.view().unwrap().records(u64::MAX, 99).unwrap();
        records.iter().map(|record| record.number).collect()
    };
    for (place, document) in ["1", "2", "3", "4", "5"].into_iter().enumerate() {
        let later = SignedDuration::from_hours(24 * i64::try_from(place).unwrap());
        change(&store, now() + later, &[("settings", Some(document))]);
    }
    assert_eq!(numbers(&store), [5, 4, 3]);
    assert_eq!(store.view().unwrap().differences(2).unwrap(), []);
    assert_eq!(store.view().unwrap().differences(3).unwrap().len(), 1);
    let later = now() + SignedDuration::from_hours(24 * 13 + 1);
    change(&store, later, &[("settings", Some("6"))]);
    assert_eq!(numbers(&store), [6, 5]);
}

#[test]
fn answers_are_kept_for_a_day() {
    let store = Store::in_memory(Keep::default()).unwrap();
    let key = |name: &str| AnswerKey {
        who: "owner".to_owned(),
        key: name.to_owned(),
        asked: 7,
    };
    let mut staging = store.stage().unwrap();
    staging.set(&id("settings"), Some(b"{}")).unwrap();
    let differences = staging.differences().unwrap();
    let key_entry = Entry {
        key: Some(key("a")),
        ..entry(now())
    };
    let made = staging.commit(key_entry, &differences).unwrap().revision;
    let answered = |name: &str, hours: i64| {
        let at = now() + SignedDuration::from_hours(hours);
        store.stage().unwrap().answered(&key(name), at).unwrap()
    };
    let answer = Answer {
        asked: 7,
        number: 1,
        digest: made.digest,
        objects: 1,
    };
    assert_eq!(answered("a", 23), Some(answer));
    assert_eq!(answered("a", 24), None);
    assert_eq!(answered("b", 0), None);
    let later = now() + SignedDuration::from_hours(30);
    store
        .stage()
        .unwrap()
        .commit_answer(&key("b"), later)
        .unwrap();
    assert_eq!(answered("a", 0), None, "it was forgotten");
    assert_eq!(answered("b", 31).unwrap().objects, 0);
    assert_eq!(store.view().unwrap().revision().unwrap(), made);
}

#[test]
fn a_store_is_for_one_process() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data");
    let first = Store::open(&directory, Keep::default()).unwrap();
    let second = Store::open(&directory, Keep::default()).unwrap_err();
    assert!(matches!(second, StoreError::InUse(_)), "{second}");
    assert!(
        second
            .to_string()
            .ends_with("another process uses this store")
    );
    drop(first);
    Store::open(&directory, Keep::default()).unwrap();
}

#[test]
fn a_directory_that_is_open_to_others_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o750)).unwrap();
    let refused = Store::open(folder.path(), Keep::default()).unwrap_err();
    assert!(refused.to_string().contains("mode 0750"), "{refused}");
}

#[test]
fn a_newer_format_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let directory = &folder.path().join("data");
    let store = Store::open(directory, Keep::default()).unwrap();
    let staged = store.database.begin_write().unwrap();
    staged
        .open_table(NUMBERS)
        .unwrap()
        .insert("format", FORMAT + 1)
        .unwrap();
    staged.commit().unwrap();
    drop(store);
    let refused = Store::open(directory, Keep::default()).unwrap_err();
    let expected = format!(
        "format {}; this version reads formats up to {FORMAT}",
        FORMAT + 1
    );
    assert!(refused.to_string().contains(&expected), "{refused}");
}

/// Whatever part of the file was changed: the whole state is there, or the damage is told.
#[test]
fn a_damaged_file_is_told_and_never_loaded_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let directory = &folder.path().join("data");
    let store = Store::open(directory, Keep::default()).unwrap();
    let padding = format!(r#"{{"name": "{}"}}"#, "x".repeat(300));
    let names: Vec<String> = (0..200)
        .map(|number| format!("accounts/{number}"))
        .collect();
    let objects: Vec<(&str, Option<&str>)> = names
        .iter()
        .map(|name| (&**name, Some(&*padding)))
        .collect();
    change(&store, now(), &objects);
    let revision = change(&store, now(), &[("settings", Some("{}"))]).revision;
    let whole = store.view().unwrap().all().unwrap();
    drop(store);
    let file = directory.join(FILE);
    let good = fs::read(&file).unwrap();
    let mut told = 0;
    let places = (0..good.len()).step_by(good.len() / 97);
    for place in places {
        let mut bad = good.clone();
        let end = bad.len().min(place + 64);
        bad[place..end].iter_mut().for_each(|byte| *byte ^= 0x55);
        fs::write(&file, &bad).unwrap();
        match Store::open(directory, Keep::default()) {
            Ok(store) => {
                let view = store.view().unwrap();
                assert_eq!(view.revision().unwrap(), revision, "at {place}");
                assert_eq!(view.all().unwrap(), whole, "at {place}");
            }
            Err(_) => told += 1,
        }
    }
    assert!(told > 10, "only {told}");
    for length in [0, 1, 511, 4_096, good.len() / 2] {
        fs::write(&file, &good[..length]).unwrap();
        let refused = Store::open(directory, Keep::default()).unwrap_err();
        assert!(
            matches!(refused, StoreError::Damaged(_)),
            "{length}: {refused}"
        );
    }
    fs::write(&file, "not a store at all, but long enough to be one").unwrap();
    let refused = Store::open(directory, Keep::default()).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused}");
}

#[test]
fn objects_that_are_not_those_of_their_revision_are_damage() {
    let folder = tempfile::tempdir().unwrap();
    let directory = &folder.path().join("data");
    let store = Store::open(directory, Keep::default()).unwrap();
    change(&store, now(), &[("settings", Some("{}"))]);
    let staged = store.database.begin_write().unwrap();
    staged
        .open_table(OBJECTS)
        .unwrap()
        .insert("settings", b"{ }".as_slice())
        .unwrap();
    staged.commit().unwrap();
    drop(store);
    let refused = Store::open(directory, Keep::default()).unwrap_err();
    assert!(matches!(refused, StoreError::Damaged(_)), "{refused}");
}
