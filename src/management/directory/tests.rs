use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;
use crate::model::arn::Arn;
use crate::model::resource::{LiveResource, LiveTag, Provenance, Write};
use crate::publish::{Publisher, publication};
use crate::source::directory::tests::disk::{Disk, Fault};
use crate::tagging::View as _;

struct World {
    publisher: Publisher,
    directory: Arc<Directory>,
    writes: DirectoryWrites,
    writer: DirectoryWriter,
    thread: JoinHandle<()>,
}

fn world(disk: Option<&Disk>) -> World {
    let (mut publisher, reader) = publication().unwrap();
    publisher.publish(Snapshot::default());
    let (directory, counted) = (Arc::new(Directory::default()), DirectoryWrites::default());
    let store = disk.map(|disk| DirectoryStore::with_backend(disk.clone()).unwrap());
    let started = DirectoryWriter::start(Config {
        directory: Arc::clone(&directory),
        reader,
        store: store.map(Arc::new),
        writes: counted.clone(),
        step: Box::new(|_, _| Plan::default()),
    });
    let (writer, thread) = started.unwrap();
    World {
        publisher,
        directory,
        writes: counted,
        writer,
        thread,
    }
}

/// A writer that wrote once, with a disk that fails from now on.
fn failing(fault: Fault) -> (Disk, World) {
    let disk = Disk::default();
    let world = world(Some(&disk));
    assert_eq!(world.write(0, "1"), Ok(true));
    disk.fail_after(0, fault);
    (disk, world)
}

impl World {
    /// Sets a tag; whether that was a change.
    fn write(&self, number: usize, value: &'static str) -> Result<bool, WriteFault> {
        let writer = &self.writer;
        let done = writer.blocking_write(move |turn| ((), set(turn, number, value)));
        done.unwrap().map(|done| done.version.is_some())
    }

    /// The first resource that cannot be written: small writes may find place in what the file has
    /// already.
    fn first_failed(&self) -> usize {
        let failed = (1..10_000).find(|number| self.write(*number, "1").is_err());
        failed.expect("the disk fails")
    }

    /// Ends the writer.
    fn end(self) {
        drop(self.writer);
        self.thread.join().unwrap();
    }
}

fn arn(number: usize) -> Arn {
    Arn::try_from(&*format!("acs:ecs:cn-hangzhou:1:instance/{number}")).unwrap()
}

/// A plan that sets the tag `n` of a resource, whatever it has.
fn set(turn: &Turn<'_>, number: usize, value: &str) -> Plan {
    let arn = arn(number);
    let found = turn.view.find(arn.as_str());
    let expected = found.as_ref().map(|found| found.version);
    let mut next = found.unwrap_or_else(|| LiveResource {
        arn: arn.clone(),
        account: None,
        region: None,
        kind: None,
        group: None,
        version: Version::default(),
        tags: std::collections::BTreeMap::new(),
        primaries: Vec::new(),
    });
    let tag = LiveTag {
        value: value.into(),
        provenance: Provenance::Own,
    };
    next.tags.insert("n".into(), tag);
    Plan {
        writes: vec![Write {
            arn,
            expected,
            next: Some(next),
        }],
        ..Plan::default()
    }
}

fn value(directory: &Directory, number: usize) -> Option<String> {
    let found = directory.live(arn(number).as_str())?;
    found.get("n").map(str::to_owned)
}

/// Calls that wait while another is worked out are one group, and each sees those before it.
#[test]
fn calls_that_wait_are_committed_together() {
    let disk = Disk::default();
    let World {
        directory,
        writes,
        writer,
        thread,
        publisher,
    } = world(Some(&disk));
    let (go, wait) = mpsc::channel::<()>();
    let (tell_begun, begin) = mpsc::channel::<()>();
    let first = {
        let writer = writer.clone();
        std::thread::spawn(move || {
            writer.blocking_write(move |turn| {
                tell_begun.send(()).unwrap();
                wait.recv().unwrap();
                ((), set(turn, 0, ""))
            })
        })
    };
    begin.recv().unwrap();
    let (told, answers) = mpsc::channel();
    for number in 1..=10 {
        let (job, answer) = Asked::new(move |turn: &Turn<'_>| {
            let before = turn.view.find(arn(0).as_str());
            let before = before.and_then(|found| found.get("n").map(str::to_owned));
            (before, set(turn, 0, &number.to_string()))
        });
        writer
            .commands
            .try_send(Command::Work(Box::new(job)))
            .unwrap_or_else(|_| panic!("there is place"));
        told.send(answer).unwrap();
    }
    go.send(()).unwrap();
    let first = first.join().unwrap().unwrap().unwrap();
    drop(told);
    let mut last = first.version.unwrap();
    for (place, answer) in answers.into_iter().enumerate() {
        let Done { told, version } = answer.blocking_recv().unwrap().unwrap();
        let before = if place == 0 {
            String::new()
        } else {
            place.to_string()
        };
        assert_eq!(told, Some(before));
        assert!(version.unwrap() > last);
        last = version.unwrap();
    }
    assert_eq!(value(&directory, 0).as_deref(), Some("10"));
    assert_eq!((writes.changes(), writes.groups().count), (11, 2));
    drop(writer);
    thread.join().unwrap();
    let mut kept = Vec::new();
    let store = DirectoryStore::with_backend(disk).unwrap();
    let loaded = store.load(|resource| kept.push(resource)).unwrap();
    assert_eq!((loaded.version, kept.len()), (last, 1));
    assert_eq!(kept[0].get("n"), Some("10"));
    drop(publisher);
}

/// security 4: "re-evaluated on conflict at most 3 times, then ABORTED".
#[test]
fn a_call_is_worked_out_anew_where_the_policies_changed_and_given_up_in_time() {
    let World {
        publisher,
        directory,
        writer,
        ..
    } = world(None);
    let publisher = Arc::new(std::sync::Mutex::new(publisher));
    let attempt = |changes: usize| {
        let (publisher, mut times) = (Arc::clone(&publisher), 0);
        let done = writer.blocking_write(move |turn| {
            times += 1;
            if times <= changes {
                publisher.lock().unwrap().publish(Snapshot::default());
            }
            (times, set(turn, 0, &changes.to_string()))
        });
        done.unwrap().map(|done| done.told)
    };
    assert_eq!(attempt(0), Ok(1));
    assert_eq!(attempt(3), Ok(4));
    assert_eq!(attempt(4), Err(WriteFault::Conflict));
    assert_eq!(value(&directory, 0).as_deref(), Some("3"));
}

/// A plan of another state is not committed, and leaves no trace.
#[test]
fn a_plan_that_does_not_fit_is_a_conflict() {
    let World {
        directory, writer, ..
    } = world(None);
    let mut times = 0;
    let done = writer.blocking_write(move |turn| {
        times += 1;
        let mut plan = set(turn, 0, "1");
        // It fits when it is worked out for the third time.
        for write in &mut plan.writes {
            write.expected = (times < 3).then_some(Version(7));
        }
        (times, plan)
    });
    assert_eq!(done.unwrap().unwrap().told, 3);
    let done = writer.blocking_write(|turn| {
        let mut plan = set(turn, 0, "2");
        for write in &mut plan.writes {
            write.expected = None;
        }
        ((), plan)
    });
    assert_eq!(done.unwrap(), Err(WriteFault::Conflict));
    assert_eq!(value(&directory, 0).as_deref(), Some("1"));
}

/// A disk that fails: the call is told so, and nobody sees what is not durable.
#[test]
fn what_cannot_be_written_is_seen_by_nobody() {
    for fault in [Fault::Full, Fault::Sync] {
        let (disk, world) = failing(fault);
        let failed = world.first_failed();
        assert_eq!(value(&world.directory, failed), None);
        assert_eq!(world.write(0, "2"), Err(WriteFault::Failed));
        assert_eq!(value(&world.directory, 0).as_deref(), Some("1"));
        world.end();
        disk.repair();
        let store = DirectoryStore::with_backend(disk).unwrap();
        let mut kept = 0;
        store.load(|_| kept += 1).unwrap();
        assert!(
            kept == failed || kept == failed + 1,
            "{fault:?}: {kept} of {failed}"
        );
    }
}

/// A disk that takes bytes again: a later call finds the file as it is, and goes on.
#[test]
fn writes_go_on_when_the_disk_is_free_again() {
    let (disk, world) = failing(Fault::Full);
    let failed = world.first_failed();
    assert!(world.writes.is_failing());
    disk.repair();
    let begun = Instant::now();
    while world.write(0, "2").is_err() {
        assert!(begun.elapsed() < Duration::from_mins(1), "it goes on");
    }
    assert!(!world.writes.is_failing());
    let directory = Arc::clone(&world.directory);
    assert_eq!(value(&directory, 0).as_deref(), Some("2"));
    world.end();
    // The call that failed is in the file and in sight, or in neither.
    let mut kept = Vec::new();
    let store = DirectoryStore::with_backend(disk).unwrap();
    store.load(|resource| kept.push(resource.arn)).unwrap();
    let seen = value(&directory, failed).is_some();
    assert_eq!(
        (kept.contains(&arn(failed)), kept.len()),
        (seen, directory.len())
    );
}

/// A sync that failed is not forgotten before another process looks.
#[test]
fn nothing_is_written_after_a_sync_that_failed() {
    let (disk, world) = failing(Fault::Sync);
    assert_eq!(world.write(0, "2"), Err(WriteFault::Failed));
    disk.repair();
    // Longer than a file that is free again is left alone.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(1_500) {
        assert_eq!(world.write(0, "3"), Err(WriteFault::Failed));
    }
    assert!(world.writes.is_failing());
}
