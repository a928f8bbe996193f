use std::sync::mpsc;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use futures_util::future::{FutureExt as _, join_all};

use super::*;
use crate::model::arn::Arn;
use crate::model::resource::{LiveResource, LiveTag, Provenance, Write};
use crate::model::tagging::{PrimaryChange, Sweep};
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

    /// The same, from a task, which nobody else beside it does.
    async fn write_alone(&self, number: usize, value: &'static str) -> Result<bool, WriteFault> {
        let done = self
            .writer
            .write(move |turn| ((), set(turn, number, value)));
        done.await.unwrap().map(|done| done.version.is_some())
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

/// The thread that works out a call.
async fn worked_out_by(writer: &DirectoryWriter, number: usize) -> ThreadId {
    let done = writer.write(move |turn| (thread::current().id(), set(turn, number, "1")));
    done.await.unwrap().unwrap().told
}

/// A call that comes alone is committed by who calls, and calls that come together by the thread,
/// as one group; so is the next, and then calls come alone again.
#[tokio::test]
async fn a_call_alone_is_committed_by_who_calls_and_several_by_the_thread() {
    let disk = Disk::default();
    let world = world(Some(&disk));
    let (own, thread) = (thread::current().id(), world.thread.thread().id());
    let writer = &world.writer;
    assert_eq!(worked_out_by(writer, 0).await, own);
    assert_eq!(world.writes.groups().count, 1);
    let together = join_all((1..=10).map(|number| worked_out_by(writer, number)));
    let mut together = Box::pin(together);
    {
        // Until all of them are sent the thread cannot begin.
        let _held = writer.alone.hold();
        assert_eq!((&mut together).now_or_never(), None);
        assert_eq!((&mut together).now_or_never(), None);
    }
    assert_eq!(together.await, [thread; 10]);
    assert_eq!(world.writes.groups().count, 2);
    assert_eq!(worked_out_by(writer, 11).await, thread);
    // The thread may hold the writer a little longer than the call that it answered.
    let begun = Instant::now();
    while worked_out_by(writer, 12).await != own {
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "it is alone again"
        );
    }
    assert_eq!(value(&world.directory, 12).as_deref(), Some("1"));
    world.end();
    let store = DirectoryStore::with_backend(disk).unwrap();
    assert_eq!(store.count().unwrap(), 13);
}

/// What a call leaves to do is done by the thread, whoever committed the call.
#[tokio::test]
async fn what_a_call_alone_leaves_is_done_by_the_thread() {
    let (mut publisher, reader) = publication().unwrap();
    publisher.publish(Snapshot::default());
    let (done, stepped) = mpsc::channel();
    let (writer, thread) = DirectoryWriter::start(Config {
        directory: Arc::default(),
        reader,
        store: None,
        writes: DirectoryWrites::default(),
        step: Box::new(move |_, _| {
            done.send(thread::current().id()).unwrap();
            Plan::default()
        }),
    })
    .unwrap();
    let leaving = writer.write(|_| {
        let left = Work::Sweep(Sweep {
            primary: arn(0),
            change: PrimaryChange::Removed,
            after: None,
            path: Vec::new(),
            cause: Cause::default(),
        });
        let plan = Plan {
            left: vec![left],
            ..Plan::default()
        };
        (thread::current().id(), plan)
    });
    let caller = leaving.await.unwrap().unwrap().told;
    assert_eq!(caller, thread::current().id());
    let by = stepped.recv_timeout(Duration::from_mins(1)).unwrap();
    assert_eq!(by, thread.thread().id());
    drop(writer);
    thread.join().unwrap();
    drop(publisher);
}

/// After a call that panicked nobody knows what is in memory: nothing is written any more.
#[tokio::test]
async fn nothing_is_written_after_a_call_that_panicked() {
    let disk = Disk::default();
    let World {
        directory,
        writer,
        thread,
        ..
    } = world(Some(&disk));
    let panicking = writer.clone();
    let called = tokio::spawn(async move {
        let done = panicking.write(|_| -> ((), Plan) { panic!("on purpose") });
        done.await.map(|_| ())
    });
    assert!(called.await.unwrap_err().is_panic());
    let later = writer.write(|turn| ((), set(turn, 0, "1")));
    assert_eq!(later.await, Err(Gone));
    assert_eq!(value(&directory, 0), None);
    thread.join().unwrap();
    let store = DirectoryStore::with_backend(disk).unwrap();
    assert_eq!(store.count().unwrap(), 0);
}

/// A disk that fails under calls that come alone: each is told so, nobody sees what is not durable,
/// and writes go on when the disk is free again.
#[tokio::test]
async fn a_call_alone_is_told_that_the_disk_fails_until_it_is_free_again() {
    for fault in [Fault::Full, Fault::Sync] {
        let disk = Disk::default();
        let world = world(Some(&disk));
        assert_eq!(world.write_alone(0, "1").await, Ok(true));
        disk.fail_after(0, fault);
        let mut failed = 1;
        while world.write_alone(failed, "1").await.is_ok() {
            failed += 1;
            assert!(failed < 10_000, "the disk fails");
        }
        assert_eq!(value(&world.directory, failed), None);
        assert_eq!(world.write_alone(0, "2").await, Err(WriteFault::Failed));
        assert_eq!(value(&world.directory, 0).as_deref(), Some("1"));
        disk.repair();
        let begun = Instant::now();
        while fault == Fault::Full && world.write_alone(0, "2").await.is_err() {
            assert!(begun.elapsed() < Duration::from_mins(1), "it goes on");
        }
        let (seen, directory) = (world.directory.len(), Arc::clone(&world.directory));
        world.end();
        let mut kept = Vec::new();
        let store = DirectoryStore::with_backend(disk).unwrap();
        store.load(|resource| kept.push(resource)).unwrap();
        let first = kept.iter().find(|resource| resource.arn == arn(0)).unwrap();
        assert_eq!(first.get("n").map(str::to_owned), value(&directory, 0));
        // After a sync that failed the file may hold what nobody was told of.
        let most = if fault == Fault::Sync { seen + 1 } else { seen };
        assert!((seen..=most).contains(&kept.len()), "{fault:?}");
    }
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
