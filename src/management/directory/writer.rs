//! The writer itself: one group of calls after the other, on a thread of its own.

mod beginning;
mod loading;
mod mending;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::mpsc::error::TryRecvError;
use tokio::sync::{mpsc, oneshot};

use super::base::Base;
use super::counting::Counting;
use super::job::Job;
use super::rules::{self, Rules};
use super::worked::{Stepped, Worked};
use super::{Announced, Command, Step, Turn, WriteFault};
use crate::model::resource::{Version, Write};
use crate::model::tagging::Plan;
use crate::publish::Reader;
use crate::snapshot::Snapshot;
use crate::source::directory::{DirectoryStore, Group, predefined, work};
use crate::source::embedded::StoreError;
use crate::tagging::{Overlay, View as _};
use crate::telemetry::DirectoryWrites;

/// The most calls of one group.
const CALLS: usize = 256;
/// How often a call is worked out anew.
const RETRIES: usize = 3;

/// The writer.
pub(super) struct Writer {
    base: Base,
    reader: Reader,
    store: Option<Arc<DirectoryStore>>,
    writes: DirectoryWrites,
    counting: Counting,
    step: Step,
    /// The rules that were acted on.
    rules: Rules,
    /// Who makes the next change of them.
    announced: Announced,
    version: Version,
    begun: Option<Vec<u8>>,
    /// When the file could not be written, or opened again, the last time; `None`: it can be
    /// written. Nothing is done in the background until then.
    failed: Option<Instant>,
    /// How many calls the thread last found together.
    together: usize,
}

/// Works off what comes, until nobody can send any more, or a call has panicked: what is in memory
/// may not be what is on the disk then, and nothing is written any more.
///
/// `busy` tells whether there is something to do that nobody waits for.
pub(super) fn run(writer: &Mutex<Writer>, mut busy: bool, mut inbox: mpsc::Receiver<Command>) {
    loop {
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
        let Ok(mut writer) = writer.lock() else {
            return;
        };
        writer.turn(first, &mut inbox);
        busy = writer.is_busy();
    }
}

impl Writer {
    /// Whether there is something to do that nobody waits for.
    pub(super) fn is_busy(&self) -> bool {
        let is_ready = self.failed.is_none() && self.reader.load().is_some();
        is_ready && self.base.next_work().is_some()
    }

    /// Whether one call after the other comes, and nothing takes longer than a commit.
    pub(super) fn is_calm(&self) -> bool {
        let is_whole = self.failed.is_none() && self.base.next_work().is_none();
        is_whole && self.together <= 1
    }

    /// A group: what was sent first, and what else waits.
    fn turn(&mut self, first: Option<Command>, inbox: &mut mpsc::Receiver<Command>) {
        let mut last = None;
        let mut jobs = Vec::new();
        let mut next = first;
        while let Some(command) = next {
            match command {
                Command::Work(job) => jobs.push(job),
                Command::Count(reply) => self.count(reply),
                Command::Resume => {}
                // They come after what was asked for before.
                Command::Begin(..) | Command::Govern(_) => {
                    last = Some(command);
                    break;
                }
            }
            if jobs.len() >= CALLS {
                break;
            }
            next = inbox.try_recv().ok();
        }
        self.together = jobs.len();
        self.group(jobs);
        match last {
            Some(Command::Begin(begin, reply)) => self.begin(begin, reply),
            Some(Command::Govern(reply)) => {
                // Whoever asked may have gone.
                let _ = reply.send(self.governed());
            }
            Some(Command::Work(_) | Command::Count(_) | Command::Resume) | None => {}
        }
    }

    fn count(&mut self, reply: oneshot::Sender<Option<Duration>>) {
        let newest = self.reader.load_full();
        let counted = self.counting.step(&self.base.directory, newest.as_ref());
        // Whoever asked may have gone.
        let _ = reply.send(counted);
    }

    /// Works out the calls of a group in one snapshot, commits them and answers. Where another
    /// snapshot came into force meanwhile, nothing of it counts.
    pub(super) fn group(&mut self, mut jobs: Vec<Box<dyn Job>>) {
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
        if let Some(snapshot) = snapshot {
            let at = Version(worked.version.0 + 1);
            let cause = self.announced.load();
            let change = self.rules.change(&snapshot.inheritance, at, &cause);
            worked.govern(change, at, &mut last_work, &mut overlay);
        }
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
            worked.step = Some(Stepped::new(work, &plan));
            worked.take(plan, version, &mut last_work, Some(id), &mut overlay);
        }
        worked
    }

    /// Commits what a group came to, and tells each call.
    fn commit(&mut self, jobs: Vec<Box<dyn Job>>, worked: Worked) {
        if worked.is_something()
            && let Err(error) = self.keep(&worked)
        {
            self.fail(&error);
            for job in jobs {
                job.answer(Err(WriteFault::Failed));
            }
            return;
        }
        let Worked {
            writes,
            predefined,
            rules,
            step,
            work,
            outcomes,
            version,
        } = worked;
        self.version = version;
        let directory = &self.base.directory;
        let before = self.counting.before(directory, &writes);
        directory.apply(&writes);
        directory.predefine(&predefined);
        self.counting.after(directory, &writes, &before);
        for (id, work) in work {
            self.base.keep(id, work);
        }
        if let Some(change) = rules {
            self.govern(change);
        }
        if let Some(step) = step {
            step.tell(version);
        }
        self.writes.left(self.base.work().len());
        let changes = outcomes.iter().filter(|done| matches!(done, Ok(Some(_))));
        self.writes.grouped(changes.count(), writes.len());
        for (job, outcome) in jobs.into_iter().zip(outcomes) {
            job.answer(outcome);
        }
    }

    /// A change of rules is durable, with what it leaves to do.
    fn govern(&mut self, change: rules::Change) {
        if change.accounts() > 0 {
            let cause = self.announced.load();
            tracing::info!(
                accounts = change.accounts(),
                work = change.work.len(),
                principal = cause.principal.as_deref().unwrap_or_default(),
                change = self.version.0,
                "the rules of inheritance changed"
            );
        }
        self.rules.commit(change);
    }

    /// Whether the rules that are in force were acted on.
    fn governed(&self) -> Result<(), WriteFault> {
        let snapshot = self.reader.load();
        let seen = snapshot
            .as_ref()
            .is_none_or(|snapshot| self.rules.have_seen(&snapshot.inheritance));
        if seen {
            Ok(())
        } else {
            Err(WriteFault::Failed)
        }
    }

    /// Writes a group to the disk.
    fn keep(&mut self, worked: &Worked) -> Result<(), StoreError> {
        let Some(store) = &self.store else {
            return Ok(());
        };
        let work = worked.work.iter();
        let work = work.map(|(id, work)| work::write(*id, work.as_ref()));
        let rules = worked.rules.iter().flat_map(rules::Change::notes);
        let keys = worked.predefined.iter().map(predefined::write);
        let notes: Vec<_> = rules.chain(work).chain(keys).collect();
        let group = Group {
            version: worked.version,
            writes: &worked.writes,
            notes: &notes,
        };
        let took = store.commit(&group)?;
        self.writes.synced(took);
        Ok(())
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
