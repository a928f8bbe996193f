//! What is made of some files: the last that could be used, while the files change.
//!
//! Files that cannot be used change nothing. Why not is told in the log, by probes and in metrics,
//! and they are looked at again from time to time, because a certificate may not be valid yet.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwap, ArcSwapOption};
use jiff::Timestamp;

use super::Place;
use super::files::{Content, Fingerprint, ReadError, read_all, read_settled};
use crate::source::watch::{Cause, RecursiveMode, Watched};

/// Files, and what is made of them.
pub(super) trait Material: Clone + fmt::Debug + Send + Sync + 'static {
    /// What is made.
    type Made: fmt::Debug + Send + Sync + 'static;
    /// Why it cannot be made.
    type Error: std::error::Error + From<ReadError>;

    /// What it is, in the log.
    const WHAT: &'static str;

    /// What was made, in a line of the log.
    fn summary(made: &Self::Made) -> String;

    /// The files.
    fn paths(&self) -> Vec<&Path>;

    /// Makes it of the files' contents, which come in the order of the paths.
    fn make(&self, files: &[Content]) -> Result<Self::Made, Self::Error>;
}

/// Why newer files are not in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedFiles {
    /// Since when there have been such files.
    pub since: Timestamp,
    /// What is wrong with the newest.
    pub why: String,
}

/// How often changed files were put into force, and how often they were refused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changes {
    /// Put into force.
    pub published: u64,
    /// Refused.
    pub refused: u64,
}

/// What is in force of some files.
#[derive(Debug)]
pub(super) struct Kept<M: Material> {
    material: M,
    made: ArcSwap<M::Made>,
    refused: ArcSwapOption<RefusedFiles>,
    published_count: AtomicU64,
    refused_count: AtomicU64,
    first: Fingerprint,
}

impl<M: Material> Kept<M> {
    /// Reads the files for the first time.
    pub(super) fn load(material: M) -> Result<Self, M::Error> {
        let files = read_settled(&material.paths())?;
        let made = material.make(&files)?;
        Ok(Self {
            first: Fingerprint::of(&files),
            material,
            made: ArcSwap::from_pointee(made),
            refused: ArcSwapOption::empty(),
            published_count: AtomicU64::new(0),
            refused_count: AtomicU64::new(0),
        })
    }

    /// The files.
    pub(super) fn material(&self) -> &M {
        &self.material
    }

    /// What is in force.
    pub(super) fn in_force(&self) -> Arc<M::Made> {
        self.made.load_full()
    }

    /// Why newer files are not, where there are some.
    pub(super) fn refused(&self) -> Option<Arc<RefusedFiles>> {
        self.refused.load_full()
    }

    /// How often the files changed.
    pub(super) fn changes(&self) -> Changes {
        Changes {
            published: self.published_count.load(Ordering::Relaxed),
            refused: self.refused_count.load(Ordering::Relaxed),
        }
    }

    fn publish(&self, made: M::Made) {
        self.made.store(Arc::new(made));
        self.refused.store(None);
        self.published_count.fetch_add(1, Ordering::Relaxed);
    }

    fn refuse(&self, why: String) {
        let before = self.refused.load();
        let since = before.as_ref().map(|before| before.since);
        self.refused.store(Some(Arc::new(RefusedFiles {
            since: since.unwrap_or_else(Timestamp::now),
            why,
        })));
        self.refused_count.fetch_add(1, Ordering::Relaxed);
    }
}

/// Watches the files of what is kept.
pub(super) struct Watching<M: Material> {
    kept: Arc<Kept<M>>,
    listeners: Place,
    /// What was looked at last; none, if it could not be read.
    last: Option<Fingerprint>,
}

impl<M: Material> Watching<M> {
    pub(super) fn new(kept: Arc<Kept<M>>, listeners: Place) -> Self {
        Self {
            last: Some(kept.first),
            kept,
            listeners,
        }
    }

    /// What the files say now, if they changed or were refused before.
    fn newest(&mut self, cause: Cause) -> Option<Result<M::Made, M::Error>> {
        let material = &self.kept.material;
        let files = match read_settled(&material.paths()) {
            Ok(files) => files,
            Err(error) => {
                self.last = None;
                return Some(Err(error.into()));
            }
        };
        let now = Fingerprint::of(&files);
        let same = self.last == Some(now) && self.kept.refused().is_none();
        self.last = Some(now);
        if same && cause == Cause::Changed {
            return None;
        }
        Some(material.make(&files))
    }
}

impl<M: Material> Watched for Watching<M> {
    /// The directories of the files: a mounted secret is replaced by a rename in its directory.
    fn places(&self) -> Vec<(PathBuf, RecursiveMode)> {
        let paths = self.kept.material.paths();
        let mut directories: Vec<PathBuf> = paths
            .into_iter()
            .filter_map(|path| Some(std::path::absolute(path).ok()?.parent()?.to_owned()))
            .collect();
        directories.sort();
        directories.dedup();
        directories
            .into_iter()
            .map(|directory| (directory, RecursiveMode::NonRecursive))
            .collect()
    }

    fn concern(&self) -> Box<dyn Fn(&Path) -> bool + Send> {
        // A link on the way to a file has any name.
        Box::new(|_| true)
    }

    fn look(&mut self, cause: Cause) {
        let (what, listeners) = (M::WHAT, self.listeners.as_str());
        match self.newest(cause) {
            None => {}
            Some(Ok(made)) => {
                let summary = M::summary(&made);
                self.kept.publish(made);
                // Told when it is done: whoever reads it finds it so.
                tracing::info!(listeners, what, summary, "put into force");
            }
            Some(Err(error)) => {
                let why = error.to_string();
                let known = self.kept.refused();
                if known.is_some_and(|known| known.why == why) && cause == Cause::Changed {
                    return;
                }
                self.kept.refuse(why.clone());
                tracing::warn!(
                    listeners,
                    what,
                    error = why,
                    "refused, the former stay in force"
                );
            }
        }
    }

    fn differs(&mut self) -> bool {
        let now = read_all(&self.kept.material.paths());
        let now = now.ok().map(|files| Fingerprint::of(&files));
        self.last != now || self.kept.refused().is_some()
    }
}
