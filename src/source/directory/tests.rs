pub(crate) mod disk;

use std::collections::BTreeMap;
use std::fs;

use self::disk::{Disk, Fault, Random};
use super::*;
use crate::model::account::Name;
use crate::model::arn::Arn;
use crate::model::inheritance::RuleId;
use crate::model::resource::{Association, LiveTag, Provenance};

type State = BTreeMap<String, LiveResource>;

fn resource(number: u64, version: u64) -> LiveResource {
    let arn = format!("acs:ecs:cn-hangzhou:1:instance/i-{number}");
    let tag = |value: String, provenance| LiveTag {
        value: value.into(),
        provenance,
    };
    let association = Association {
        primary: Arn::try_from("acs:ecs:cn-hangzhou:1:instance/i-0").unwrap(),
        rule: RuleId::try_from("rule:Own:Ecs-Instance:Ecs-Disk").unwrap(),
    };
    let group = Name::try_from("rg-1").unwrap();
    let tags = [
        ("env", tag(format!("v{version}"), Provenance::Own)),
        (
            "cost",
            tag(String::new(), Provenance::Inherited(association.clone())),
        ),
        (
            "team",
            tag("a".to_owned(), Provenance::Group(group.clone())),
        ),
        ("Größe", tag("ä".to_owned(), Provenance::Correction)),
    ];
    let kept = usize::try_from(number % 5).unwrap();
    LiveResource {
        arn: Arn::try_from(&*arn).unwrap(),
        account: number.is_multiple_of(2).then(|| "7".try_into().unwrap()),
        region: number.is_multiple_of(3).then(|| "cn-beijing".into()),
        kind: number.is_multiple_of(4).then(|| "ecs:instance".into()),
        group: number.is_multiple_of(5).then_some(group),
        version: Version(version),
        tags: tags
            .into_iter()
            .take(kept)
            .map(|(key, tag)| (key.into(), tag))
            .collect(),
        primaries: if number % 3 == 1 {
            vec![association]
        } else {
            Vec::new()
        },
    }
}

fn write(resource: LiveResource) -> Write {
    Write {
        arn: resource.arn.clone(),
        expected: None,
        next: Some(resource),
    }
}

fn removal(number: u64) -> Write {
    Write {
        next: None,
        ..write(resource(number, 0))
    }
}

fn load(store: &DirectoryStore) -> Result<(State, Loaded), StoreError> {
    let mut state = State::new();
    let loaded = store.load(|resource| {
        state.insert(resource.arn.to_string(), resource);
    })?;
    Ok((state, loaded))
}

fn commit(store: &DirectoryStore, version: u64, writes: &[Write]) -> Result<(), StoreError> {
    let done = store.commit(&Group {
        version: Version(version),
        writes,
        notes: &[("work/1".to_owned(), Some(version.to_le_bytes().to_vec()))],
    });
    done.map(|_| ())
}

fn apply(state: &mut State, writes: &[Write]) {
    for Write { arn, next, .. } in writes {
        match next {
            Some(next) => state.insert(arn.to_string(), next.clone()),
            None => state.remove(arn.as_str()),
        };
    }
}

#[test]
fn everything_that_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("data");
    let store = DirectoryStore::open(&directory).unwrap();
    assert_eq!(load(&store).unwrap(), (State::new(), Loaded::default()));
    let mut state = State::new();
    let writes: Vec<Write> = (0..40).map(|number| write(resource(number, 1))).collect();
    commit(&store, 1, &writes).unwrap();
    apply(&mut state, &writes);
    // Of two writes of one resource the later stands.
    let writes = [
        removal(3),
        removal(99),
        write(resource(4, 2)),
        write(resource(4, 3)),
    ];
    commit(&store, 3, &writes).unwrap();
    apply(&mut state, &writes);
    let source = store.source();
    drop(store);
    let store = DirectoryStore::open(&directory).unwrap();
    let (found, loaded) = load(&store).unwrap();
    assert_eq!(found, state);
    assert_eq!((loaded.version, loaded.resources), (Version(3), 39));
    assert_eq!(
        loaded.notes,
        [("work/1".to_owned(), 3_u64.to_le_bytes().to_vec())]
    );
    assert_eq!(store.source(), source);
    let fewer: Vec<LiveResource> = (100..103).map(|number| resource(number, 4)).collect();
    let notes = [("work/1".to_owned(), None)];
    store.replace(Version(4), &fewer, &notes).unwrap();
    drop(store);
    let store = DirectoryStore::open(&directory).unwrap();
    let (found, loaded) = load(&store).unwrap();
    assert_eq!(found.into_values().collect::<Vec<_>>(), fewer);
    assert_eq!((loaded.version, loaded.notes), (Version(4), Vec::new()));
}

/// The power goes at some operation of the disk, and what was not synced is there in part, in any
/// order, or torn: every acknowledged group is there, and of the last one all or nothing.
#[test]
fn what_was_acknowledged_survives_a_lost_cache() {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    let (mut acknowledged, mut kept, mut lost) = (0, 0, 0);
    for round in 0..120 {
        let disk = Disk::default();
        let store = DirectoryStore::with_backend(disk.clone()).unwrap();
        let mut before = State::new();
        let seed: Vec<Write> = (0..30).map(|number| write(resource(number, 1))).collect();
        commit(&store, 1, &seed).unwrap();
        apply(&mut before, &seed);
        disk.fail_after(random.below(120), Fault::Cut);
        let mut after = before.clone();
        for version in 2..60 {
            let writes: Vec<Write> = (0..=random.below(6))
                .map(|_| match random.below(4) {
                    0 => removal(random.below(40)),
                    _ => write(resource(random.below(40), version)),
                })
                .collect();
            after = before.clone();
            apply(&mut after, &writes);
            if commit(&store, version, &writes).is_err() {
                break;
            }
            acknowledged += 1;
            before.clone_from(&after);
        }
        drop(store);
        let disk = disk.after_the_cut(&mut random);
        let store = DirectoryStore::with_backend(disk).unwrap();
        let (found, _) = load(&store).unwrap();
        if found == after {
            kept += 1;
        } else {
            assert_eq!(found, before, "round {round}");
            lost += 1;
        }
        // It can be written again.
        commit(&store, 99, &[write(resource(1, 99))]).unwrap();
        let (found, loaded) = load(&store).unwrap();
        assert_eq!(found[resource(1, 99).arn.as_str()], resource(1, 99));
        assert_eq!(loaded.version, Version(99));
    }
    assert!(
        acknowledged > 250 && kept > 0 && lost > 10,
        "{acknowledged} acknowledged, of the last groups {kept} kept and {lost} lost"
    );
}

/// What a sync takes goes by the places that are written, and hardly by their bytes: a write of one
/// resource is its leaf with those above it, one page of totals, and what the file keeps of itself.
#[test]
fn a_write_of_one_resource_is_few_places_of_the_disk() {
    let disk = Disk::default();
    let store = DirectoryStore::with_backend(disk.clone()).unwrap();
    let seed: Vec<Write> = (0..20_000)
        .map(|number| write(resource(number, 1)))
        .collect();
    commit(&store, 1, &seed).unwrap();
    let mut most = 0;
    for version in 2..40 {
        let before = disk.writes();
        let group = Group {
            version: Version(version),
            writes: &[write(resource(version * 487, version))],
            notes: &[],
        };
        store.commit(&group).unwrap();
        most = most.max(disk.writes() - before);
    }
    assert!(most <= 9, "{most} places");
}

/// A disk that is full or does not sync: the error is told, and the store is what it was.
#[test]
fn a_disk_that_fails_is_told_and_the_store_stays_whole() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for fault in [Fault::Full, Fault::Sync] {
        let mut failed = 0;
        for round in 0..60 {
            let disk = Disk::default();
            let store = DirectoryStore::with_backend(disk.clone()).unwrap();
            let mut before = State::new();
            let mut after = State::new();
            disk.fail_after(random.below(60), fault);
            for version in 1..80 {
                let writes: Vec<Write> = (0..20)
                    .map(|place| write(resource(version * 20 + place, version)))
                    .collect();
                apply(&mut after, &writes);
                match commit(&store, version, &writes) {
                    Ok(()) => before.clone_from(&after),
                    Err(error) => {
                        let told = error.to_string();
                        assert!(told.contains(fault.message()), "{told}");
                        failed += 1;
                        break;
                    }
                }
            }
            // Nothing is written over an error that was not looked at.
            let last = [write(resource(1, 99))];
            match commit(&store, 99, &last) {
                Ok(()) => {
                    assert_eq!(before, after, "round {round}");
                    apply(&mut before, &last);
                    apply(&mut after, &last);
                }
                Err(_) => assert_ne!(before, after, "round {round}"),
            }
            drop(store);
            disk.repair();
            let store = DirectoryStore::with_backend(disk).unwrap();
            let (found, _) = load(&store).unwrap();
            assert!(found == before || found == after, "round {round}");
        }
        assert!(failed > 10, "{fault:?}: only {failed}");
    }
}

/// When a disk takes bytes again, a store that is opened again holds what was committed, and what
/// failed entirely or not at all.
#[test]
fn a_store_is_opened_again_when_the_disk_is_free() {
    let mut random = Random(0x0123_4567_89ab_cdef);
    let mut failed = 0;
    for round in 0..40 {
        let disk = Disk::default();
        let store = DirectoryStore::with_backend(disk.clone()).unwrap();
        let (mut before, mut after) = (State::new(), State::new());
        disk.fail_after(random.below(60), Fault::Full);
        let writes = |version: u64| -> Vec<Write> {
            let places = version * 20..version * 20 + 20;
            places
                .map(|place| write(resource(place, version)))
                .collect()
        };
        let Some(version) = (1..80).find(|version| {
            let writes = writes(*version);
            apply(&mut after, &writes);
            let done = commit(&store, *version, &writes);
            if done.is_ok() {
                before.clone_from(&after);
            }
            done.is_err()
        }) else {
            continue;
        };
        failed += 1;
        disk.repair();
        let newest = store.reopen().unwrap();
        let (found, loaded) = load(&store).unwrap();
        assert_eq!(loaded.version, newest);
        if newest == Version(version) {
            assert_eq!(found, after, "round {round}");
        } else {
            assert_eq!(
                (newest, found),
                (Version(version - 1), before),
                "round {round}"
            );
        }
        commit(&store, 99, &[write(resource(1, 99))]).unwrap();
        drop(store);
        let store = DirectoryStore::with_backend(disk).unwrap();
        let (found, _) = load(&store).unwrap();
        assert_eq!(found[resource(1, 99).arn.as_str()], resource(1, 99));
    }
    assert!(failed > 10, "only {failed}");
}

/// After a sync that failed nobody can tell what the disk holds, whatever it says then.
#[test]
fn a_store_is_not_opened_again_after_a_sync_that_failed() {
    let disk = Disk::default();
    let store = DirectoryStore::with_backend(disk.clone()).unwrap();
    commit(&store, 1, &[write(resource(1, 1))]).unwrap();
    disk.fail_after(0, Fault::Sync);
    commit(&store, 2, &[write(resource(2, 2))]).unwrap_err();
    disk.repair();
    for _ in 0..2 {
        let refused = store.reopen().unwrap_err();
        assert!(matches!(refused, StoreError::Unsynced), "{refused}");
        commit(&store, 3, &[write(resource(3, 3))]).unwrap_err();
    }
}

/// A file that is gone is not made anew, and another one is not taken for it.
#[test]
fn only_the_same_store_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, other) = (folder.path().join("data"), folder.path().join("other"));
    let store = DirectoryStore::open(&directory).unwrap();
    commit(&store, 1, &[write(resource(1, 1))]).unwrap();
    assert_eq!(store.reopen().unwrap(), Version(1));
    let file = directory.join(FILE);
    fs::remove_file(&file).unwrap();
    let refused = store.reopen().unwrap_err();
    assert!(matches!(refused, StoreError::Place { .. }), "{refused}");
    assert!(!file.exists());
    drop(DirectoryStore::open(&other).unwrap());
    fs::rename(other.join(FILE), &file).unwrap();
    let refused = store.reopen().unwrap_err();
    assert!(refused.to_string().contains("another store"), "{refused}");
}

#[test]
fn a_damaged_file_is_told_and_never_loaded_in_part() {
    let folder = tempfile::tempdir().unwrap();
    let directory = &folder.path().join("data");
    let store = DirectoryStore::open(directory).unwrap();
    let writes: Vec<Write> = (0..2_000)
        .map(|number| write(resource(number, 1)))
        .collect();
    commit(&store, 1, &writes).unwrap();
    let whole = load(&store).unwrap();
    drop(store);
    let file = directory.join(FILE);
    let good = fs::read(&file).unwrap();
    let mut told = 0;
    for place in (0..good.len()).step_by(good.len() / 97) {
        let mut bad = good.clone();
        let end = bad.len().min(place + 64);
        bad[place..end].iter_mut().for_each(|byte| *byte ^= 0x55);
        fs::write(&file, &bad).unwrap();
        match DirectoryStore::open(directory).and_then(|store| load(&store)) {
            Ok(found) => assert_eq!(found, whole, "at {place}"),
            Err(_) => told += 1,
        }
    }
    assert!(told > 10, "only {told}");
    for length in [0, 1, 511, 4_096, good.len() / 2] {
        fs::write(&file, &good[..length]).unwrap();
        let refused = DirectoryStore::open(directory).unwrap_err();
        assert!(
            matches!(refused, StoreError::Damaged(_)),
            "{length}: {refused}"
        );
    }
}

/// What a checksum of the file cannot tell: rows that are not those that were written.
#[test]
fn rows_that_are_not_those_that_were_written_are_damage() {
    let check = |harm: &dyn Fn(&WriteTransaction), expected: &str| {
        let store = DirectoryStore::with_backend(Disk::default()).unwrap();
        let writes: Vec<Write> = (0..9).map(|number| write(resource(number, 1))).collect();
        commit(&store, 1, &writes).unwrap();
        let staged = store.hold().unwrap();
        harm(&staged);
        staged.commit().unwrap();
        let refused = load(&store).unwrap_err();
        assert!(matches!(refused, StoreError::Damaged(_)), "{refused}");
        assert!(refused.to_string().contains(expected), "{refused}");
    };
    let arn = resource(3, 1).arn;
    let other = resource(4, 1).arn;
    check(
        &|staged| {
            staged
                .open_table(RESOURCES)
                .unwrap()
                .remove(arn.as_str())
                .unwrap();
        },
        "its rows are not those",
    );
    check(
        &|staged| {
            let mut table = staged.open_table(RESOURCES).unwrap();
            let row = table.get(other.as_str()).unwrap().unwrap().value().to_vec();
            table.insert(arn.as_str(), &*row).unwrap();
        },
        "the row of `acs:ecs:cn-hangzhou:1:instance/i-3`",
    );
    check(
        &|staged| {
            staged
                .open_table(NOTES)
                .unwrap()
                .insert("work/1", [1; 30].as_slice())
                .unwrap();
        },
        "the row of `work/1`",
    );
}

#[test]
fn a_newer_format_is_refused() {
    let disk = Disk::default();
    let store = DirectoryStore::with_backend(disk.clone()).unwrap();
    let staged = store.hold().unwrap();
    staged
        .open_table(NUMBERS)
        .unwrap()
        .insert("format", FORMAT + 1)
        .unwrap();
    staged.commit().unwrap();
    drop(store);
    let refused = DirectoryStore::with_backend(disk).unwrap_err();
    assert!(matches!(
        refused,
        StoreError::NewerFormat { found, known } if (found, known) == (FORMAT + 1, FORMAT)
    ));
}

proptest::proptest! {
    #[test]
    fn bytes_that_are_no_row_are_refused(bytes: Vec<u8>) {
        // Whatever it says, it says it without a panic.
        let _ = row::decode("acs:ecs::1:instance/a", &bytes, &mut row::Names::default());
    }

    #[test]
    fn bytes_that_are_no_note_are_refused(name in "(rules/[0-9a]{0,3}|work/[0-9a]{0,3}|x)", bytes: Vec<u8>) {
        let _ = note::read(&name, bytes);
    }
}
