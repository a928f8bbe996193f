//! Changes of the store: staged, permitted, compiled, committed, published; in this order, by the
//! one thread that makes changes.
//!
//! INVARIANT: nobody else writes the store or publishes snapshots, so that the snapshot in which
//! permission was asked is the one that is replaced (security 11: "authorized in the snapshot being
//! replaced and again at commit": both are the same). What is refused leaves no trace.

mod compiled;
mod key;
mod stage;

use std::sync::Arc;

use jiff::Timestamp;

pub(super) use self::compiled::Next;
use self::compiled::{Current, compile, next};
use self::key::{answered, key};
use self::stage::stage;
use super::cause;
use super::change::{Base, Change, ChangeError, LockOut};
use super::load::LoadError;
use super::permission::{Actor, Administrators, Court, Ruling};
use super::roles;
use super::rollout::Counts;
use super::{Applied, ApplyMode, ApplyOutcome};
use crate::directory::Directory;
use crate::document::bundle::BundleFiles;
use crate::document::finding::Finding;
use crate::document::object::{Authored as _, split};
use crate::model::object::ObjectId;
use crate::model::tagging;
use crate::publish::Reader;
use crate::snapshot::caller::OWNER;
use crate::snapshot::{Revision, Snapshot};
use crate::source::embedded::{
    AnswerKey, Author, Cause, Committed, Difference, Entry, Staging, Store,
};

/// The store, and what decides who may change it.
#[derive(Debug)]
pub(super) struct Authoring {
    pub(super) store: Arc<Store>,
    pub(super) administrators: Administrators,
    pub(super) reader: Reader,
    pub(super) directory: Arc<Directory>,
}

/// A change that was made: what is to be published.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) next: Next,
    pub(super) committed: Committed,
    pub(super) differences: Vec<Difference>,
    /// On whose behalf a change of the rules of inheritance is acted on.
    pub(super) cause: tagging::Cause,
}

/// What came of a change.
#[derive(Debug)]
pub(super) enum Done {
    /// Nothing is to be published.
    Told(Applied),
    /// This is.
    Made(Box<Made>),
}

impl Authoring {
    /// The state of the store, compiled, and on whose behalf rules of it that were not acted on yet
    /// are. None, before the first change.
    pub(super) fn load(&self) -> Result<Option<(Next, Revision, tagging::Cause)>, ChangeError> {
        let view = self.store.view()?;
        let revision = view.revision()?;
        if revision.number == 0 {
            return Ok(None);
        }
        let objects = view.all()?.into_iter().collect();
        let cause = cause::of_newest(&view, revision.number)?;
        Ok(Some((compile(&objects)?, revision, cause)))
    }

    /// Makes a change, or says what would come of it.
    pub(super) fn change(
        &self,
        change: &Change,
        counts: Option<Counts>,
    ) -> Result<Done, ChangeError> {
        let now = Timestamp::now();
        let current = self.reader.load_full();
        let current = current.as_deref();
        let in_force = current.zip(counts);
        let in_force = in_force.map(|(snapshot, counts)| Current { snapshot, counts });
        let actor = Actor::find(current, &change.origin, &self.administrators);
        let before = self.store.view()?;
        let mut staging = self.store.stage()?;
        let key = key(change, &actor);
        if let Some(key) = &key
            && let Some(answered) = answered(&staging, key, now)?
        {
            return Ok(Done::Told(answered));
        }
        let revision = staging.base();
        Base { revision }.check(change.expected)?;
        stage(&mut staging, &before, &change.what)?;
        let wanting = roles::make(&mut staging, &change.what)?;
        let differences = staging.differences()?;
        let court = Court {
            snapshot: current,
            state: &before,
            directory: &self.directory,
            now,
        };
        let unread = permitted(court.may_change(&actor, &differences)?)?;
        if differences.is_empty() {
            return unchanged(staging, change.mode, key.as_ref(), now);
        }
        if !wanting.is_empty() {
            return Err(ChangeError::Refused(wanting));
        }
        let next = next(in_force, &staging, &differences)?;
        if let Some(id) = unread {
            return Err(ChangeError::Refused(vec![unreadable(&id)]));
        }
        permitted(court.may_weaken(&actor, &next.snapshot, &differences)?)?;
        self.check_lock_out(change, &next.snapshot, &staging, &differences)?;
        let warnings = Finding::warnings(&next.lints);
        if change.mode == ApplyMode::DryRun {
            return Ok(Done::Told(Applied {
                outcome: ApplyOutcome::Valid,
                revision: (revision.number > 0).then_some(revision),
                warnings,
                objects: count(&differences),
            }));
        }
        let author = actor.author(&change.peer);
        let cause = cause::of_author(&author);
        let entry = Entry {
            at: now,
            author,
            cause: change.what.cause(),
            message: change.message.clone(),
            key,
        };
        let committed = staging.commit(entry, &differences)?;
        Ok(Done::Made(Box::new(Made {
            next,
            committed,
            differences,
            cause,
        })))
    }

    /// security 11, semantics 56: nobody locks everybody out unless forced. The author must be
    /// allowed the way back, in the state that the change makes.
    fn check_lock_out(
        &self,
        change: &Change,
        after: &Snapshot,
        staging: &Staging,
        differences: &[Difference],
    ) -> Result<(), ChangeError> {
        match change.lock_out {
            LockOut::Forced => return Ok(()),
            LockOut::Refused => {}
        }
        let court = Court {
            snapshot: Some(after),
            state: staging,
            directory: &self.directory,
            now: Timestamp::now(),
        };
        let actor = Actor::find(Some(after), &change.origin, &self.administrators);
        let inverse: Vec<Difference> = differences
            .iter()
            .cloned()
            .map(Difference::inverse)
            .collect();
        match court.may_change(&actor, &inverse)? {
            Ruling::Allowed | Ruling::Unread(_) => Ok(()),
            Ruling::Denied(denied) => Err(ChangeError::LockedOut(denied)),
        }
    }
}

/// Puts a bundle into an empty store, before it is served.
///
/// # Errors
///
/// The bundle is refused, or the store cannot be written.
pub fn import(store: &Store, files: &BundleFiles, from: &str) -> Result<Revision, ChangeError> {
    let mut objects = split(files).map_err(refused)?;
    roles::add(&mut objects);
    compile(&objects)?;
    let mut staging = store.stage()?;
    for (id, document) in &objects {
        staging.set(id, Some(document))?;
    }
    let differences = staging.differences()?;
    let entry = Entry {
        at: Timestamp::now(),
        author: Author {
            caller: OWNER.to_owned(),
            principal: String::new(),
            peer: from.to_owned(),
        },
        cause: Cause::Import,
        message: String::new(),
        key: None,
    };
    Ok(staging.commit(entry, &differences)?.revision)
}

/// The objects whose permission cannot be told are refused when they are compiled.
fn permitted(ruling: Ruling) -> Result<Option<ObjectId>, ChangeError> {
    match ruling {
        Ruling::Allowed => Ok(None),
        Ruling::Denied(denied) => Err(denied.into()),
        Ruling::Unread(id) => Ok(Some(id)),
    }
}

fn unreadable(id: &ObjectId) -> Finding {
    Finding {
        file: id.to_string(),
        ..Finding::whole("its permission cannot be told")
    }
}

fn unchanged(
    staging: Staging,
    mode: ApplyMode,
    key: Option<&AnswerKey>,
    now: Timestamp,
) -> Result<Done, ChangeError> {
    let revision = staging.base();
    let outcome = match mode {
        ApplyMode::DryRun => ApplyOutcome::Valid,
        ApplyMode::Commit => ApplyOutcome::Unchanged,
    };
    if let (Some(key), ApplyMode::Commit) = (key, mode) {
        staging.commit_answer(key, now)?;
    }
    Ok(Done::Told(Applied {
        outcome,
        revision: (revision.number > 0).then_some(revision),
        warnings: Vec::new(),
        objects: 0,
    }))
}

fn refused(error: impl Into<LoadError>) -> ChangeError {
    ChangeError::Refused(error.into().findings())
}

pub(super) fn count(differences: &[Difference]) -> u64 {
    u64::try_from(differences.len()).unwrap_or(u64::MAX)
}
