//! Watches the directory of a bundle, and tells each new content of it once.
//!
//! What decides is the digest of what is there. The directory is watched with all below it, and its
//! parent for the directory itself being replaced.
//!
//! Not here: when it is looked at ([`super::super::watch`]), what the files say, and what is done
//! with them (`management`).

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{ReadFilesError, Seen, digest_directory, read_settled};
use crate::document::bundle::BundleDigest;
use crate::source::watch::{Cause, Pace, RecursiveMode, Watched, Watcher};

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
        let Pace { settle, poll } = Pace::default();
        Self {
            directory: directory.into(),
            settle,
            poll,
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
pub struct Watch(Watcher);

impl Watch {
    /// Starts to watch on a thread of its own; what is there at first is told at once.
    ///
    /// # Errors
    ///
    /// When the thread cannot be started.
    pub fn start(config: &Config, tell: impl FnMut(Found) + Send + 'static) -> io::Result<Self> {
        let Config {
            directory,
            settle,
            poll,
        } = config;
        let watched = Directory {
            path: std::path::absolute(directory)?,
            tell,
            last: None,
        };
        let pace = Pace {
            settle: *settle,
            poll: *poll,
        };
        Watcher::start("watch", watched, pace).map(Self)
    }

    /// Looks now; the outcome is told even where nothing changed.
    pub fn reload(&self) {
        self.0.look();
    }
}

struct Directory<F> {
    path: PathBuf,
    tell: F,
    /// What was told last: a digest, or why there is none.
    last: Option<Result<BundleDigest, String>>,
}

impl<F: FnMut(Found) + Send + 'static> Watched for Directory<F> {
    fn places(&self) -> Vec<(PathBuf, RecursiveMode)> {
        let mut places = Vec::new();
        if let Some(parent) = self.path.parent() {
            places.push((parent.to_owned(), RecursiveMode::NonRecursive));
        }
        if self.path.exists() {
            places.push((self.path.clone(), RecursiveMode::Recursive));
        }
        places
    }

    fn concern(&self) -> Box<dyn Fn(&Path) -> bool + Send> {
        let own = self.path.clone();
        Box::new(move |path| path.starts_with(&own))
    }

    fn look(&mut self, cause: Cause) {
        let found = read_settled(&self.path);
        let now = match &found {
            Ok(seen) => Ok(seen.digest),
            Err(error) => Err(error.to_string()),
        };
        let same = self.last.as_ref() == Some(&now);
        self.last = Some(now);
        match found {
            Ok(seen) if !same => (self.tell)(Found::New(seen)),
            Ok(_) if cause == Cause::Asked => (self.tell)(Found::Same),
            Err(error) if !same || cause == Cause::Asked => {
                (self.tell)(Found::Unreadable(error));
            }
            Ok(_) | Err(_) => {}
        }
    }

    fn differs(&mut self) -> bool {
        let now = digest_directory(&self.path).map_err(|error| error.to_string());
        self.last.as_ref() != Some(&now)
    }
}
