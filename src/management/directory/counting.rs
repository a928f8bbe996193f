//! Keeps count of how the tags of all resources comply, beside the writes.
//!
//! The writer alone counts, so that every resource is in the counters exactly as it is: each commit
//! takes away what its resources came to and adds what they come to. Where policies change, all
//! resources are counted anew in short steps, each between two groups of calls; the counters stand
//! still meanwhile, and say since when. What is written then is counted where the count has been
//! already, and else when it gets there.
//!
//! Not here: when a step is due ([`keep_counted`]), and where the counters are told (`admin`).

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::DirectoryWriter;
use crate::directory::{Detected, Detector, Directory, Entry, Position, Query, Reach, Scope};
use crate::model::compliance::KeyOutcome;
use crate::model::resource::Write;
use crate::publish::Reader;
use crate::snapshot::Snapshot;
use crate::telemetry::{ByKey, Compliance};

/// How many resources one step counts.
const STEP: usize = 512;
/// How many slots it passes.
const PASSED: u32 = 65_536;
/// How much longer than a step the rest after it is, so that the count leaves the processors to
/// others.
const REST: u32 = 3;

/// What one resource comes to for one key: key, type and outcome.
type Mark = (Box<str>, Box<str>, KeyOutcome);

/// The counters, and how far they are.
#[derive(Debug)]
pub(super) struct Counting {
    told: Compliance,
    outdated: Arc<Notify>,
    /// By what the told counters were counted; `None`: nothing was counted yet.
    basis: Option<Arc<Snapshot>>,
    anew: Option<Anew>,
    /// Something changed that no single write shows, since the count began.
    is_outdated: bool,
}

/// A count of all resources, not finished yet.
#[derive(Debug)]
struct Anew {
    basis: Arc<Snapshot>,
    counts: ByKey,
    /// Where it goes on: what stands before was counted.
    account: Box<str>,
    at: Position,
}

impl Anew {
    /// Whether the count has passed the place of a resource.
    fn has(&self, entry: &Entry) -> bool {
        entry.address() < (&*self.account, &*self.at.region, self.at.slot)
    }
}

impl Counting {
    pub(super) fn new(told: Compliance, outdated: Arc<Notify>) -> Self {
        Self {
            told,
            outdated,
            basis: None,
            anew: None,
            is_outdated: false,
        }
    }

    /// All resources were replaced.
    pub(super) fn replaced(&mut self) {
        self.anew = None;
        self.basis = None;
        self.told.stop();
        self.outdated.notify_one();
    }

    /// What the resources of a group come to, before it is put into the directory.
    pub(super) fn before(&self, directory: &Directory, writes: &[Write]) -> Vec<Mark> {
        self.marks(directory, writes)
    }

    /// Counts a group that was put into the directory; `before` is what its resources came to.
    pub(super) fn after(&mut self, directory: &Directory, writes: &[Write], before: &[Mark]) {
        let after = self.marks(directory, writes);
        self.with_counts(|counts| {
            for (key, kind, outcome) in before {
                counts.take(key, kind, *outcome);
            }
            for (key, kind, outcome) in &after {
                counts.add(key, kind, *outcome);
            }
        });
        if writes
            .iter()
            .any(|write| self.moves_others(directory, write))
        {
            self.is_outdated = true;
            self.told.stop();
            self.outdated.notify_one();
        }
    }

    /// What the resources of writes come to now, as far as they are counted already.
    fn marks(&self, directory: &Directory, writes: &[Write]) -> Vec<Mark> {
        let mut marks = Vec::new();
        let Some(snapshot) = self.governing() else {
            return marks;
        };
        if snapshot.tags.accounts().len() == 0 {
            return marks;
        }
        let detector = Detector {
            directory,
            snapshot,
        };
        for write in writes {
            let entry = directory.find(write.arn.as_str());
            let entry = entry.filter(|entry| self.anew.as_ref().is_none_or(|anew| anew.has(entry)));
            if let Some(entry) = entry {
                detector.detect(&entry, |detected| {
                    each(detected, |key, kind, outcome| {
                        marks.push((key.into(), kind.into(), outcome));
                    });
                });
            }
        }
        marks
    }

    /// Whether a write changes what other resources come to: it is of a resource group that others
    /// take tags from.
    fn moves_others(&self, directory: &Directory, write: &Write) -> bool {
        let fields = write.arn.fields();
        let is_group =
            fields.service() == "resourcemanager" && fields.id().starts_with("resourcegroup/");
        let Some(snapshot) = self.governing().filter(|_| is_group) else {
            return false;
        };
        let detector = Detector {
            directory,
            snapshot,
        };
        fields
            .owner()
            .is_none_or(|owner| detector.inherits_from_groups(owner))
    }

    /// By what is counted now.
    fn governing(&self) -> Option<&Snapshot> {
        let anew = self.anew.as_ref().map(|anew| &anew.basis);
        anew.or(self.basis.as_ref()).map(|basis| &**basis)
    }

    fn with_counts(&mut self, change: impl FnOnce(&mut ByKey)) {
        match &mut self.anew {
            Some(anew) => change(&mut anew.counts),
            None if self.basis.is_some() => self.told.change(change),
            None => {}
        }
    }

    /// Counts a step further; how long it took. `None`: the counters follow every write.
    pub(super) fn step(
        &mut self,
        directory: &Directory,
        newest: Option<&Arc<Snapshot>>,
    ) -> Option<Duration> {
        let newest = newest?;
        let start = Instant::now();
        if self.anew.is_none() && !self.begin(directory, newest) {
            return None;
        }
        let anew = self.anew.as_mut()?;
        if anew.step(directory) {
            self.finish();
        }
        Some(start.elapsed())
    }

    /// Begins to count anew, where that is due.
    fn begin(&mut self, directory: &Directory, newest: &Arc<Snapshot>) -> bool {
        match &mut self.basis {
            Some(basis) if !self.is_outdated && judges_alike(basis, newest) => {
                // The older one can go.
                *basis = Arc::clone(newest);
                return false;
            }
            Some(_) | None => {}
        }
        self.told.stop();
        self.is_outdated = false;
        self.anew = Some(Anew {
            basis: Arc::clone(newest),
            counts: ByKey::default(),
            account: directory
                .next_account(None)
                .as_deref()
                .unwrap_or_default()
                .into(),
            at: Position::default(),
        });
        true
    }

    fn finish(&mut self) {
        if let Some(Anew { basis, counts, .. }) = self.anew.take() {
            self.basis = Some(basis);
            self.told.put(counts);
            if self.is_outdated {
                // It is counted once more.
                self.told.stop();
            }
        }
    }
}

impl Anew {
    /// Counts so many resources; whether that were all.
    fn step(&mut self, directory: &Directory) -> bool {
        let Self {
            basis,
            counts,
            account,
            at,
        } = self;
        let query = Query {
            scope: Scope {
                account: account.clone(),
                regions: Vec::new(),
                kinds: None,
                groups: Vec::new(),
            },
            filters: Vec::new(),
        };
        let reach = Reach {
            found: STEP,
            passed: PASSED,
        };
        let detector = Detector {
            directory,
            snapshot: basis,
        };
        let step = directory.step(&query, at, reach);
        for (_, entry) in &step.found {
            detector.detect(entry, |detected| {
                each(detected, |key, kind, outcome| {
                    counts.add(key, kind, outcome);
                });
            });
        }
        if let Some(next) = step.next {
            *at = next;
            return false;
        }
        match directory.next_account(Some(account)) {
            Some(next) => {
                (*account, *at) = (Box::from(&*next), Position::default());
                false
            }
            None => true,
        }
    }
}

fn each(detected: &Detected<'_>, mut mark: impl FnMut(&str, &str, KeyOutcome)) {
    for (key, outcome) in detected.outcomes() {
        mark(key, detected.kind(), outcome);
    }
}

/// Whether two snapshots judge tags by the same.
fn judges_alike(one: &Arc<Snapshot>, other: &Arc<Snapshot>) -> bool {
    Arc::ptr_eq(one, other)
        || (one.tags.is_same(&other.tags)
            && one.settings == other.settings
            && Arc::ptr_eq(&one.catalog, &other.catalog)
            && Arc::ptr_eq(&one.inheritance, &other.inheritance))
}

/// Has resources counted, as policies change. It ends with the writer, or with what publishes.
pub async fn keep_counted(writer: DirectoryWriter, reader: Reader) {
    loop {
        let seen = reader.load().as_ref().map(|snapshot| snapshot.revision);
        match writer.count().await {
            Ok(Some(took)) => {
                tokio::time::sleep(took.saturating_mul(REST)).await;
                continue;
            }
            Ok(None) => {}
            Err(_) => return,
        }
        tokio::select! {
            published = reader.wait_for(|newest| Some(newest.revision) != seen) => {
                if !published {
                    return;
                }
            }
            () = writer.outdated.notified() => {}
        }
    }
}

#[cfg(test)]
mod tests;
