//! Watches files on a thread of its own, and looks at them when they may have changed.
//!
//! The file system's events only say when to look; what is there decides ([`Watched`]). A burst of
//! events is waited out. Where events are lost, as below mounts of single files, a slow comparison
//! finds the change.
//!
//! Not here: which files, and what they mean.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, Watcher as _};

pub use notify::RecursiveMode;

use crate::memory::apart;

/// The longest that a burst of events is waited out.
const LONGEST_BURST: Duration = Duration::from_secs(2);
/// The slow comparison takes at most one part in this many of a thread's time.
const POLL_SHARE: u32 = 50;

/// What is watched.
pub trait Watched: Send + 'static {
    /// The directories whose events count, as they are now.
    fn places(&self) -> Vec<(PathBuf, RecursiveMode)>;

    /// Which paths of events count.
    fn concern(&self) -> Box<dyn Fn(&Path) -> bool + Send>;

    /// Reads what is there, and tells what is new.
    fn look(&mut self, cause: Cause);

    /// Whether another look is worth its while, though no event told of a change.
    fn differs(&mut self) -> bool;
}

/// Why somebody looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// Something may have changed.
    Changed,
    /// Somebody asked.
    Asked,
}

/// When the files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// How long no event may come before a look. Default: 200 ms.
    pub settle: Duration,
    /// How often is compared without any event. Default: 5 s.
    pub poll: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            settle: Duration::from_millis(200),
            poll: Duration::from_secs(5),
        }
    }
}

/// Files that are watched, until this value is dropped.
#[derive(Debug)]
pub struct Watcher {
    signals: SyncSender<Signal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Look(Cause),
    Stop,
}

impl Watcher {
    /// Starts to watch on a thread of its own, with a look at once.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn start(name: &str, watched: impl Watched, pace: Pace) -> io::Result<Self> {
        let (signals, inbox) = sync_channel(16);
        let watching = Watching {
            watched,
            pace,
            signals: signals.clone(),
            events: None,
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || watching.run(&inbox))?;
        Ok(Self {
            signals,
            thread: Some(thread),
        })
    }

    /// Looks now.
    pub fn look(&self) {
        // The thread ends only with this value.
        let _ = self.signals.send(Signal::Look(Cause::Asked));
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.signals.send(Signal::Stop);
        if let Some(thread) = self.thread.take() {
            // It does not panic, and a destructor has nobody to tell.
            let _ = thread.join();
        }
    }
}

/// The state of the watching thread.
struct Watching<W> {
    watched: W,
    pace: Pace,
    signals: SyncSender<Signal>,
    events: Option<RecommendedWatcher>,
}

impl<W: Watched> Watching<W> {
    fn run(mut self, inbox: &Receiver<Signal>) {
        self.look(Cause::Changed);
        let mut wait = self.pace.poll;
        loop {
            match inbox.recv_timeout(wait) {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Signal::Look(cause)) => match self.burst(cause, inbox) {
                    Signal::Stop => return,
                    Signal::Look(cause) => self.look(cause),
                },
                Err(RecvTimeoutError::Timeout) => wait = self.poll(),
            }
        }
    }

    /// Waits until no event came for a while. What was asked for stands over what happened.
    fn burst(&self, first: Cause, inbox: &Receiver<Signal>) -> Signal {
        let mut signal = Signal::Look(first);
        let end = Instant::now() + LONGEST_BURST;
        while signal == Signal::Look(Cause::Changed) && Instant::now() < end {
            match inbox.recv_timeout(self.pace.settle) {
                Ok(next) => signal = next,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Signal::Stop,
            }
        }
        signal
    }

    fn look(&mut self, cause: Cause) {
        // Watched first and read then: a change in between is an event.
        self.watch();
        apart("look", || self.watched.look(cause));
    }

    /// Compares, and tells how long to wait for the next comparison.
    fn poll(&mut self) -> Duration {
        let start = Instant::now();
        let mut differs = false;
        apart("look", || differs = self.watched.differs());
        let spent = start.elapsed();
        if differs {
            self.look(Cause::Changed);
        }
        self.pace.poll.max(spent.saturating_mul(POLL_SHARE))
    }

    /// Watches the directories that have the names now.
    fn watch(&mut self) {
        match self.watcher() {
            Ok(events) => self.events = Some(events),
            Err(error) => {
                tracing::warn!(%error, "events are lost, files are compared");
                self.events = None;
            }
        }
    }

    fn watcher(&self) -> notify::Result<RecommendedWatcher> {
        let (signals, concern) = (self.signals.clone(), self.watched.concern());
        let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            if event.map_or(true, |event| concerns(&event, &concern)) {
                // A full queue holds a signal already.
                let _ = signals.try_send(Signal::Look(Cause::Changed));
            }
        })?;
        for (directory, mode) in self.watched.places() {
            watcher.watch(&directory, mode)?;
        }
        Ok(watcher)
    }
}

/// Whether an event may be a change: reading is none, and a directory holds others too.
fn concerns(event: &Event, concern: impl Fn(&Path) -> bool) -> bool {
    let changes = match event.kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    };
    let here = |path: &PathBuf| concern(path);
    event.need_rescan() || (changes && (event.paths.is_empty() || event.paths.iter().any(here)))
}
