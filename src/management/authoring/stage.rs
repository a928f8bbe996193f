//! What a change asks for, staged: single objects, the differences to a bundle, or the inverse of
//! what was changed since a revision.
//!
//! Not here: whether it may be made, and what the documents say.

use super::refused;
use crate::document::bundle::BundleFiles;
use crate::document::object::{Authored as _, Objects, split};
use crate::management::change::{ChangeError, Operation, What};
use crate::source::embedded::{Cause, Difference, Staging, View};

/// Stages what a change asks for.
pub(super) fn stage(staging: &mut Staging, before: &View, what: &What) -> Result<(), ChangeError> {
    match what {
        What::Operations(operations) => {
            for Operation { id, document } in operations {
                staging.set(id, document.as_deref())?;
            }
            Ok(())
        }
        What::Bundle(files) => stage_bundle(staging, before, files),
        What::Rollback(to) => stage_rollback(staging, before, *to),
    }
}

/// The differences between a bundle and the state before.
fn stage_bundle(
    staging: &mut Staging,
    before: &View,
    files: &BundleFiles,
) -> Result<(), ChangeError> {
    let wanted = split(files).map_err(refused)?;
    let known: Objects = before.all()?.into_iter().collect();
    for id in known.keys().filter(|id| !wanted.contains_key(id)) {
        staging.set(id, None)?;
    }
    for (id, document) in &wanted {
        if known.get(id) != Some(document) {
            staging.set(id, Some(document))?;
        }
    }
    Ok(())
}

/// The inverse of every change since a revision, the newest first.
fn stage_rollback(staging: &mut Staging, before: &View, to: u64) -> Result<(), ChangeError> {
    let newest = staging.base().number;
    if to > newest {
        return Err(ChangeError::HistoryTooShort { to });
    }
    for number in (to + 1..=newest).rev() {
        match before.record(number)? {
            None => return Err(ChangeError::HistoryTooShort { to }),
            Some(record) if record.cause == Cause::Import => {
                return Err(ChangeError::HistoryTooShort { to });
            }
            Some(_) => {}
        }
        for Difference { id, before, .. } in before.differences(number)? {
            staging.set(&id, before.as_deref())?;
        }
    }
    Ok(())
}
