//! The key of a call, under which it is answered once: a call that comes again is told what was
//! answered, and changes nothing.

use jiff::Timestamp;

use crate::management::change::{Change, ChangeError};
use crate::management::permission::Actor;
use crate::management::{Applied, ApplyOutcome};
use crate::snapshot::Revision;
use crate::source::embedded::{AnswerKey, Author, Staging};

/// The key of a call, with who asks: nobody meets the keys of others.
pub(super) fn key(change: &Change, actor: &Actor) -> Option<AnswerKey> {
    let Author {
        caller, principal, ..
    } = actor.author("");
    Some(AnswerKey {
        who: format!("{caller} {principal}"),
        key: change.key.clone()?,
        asked: change.what.digest(),
    })
}

/// What was answered to a call with this key. Another call with it is refused.
pub(super) fn answered(
    staging: &Staging,
    key: &AnswerKey,
    now: Timestamp,
) -> Result<Option<Applied>, ChangeError> {
    let Some(answer) = staging.answered(key, now)? else {
        return Ok(None);
    };
    if answer.asked != key.asked {
        return Err(ChangeError::KeyReused);
    }
    let outcome = if answer.objects > 0 {
        ApplyOutcome::Published
    } else {
        ApplyOutcome::Unchanged
    };
    let base = staging.base();
    Ok(Some(Applied {
        outcome,
        revision: Some(Revision {
            number: answer.number,
            digest: answer.digest,
            ..base
        }),
        warnings: Vec::new(),
        objects: answer.objects,
    }))
}
