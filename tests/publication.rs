//! A model of publish, read and reclaim, run under every kind of interleaving that random schedules
//! find: a reader never meets a freed snapshot and never goes back, and only the reclaiming thread
//! frees what was replaced, each once.
//!
//! The atomic slot stands for `ArcSwap`: a swap gives out the old value with its references paid.

use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::sync::mpsc::{Receiver, TryRecvError, channel};
use shuttle::sync::{Arc, Mutex};
use shuttle::thread;

const SNAPSHOTS: usize = 3;
const READERS: usize = 2;
const READS: usize = 2;

/// A snapshot that knows who frees it.
struct Snapshot {
    number: usize,
    world: Arc<World>,
}

#[derive(Default)]
struct World {
    freed: AtomicUsize,
    reclaimer: Mutex<Option<thread::ThreadId>>,
    stopped: AtomicUsize,
}

impl Drop for Snapshot {
    fn drop(&mut self) {
        self.world.freed.fetch_add(1, Ordering::SeqCst);
        if self.world.stopped.load(Ordering::SeqCst) == 0 {
            let reclaimer = *self.world.reclaimer.lock().unwrap();
            assert_eq!(
                reclaimer,
                Some(thread::current().id()),
                "a reader freed {}",
                self.number
            );
        }
    }
}

/// Drops what nobody else holds, keeps the rest, and ends when no more can come.
fn reclaim(inbox: &Receiver<Arc<Snapshot>>) {
    let mut held: Vec<Arc<Snapshot>> = Vec::new();
    loop {
        match inbox.try_recv() {
            Ok(replaced) => held.push(replaced),
            Err(TryRecvError::Empty) => thread::yield_now(),
            Err(TryRecvError::Disconnected) => break,
        }
        held.retain(|snapshot| Arc::strong_count(snapshot) > 1);
    }
    while !held.is_empty() {
        held.retain(|snapshot| Arc::strong_count(snapshot) > 1);
        thread::yield_now();
    }
}

fn read(slot: &Mutex<Arc<Snapshot>>) {
    let mut newest = 0;
    for _ in 0..READS {
        let snapshot = Arc::clone(&slot.lock().unwrap());
        thread::yield_now();
        assert!(
            snapshot.number >= newest,
            "{} after {newest}",
            snapshot.number
        );
        newest = snapshot.number;
    }
}

fn model() {
    let world = Arc::new(World::default());
    let snapshot = |number| {
        let world = Arc::clone(&world);
        Arc::new(Snapshot { number, world })
    };
    let slot = Arc::new(Mutex::new(snapshot(0)));
    let (replaced, inbox) = channel();
    let reclaimer = thread::spawn(move || reclaim(&inbox));
    *world.reclaimer.lock().unwrap() = Some(reclaimer.thread().id());
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let slot = Arc::clone(&slot);
            thread::spawn(move || read(&slot))
        })
        .collect();
    for number in 1..=SNAPSHOTS {
        let old = std::mem::replace(&mut *slot.lock().unwrap(), snapshot(number));
        replaced.send(old).unwrap();
    }
    drop(replaced);
    for reader in readers {
        reader.join().unwrap();
    }
    reclaimer.join().unwrap();
    assert_eq!(
        world.freed.load(Ordering::SeqCst),
        SNAPSHOTS,
        "all that were replaced are freed"
    );
    world.stopped.store(1, Ordering::SeqCst);
}

#[test]
fn only_the_reclaiming_thread_frees_a_snapshot() {
    shuttle::check_random(model, 5_000);
    shuttle::check_pct(model, 5_000, 3);
}
