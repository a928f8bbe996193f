//! What was answered to calls with an idempotency key: kept for a day, so that a call that is sent
//! again does nothing twice.

use jiff::{SignedDuration, Timestamp};
use redb::{ReadableTable as _, WriteTransaction};
use serde::{Deserialize, Serialize};

use super::{ANSWERS, StoreError};

/// How long answers are kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24);
/// The most answers that one change forgets, so that its cost has a bound.
const FORGOTTEN_AT_ONCE: usize = 64;

/// Which call an answer belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerKey {
    /// Who asked, so that nobody meets the keys of others.
    pub who: String,
    /// The key that was sent.
    pub key: String,
    /// The digest of what was asked: a key is for one question.
    pub asked: u64,
}

impl AnswerKey {
    fn text(&self) -> String {
        format!("{}\0{}", self.who, self.key)
    }
}

/// An answer that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The digest of what was asked.
    pub asked: u64,
    /// The number of the revision that was told.
    pub number: u64,
    /// The digest of that revision.
    pub digest: u64,
    /// How many objects were changed.
    pub objects: u64,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    second: i64,
    asked: u64,
    number: u64,
    digest: u64,
    objects: u64,
}

/// The answer of a key, if it is a day old at most.
pub(super) fn find(
    staged: &WriteTransaction,
    key: &AnswerKey,
    now: Timestamp,
) -> Result<Option<Answer>, StoreError> {
    let answers = staged.open_table(ANSWERS)?;
    let Some(kept) = answers.get(&*key.text())? else {
        return Ok(None);
    };
    let Kept {
        second,
        asked,
        number,
        digest,
        objects,
    } = read(kept.value())?;
    Ok((!is_old(second, now)).then_some(Answer {
        asked,
        number,
        digest,
        objects,
    }))
}

/// Keeps an answer, and forgets old ones.
pub(super) fn keep(
    staged: &WriteTransaction,
    key: &AnswerKey,
    answer: Answer,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut answers = staged.open_table(ANSWERS)?;
    let old: Vec<String> = answers
        .iter()?
        .filter_map(|entry| match entry {
            Ok((key, kept)) => match read(kept.value()) {
                Ok(kept) => is_old(kept.second, now).then(|| Ok(key.value().to_owned())),
                Err(error) => Some(Err(error)),
            },
            Err(error) => Some(Err(error.into())),
        })
        .take(FORGOTTEN_AT_ONCE)
        .collect::<Result<_, StoreError>>()?;
    for key in old {
        answers.remove(&*key)?;
    }
    let Answer {
        asked,
        number,
        digest,
        objects,
    } = answer;
    let kept = Kept {
        second: now.as_second(),
        asked,
        number,
        digest,
        objects,
    };
    let kept = serde_json::to_vec(&kept).map_err(damaged)?;
    answers.insert(&*key.text(), &*kept)?;
    Ok(())
}

fn read(bytes: &[u8]) -> Result<Kept, StoreError> {
    serde_json::from_slice(bytes).map_err(damaged)
}

fn is_old(second: i64, now: Timestamp) -> bool {
    now.as_second().saturating_sub(second) >= KEPT.as_secs()
}

fn damaged(error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("an answer that was kept: {error}"))
}
