//! Watches the directory of a bundle, and tells each new content of it once.
//!
//! The file system's events only say when to look; what decides is the digest of what is there.
//! The directory is watched with all below it, and its parent for the directory itself being
//! replaced. A burst of events is waited out. Where events are lost, as below mounts of single
//! files, a slow comparison of digests finds the change.
//!
//! Not here: what the files say, and what is done with them (`management`).

use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use notify::event::{AccessKind, AccessMode, EventKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher as _};

use super::{ReadFilesError, Seen, digest_directory, read_settled};
use crate::document::bundle::BundleDigest;

/// The longest that a burst of events is waited out.
const LONGEST_BURST: Duration = Duration::from_secs(2);
/// The slow comparison takes at most one part in this many of a thread's time.
const POLL_SHARE: u32 = 50;

/// What is watched, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The directory of the bundle.
    pub directory: PathBuf,
    /// How long no event may come before the directory is read. Default: 200 ms.
    pub settle: Duration,
    /// How often digests are compared without any event. Default: 5 s.
    pub poll: Duration,
}

impl Config {
    /// The defaults for a directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self {
            directory: directory.into(),
            settle: Duration::from_millis(200),
            poll: Duration::from_secs(5),
        }
    }
}

/// What was found in the directory.
#[derive(Debug)]
pub enum Found {
    /// Files that differ from those found before.
    New(Seen),
    /// The same files as before; told only where somebody asked.
    Same,
    /// It cannot be read, for another reason than before.
    Unreadable(ReadFilesError),
}

/// A directory that is watched, until this value is dropped.
#[derive(Debug)]
pub struct Watch {
    signals: SyncSender<Signal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Changed,
    Reload,
    Stop,
}

impl Watch {
    /// Starts to watch on a thread of its own; what is there at first is told at once.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn start(config: &Config, tell: impl FnMut(Found) + Send + 'static) -> io::Result<Self> {
        let config = Config {
            directory: std::path::absolute(&config.directory)?,
            ..config.clone()
        };
        let (signals, inbox) = sync_channel(16);
        let watching = Watching {
            config,
            tell,
            signals: signals.clone(),
            last: None,
            events: None,
        };
        let thread = std::thread::Builder::new()
            .name("watch".to_owned())
            .spawn(move || watching.run(&inbox))?;
        Ok(Self {
            signals,
            thread: Some(thread),
        })
    }

    /// Looks now; the outcome is told even where nothing changed.
    pub fn reload(&self) {
        // The thread ends only with this value.
        let _ = self.signals.send(Signal::Reload);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let _ = self.signals.send(Signal::Stop);
        if let Some(thread) = self.thread.take() {
            // It does not panic, and a destructor has nobody to tell.
            let _ = thread.join();
        }
    }
}

/// The state of the watching thread.
struct Watching<F> {
    config: Config,
    tell: F,
    signals: SyncSender<Signal>,
    /// What was told last: a digest, or why there is none.
    last: Option<Result<BundleDigest, String>>,
    events: Option<RecommendedWatcher>,
}

impl<F: FnMut(Found)> Watching<F> {
    fn run(mut self, inbox: &Receiver<Signal>) {
        self.look(Signal::Changed);
        let mut wait = self.config.poll;
        loop {
            match inbox.recv_timeout(wait) {
                Ok(Signal::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(signal) => match self.burst(signal, inbox) {
                    Signal::Stop => return,
                    signal @ (Signal::Changed | Signal::Reload) => self.look(signal),
                },
                Err(RecvTimeoutError::Timeout) => wait = self.poll(),
            }
        }
    }

    /// Waits until no event came for a while. What was asked for stands over what happened.
    fn burst(&self, first: Signal, inbox: &Receiver<Signal>) -> Signal {
        let mut signal = first;
        let end = Instant::now() + LONGEST_BURST;
        while signal == Signal::Changed && Instant::now() < end {
            match inbox.recv_timeout(self.config.settle) {
                Ok(next) => signal = next,
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => return Signal::Stop,
            }
        }
        signal
    }

    /// Reads the directory, and tells what is new.
    fn look(&mut self, signal: Signal) {
        // Watched first and read then: a change in between is an event.
        self.watch();
        let found = read_settled(&self.config.directory);
        let now = match &found {
            Ok(seen) => Ok(seen.digest),
            Err(error) => Err(error.to_string()),
        };
        let same = self.last.as_ref() == Some(&now);
        self.last = Some(now);
        match found {
            Ok(seen) if !same => (self.tell)(Found::New(seen)),
            Ok(_) if signal == Signal::Reload => (self.tell)(Found::Same),
            Err(error) if !same || signal == Signal::Reload => {
                (self.tell)(Found::Unreadable(error));
            }
            Ok(_) | Err(_) => {}
        }
    }

    /// Compares digests, and tells how long to wait for the next comparison.
    fn poll(&mut self) -> Duration {
        let start = Instant::now();
        let now = digest_directory(&self.config.directory).map_err(|error| error.to_string());
        let spent = start.elapsed();
        if self.last.as_ref() != Some(&now) {
            self.look(Signal::Changed);
        }
        self.config.poll.max(spent.saturating_mul(POLL_SHARE))
    }

    /// Watches the directory that has the name now.
    fn watch(&mut self) {
        match watcher(&self.config.directory, self.signals.clone()) {
            Ok(events) => self.events = Some(events),
            Err(error) => {
                let directory = self.config.directory.display();
                tracing::warn!(%directory, %error, "events are lost, digests are compared");
                self.events = None;
            }
        }
    }
}

fn watcher(directory: &Path, signals: SyncSender<Signal>) -> notify::Result<RecommendedWatcher> {
    let own = directory.to_owned();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
        if event.map_or(true, |event| concerns(&event, &own)) {
            // A full queue holds a signal already.
            let _ = signals.try_send(Signal::Changed);
        }
    })?;
    if let Some(parent) = directory.parent() {
        watcher.watch(parent, RecursiveMode::NonRecursive)?;
    }
    if directory.exists() {
        watcher.watch(directory, RecursiveMode::Recursive)?;
    }
    Ok(watcher)
}

/// Whether an event may be a change: reading is none, and the parent holds others too.
fn concerns(event: &Event, directory: &Path) -> bool {
    let changes = match event.kind {
        EventKind::Access(kind) => kind == AccessKind::Close(AccessMode::Write),
        EventKind::Any
        | EventKind::Create(_)
        | EventKind::Modify(_)
        | EventKind::Remove(_)
        | EventKind::Other => true,
    };
    let here = |path: &PathBuf| path.starts_with(directory);
    event.need_rescan() || (changes && (event.paths.is_empty() || event.paths.iter().any(here)))
}
