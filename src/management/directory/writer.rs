//! The writer itself: one group of calls after the other, on a thread of its own.

mod mending;

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use super::base::{Base, WorkId};
use super::job::Job;
use super::{Begin, Command, Config, StartError, Step, Turn, WriteFault};
use crate::directory::Filling;
use crate::model::resource::{LiveResource, Resource, Version, Write};
use crate::model::tagging::{Plan, Work};
use crate::publish::Reader;
use crate::snapshot::Snapshot;
use crate::source::directory::{DirectoryStore, Group, Loaded, work};
use crate::source::embedded::StoreError;
use crate::tagging::{Overlay, View as _};
use crate::telemetry::DirectoryWrites;

/// The most calls of one group.
const CALLS: usize = 256;
/// How often a call is worked out anew.
const RETRIES: usize = 3;
/// The name of what says which resources the directory began with.
const BEGUN: &str = "begun";

/// The writer.
pub(super) struct Writer {
    base: Base,
    reader: Reader,
    store: Option<Arc<DirectoryStore>>,
    writes: DirectoryWrites,
    step: Step,
    version: Version,
    begun: Option<Vec<u8>>,
    /// When the file could not be written, or opened again, the last time; `None`: it can be
    /// written. Nothing is done in the background until then.
    failed: Option<Instant>,
}

/// What the calls of a group come to.
#[derive(Default)]
struct Worked {
    writes: Vec<Write>,
    /// What becomes of the pieces of work.
    work: Vec<(WorkId, Option<Work>)>,
    /// What each call is told when the group is committed.
    outcomes: Vec<Result<Option<Version>, WriteFault>>,
    version: Version,
}

impl Writer {
    /// Loads what is on disk.
    pub(super) fn load(config: Config) -> Result<Self, StartError> {
        let Config {
            directory,
            reader,
            store,
            writes,
            step,
        } = config;
        let mut writer = Self {
            base: Base::new(directory),
            reader,
            store,
            writes,
            step,
            version: Version(0),
            begun: None,
            failed: None,
        };
        if let Some(store) = writer.store.clone() {
            let start = Instant::now();
            let count = usize::try_from(store.count()?).unwrap_or(0);
            let (resources, loaded) = Filling::while_read(count, |each| store.load(each))?;
            let loaded = loaded?;
            writer.base.fill(resources);
            let (resources, took) = (loaded.resources, start.elapsed());
            writer.know(loaded)?;
            tracing::info!(
                resources,
                version = writer.version.0,
                ?took,
                "the directory is loaded"
            );
        }
        Ok(writer)
    }

    /// Takes over what a store holds beside its resources.
    fn know(&mut self, loaded: Loaded) -> Result<(), StoreError> {
        self.version = loaded.version;
        self.begun = None;
        for (name, note) in loaded.notes {
            if name == BEGUN {
                self.begun = Some(note);
            } else {
                let (id, work) = work::read(&name, &note).map_err(StoreError::Damaged)?;
                self.base.keep(id, Some(work));
            }
        }
        Ok(())
    }

    pub(super) fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        loop {
            let is_ready = self.failed.is_none() && self.reader.load().is_some();
            let busy = is_ready && self.base.next_work().is_some();
            let first = if busy {
                match inbox.try_recv() {
                    Ok(command) => Some(command),
                    Err(TryRecvError::Empty) => None,
                    Err(TryRecvError::Disconnected) => return,
                }
            } else {
                match inbox.blocking_recv() {
                    Some(command) => Some(command),
                    None => return,
                }
            };
            let mut begin = None;
            let mut jobs = Vec::new();
            let mut next = first;
            while let Some(command) = next {
                match command {
                    Command::Work(job) => jobs.push(job),
                    // It comes after what was asked for before.
                    Command::Begin(resources, reply) => {
                        begin = Some((resources, reply));
                        break;
                    }
                }
                if jobs.len() >= CALLS {
                    break;
                }
                next = inbox.try_recv().ok();
            }
            self.group(jobs);
            if let Some((begin, reply)) = begin {
                self.begin(begin, reply);
            }
        }
    }

    /// Works out the calls of a group in one snapshot, commits them and answers. Where another
    /// snapshot came into force meanwhile, nothing of it counts.
    fn group(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        self.mend();
        for _ in 0..=RETRIES {
            let snapshot = self.reader.load_full();
            let worked = self.work_out(&mut jobs, snapshot.as_deref());
            let newest = self.reader.load_full();
            let is_newest = match (&snapshot, &newest) {
                (Some(used), Some(newest)) => Arc::ptr_eq(used, newest),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            if is_newest {
                return self.commit(jobs, worked);
            }
        }
        for job in jobs {
            job.answer(Err(WriteFault::Conflict));
        }
    }

    fn work_out(&mut self, jobs: &mut [Box<dyn Job>], snapshot: Option<&Snapshot>) -> Worked {
        let mut worked = Worked {
            version: self.version,
            ..Worked::default()
        };
        let mut last_work = self.base.last_work();
        let mut overlay = Overlay::new(&self.base);
        let now = Timestamp::now();
        for job in jobs {
            let version = Version(worked.version.0 + 1);
            let turn = |view| Turn {
                snapshot,
                directory: &self.base.directory,
                view,
                version,
                now,
            };
            let plan = fitting(&overlay, || job.evaluate(&turn(&overlay)));
            let Some(plan) = plan else {
                worked.outcomes.push(Err(WriteFault::Conflict));
                continue;
            };
            let outcome = worked.take(plan, version, &mut last_work, None, &mut overlay);
            worked.outcomes.push(Ok(outcome));
        }
        if self.failed.is_none()
            && snapshot.is_some()
            && let Some((id, work)) = self.base.next_work()
        {
            let version = Version(worked.version.0 + 1);
            let turn = Turn {
                snapshot,
                directory: &self.base.directory,
                view: &overlay,
                version,
                now,
            };
            let plan = (self.step)(&turn, work);
            worked.take(plan, version, &mut last_work, Some(id), &mut overlay);
        }
        worked
    }

    /// Commits what a group came to, and tells each call.
    fn commit(&mut self, jobs: Vec<Box<dyn Job>>, worked: Worked) {
        let Worked {
            writes,
            work,
            outcomes,
            version,
        } = worked;
        let is_something = !writes.is_empty() || !work.is_empty();
        if is_something && let Err(error) = self.keep(&writes, &work, version) {
            self.fail(&error);
            for job in jobs {
                job.answer(Err(WriteFault::Failed));
            }
            return;
        }
        self.version = version;
        self.base.directory.apply(&writes);
        for (id, work) in work {
            self.base.keep(id, work);
        }
        let changes = outcomes.iter().filter(|done| matches!(done, Ok(Some(_))));
        self.writes.grouped(changes.count(), writes.len());
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            job.answer(outcome);
        }
    }

    /// Writes a group to the disk.
    fn keep(
        &mut self,
        writes: &[Write],
        work: &[(WorkId, Option<Work>)],
        version: Version,
    ) -> Result<(), StoreError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let notes: Vec<_> = work
            .iter()
            .map(|(id, work)| work::write(*id, work.as_ref()))
            .collect();
        let group = Group {
            version,
            writes,
            notes: &notes,
        };
        let took = store.commit(&group)?;
        self.writes.synced(took);
        Ok(())
    }

    /// Puts resources in place of those that are there, unless they were put before.
    fn begin(&mut self, begin: Begin, reply: oneshot::Sender<Result<(), WriteFault>>) {
        self.mend();
        let Begin { resources, digest } = begin;
        let digest = digest.map(|digest| digest.to_vec());
        if digest.is_some() && digest == self.begun {
            let _ = reply.send(Ok(()));
            return;
        }
        let version = Version(self.version.0 + 1);
        let live = resources
            .into_iter()
            .map(|one| self.begun_with(one, version));
        let live: Vec<LiveResource> = live.collect();
        let done = self.replace(version, &live, digest.as_ref());
        if let Err(error) = &done {
            self.fail(error);
        } else {
            (self.version, self.begun) = (version, digest);
            self.base.replace(live);
        }
        // Whoever asked may have gone.
        let _ = reply.send(done.map_err(|_| WriteFault::Failed));
    }

    /// A resource whose tags somebody wrote down. One that does not change keeps its version.
    fn begun_with(&self, resource: Resource, version: Version) -> LiveResource {
        let mut live = LiveResource::from(resource);
        let was = self.base.find(live.arn.as_str());
        live.version = was.as_ref().map_or(version, |was| was.version);
        if was.is_some_and(|was| was != live) {
            live.version = version;
        }
        live
    }

    fn replace(
        &self,
        version: Version,
        resources: &[LiveResource],
        digest: Option<&Vec<u8>>,
    ) -> Result<(), StoreError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let mut notes: Vec<_> = self
            .base
            .work_ids()
            .map(|id| work::write(id, None))
            .collect();
        notes.push((BEGUN.to_owned(), digest.cloned()));
        store.replace(version, resources, &notes).map(|_| ())
    }
}

impl Worked {
    /// Takes a plan; returns the number of its change, if there is anything to write. `done` is the
    /// work that it was a step of.
    fn take(
        &mut self,
        mut plan: Plan,
        version: Version,
        last_work: &mut WorkId,
        done: Option<WorkId>,
        overlay: &mut Overlay<'_, Base>,
    ) -> Option<Version> {
        for write in &mut plan.writes {
            if let Some(next) = &mut write.next {
                next.version = version;
            }
        }
        overlay.apply(&plan);
        let Plan { writes, left, .. } = plan;
        let is_something = !writes.is_empty() || !left.is_empty();
        self.writes.extend(writes);
        let mut place = done;
        for work in left {
            let id = place.take().unwrap_or_else(|| {
                *last_work += 1;
                *last_work
            });
            self.work.push((id, Some(work)));
        }
        self.work.extend(place.map(|id| (id, None)));
        if !is_something {
            return None;
        }
        self.version = version;
        Some(version)
    }
}

/// A plan whose writes fit what is there (security 4: "re-evaluated on conflict at most 3 times,
/// then ABORTED").
fn fitting(overlay: &Overlay<'_, Base>, mut evaluate: impl FnMut() -> Plan) -> Option<Plan> {
    let fits = |write: &Write| {
        let found = overlay.find(write.arn.as_str());
        found.map(|found| found.version) == write.expected
    };
    (0..=RETRIES)
        .map(|_| evaluate())
        .find(|plan| plan.writes.iter().all(fits))
}
