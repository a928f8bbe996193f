//! Work that is left, as the bytes of its note.

use std::sync::Arc;

use prost::Message as _;

use super::row::{RowAssociation, RowError};
use crate::model::arn::{AccountId, Arn};
use crate::model::inheritance::{Authority, RuleId, TagScope};
use crate::model::resource::{Association, Link, Version};
use crate::model::tagging::{
    Backfill, Cause, Forget, PrimaryChange, Progress, Sweep, Touched, Work,
};

/// What stands before the number of a piece of work.
pub(super) const PREFIX: &str = "work/";

/// The name and the bytes of a piece of work; without work, those that take it away.
pub fn write(id: u64, work: Option<&Work>) -> (String, Option<Vec<u8>>) {
    // As many digits as there can be, so that the order of names is that of numbers.
    let name = format!("{PREFIX}{id:020}");
    (name, work.map(|work| Note::from(work).encode_to_vec()))
}

/// A piece of work, by the bytes of its note.
pub(super) fn read(bytes: &[u8]) -> Result<Work, RowError> {
    Work::try_from(Note::decode(bytes)?)
}

#[derive(Clone, PartialEq, prost::Message)]
struct Note {
    #[prost(oneof = "NoteWork", tags = "1, 2, 3")]
    work: Option<NoteWork>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum NoteWork {
    #[prost(message, tag = "1")]
    Sweep(NoteSweep),
    #[prost(message, tag = "2")]
    Backfill(NoteBackfill),
    #[prost(message, tag = "3")]
    Forget(NoteForget),
}

#[derive(Clone, PartialEq, prost::Message)]
struct NoteSweep {
    #[prost(string, tag = "1")]
    primary: String,
    /// Whether it was removed; else the keys were edited.
    #[prost(bool, tag = "2")]
    removed: bool,
    #[prost(string, repeated, tag = "3")]
    keys: Vec<String>,
    #[prost(message, optional, tag = "4")]
    after: Option<NoteLink>,
    #[prost(string, repeated, tag = "5")]
    path: Vec<String>,
    #[prost(message, optional, tag = "6")]
    cause: Option<NoteCause>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NoteBackfill {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(string, tag = "2")]
    rule: String,
    #[prost(message, optional, tag = "3")]
    after: Option<NoteLink>,
    #[prost(message, optional, tag = "4")]
    cause: Option<NoteCause>,
    #[prost(uint64, tag = "5")]
    seen: u64,
    #[prost(uint64, tag = "6")]
    filled: u64,
    #[prost(uint64, tag = "7")]
    failed: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NoteForget {
    #[prost(string, tag = "1")]
    account: String,
    #[prost(string, optional, tag = "2")]
    rule: Option<String>,
    /// Absent: no key.
    #[prost(message, optional, tag = "3")]
    kept: Option<NoteScope>,
    #[prost(uint64, tag = "4")]
    at: u64,
    #[prost(message, optional, tag = "5")]
    after: Option<NoteLink>,
}

/// No key: all.
#[derive(Clone, PartialEq, prost::Message)]
struct NoteScope {
    #[prost(string, repeated, tag = "1")]
    keys: Vec<String>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NoteLink {
    #[prost(message, optional, tag = "1")]
    association: Option<RowAssociation>,
    #[prost(string, tag = "2")]
    associated: String,
}

#[derive(Clone, PartialEq, prost::Message)]
struct NoteCause {
    #[prost(string, optional, tag = "1")]
    principal: Option<String>,
    /// Whether the principal is asked; else the service-linked role writes.
    #[prost(bool, tag = "2")]
    asked: bool,
}

impl From<&Work> for Note {
    fn from(work: &Work) -> Self {
        let work = match work {
            Work::Sweep(sweep) => NoteWork::Sweep(sweep.into()),
            Work::Backfill(backfill) => NoteWork::Backfill(backfill.into()),
            Work::Forget(forget) => NoteWork::Forget(forget.into()),
        };
        Self { work: Some(work) }
    }
}

impl TryFrom<Note> for Work {
    type Error = RowError;

    fn try_from(note: Note) -> Result<Self, RowError> {
        Ok(match note.work.ok_or(RowError::Incomplete)? {
            NoteWork::Sweep(sweep) => Self::Sweep(sweep.try_into()?),
            NoteWork::Backfill(backfill) => Self::Backfill(backfill.try_into()?),
            NoteWork::Forget(forget) => Self::Forget(forget.try_into()?),
        })
    }
}

impl From<&Sweep> for NoteSweep {
    fn from(sweep: &Sweep) -> Self {
        let Sweep {
            primary,
            change,
            after,
            path,
            cause,
        } = sweep;
        let (removed, keys) = match change {
            PrimaryChange::Removed => (true, Vec::new()),
            PrimaryChange::Edited(keys) => (false, keys.iter().map(ToString::to_string).collect()),
        };
        Self {
            primary: primary.to_string(),
            removed,
            keys,
            after: after.as_ref().map(NoteLink::from),
            path: path.iter().map(ToString::to_string).collect(),
            cause: Some(cause.into()),
        }
    }
}

impl TryFrom<NoteSweep> for Sweep {
    type Error = RowError;

    fn try_from(note: NoteSweep) -> Result<Self, RowError> {
        let NoteSweep {
            primary,
            removed,
            keys,
            after,
            path,
            cause,
        } = note;
        let path = path.iter().map(|arn| Arn::try_from(&**arn));
        Ok(Self {
            primary: Arn::try_from(&*primary)?,
            change: if removed {
                PrimaryChange::Removed
            } else {
                PrimaryChange::Edited(Touched::new(keys.into_iter().map(Arc::from)))
            },
            after: after.map(Link::try_from).transpose()?,
            path: path.collect::<Result<_, _>>()?,
            cause: cause.ok_or(RowError::Incomplete)?.into(),
        })
    }
}

impl From<&Backfill> for NoteBackfill {
    fn from(backfill: &Backfill) -> Self {
        let Backfill {
            account,
            rule,
            after,
            cause,
            progress,
        } = backfill;
        let Progress {
            seen,
            filled,
            failed,
        } = *progress;
        Self {
            account: account.to_string(),
            rule: rule.to_string(),
            after: after.as_ref().map(NoteLink::from),
            cause: Some(cause.into()),
            seen,
            filled,
            failed,
        }
    }
}

impl TryFrom<NoteBackfill> for Backfill {
    type Error = RowError;

    fn try_from(note: NoteBackfill) -> Result<Self, RowError> {
        let NoteBackfill {
            account,
            rule,
            after,
            cause,
            seen,
            filled,
            failed,
        } = note;
        Ok(Self {
            account: AccountId::try_from(&*account)?,
            rule: RuleId::try_from(&*rule)?,
            after: after.map(Link::try_from).transpose()?,
            cause: cause.ok_or(RowError::Incomplete)?.into(),
            progress: Progress {
                seen,
                filled,
                failed,
            },
        })
    }
}

impl From<&Forget> for NoteForget {
    fn from(forget: &Forget) -> Self {
        let Forget {
            account,
            rule,
            kept,
            at,
            after,
        } = forget;
        let scope = |scope: &TagScope| NoteScope {
            keys: match scope {
                TagScope::All => Vec::new(),
                TagScope::Keys(keys) => keys.iter().map(ToString::to_string).collect(),
            },
        };
        Self {
            account: account.to_string(),
            rule: rule.as_ref().map(ToString::to_string),
            kept: kept.as_ref().map(scope),
            at: at.0,
            after: after.as_ref().map(NoteLink::from),
        }
    }
}

impl TryFrom<NoteForget> for Forget {
    type Error = RowError;

    fn try_from(note: NoteForget) -> Result<Self, RowError> {
        let NoteForget {
            account,
            rule,
            kept,
            at,
            after,
        } = note;
        let kept = kept.map(|scope| TagScope::new(scope.keys.iter().map(String::as_str)));
        Ok(Self {
            account: AccountId::try_from(&*account)?,
            rule: rule.as_deref().map(RuleId::try_from).transpose()?,
            kept: kept.transpose()?,
            at: Version(at),
            after: after.map(Link::try_from).transpose()?,
        })
    }
}

impl From<&Link> for NoteLink {
    fn from(link: &Link) -> Self {
        let Link {
            primary,
            associated,
            rule,
        } = link;
        let association = Association {
            primary: primary.clone(),
            rule: rule.clone(),
        };
        Self {
            association: Some((&association).into()),
            associated: associated.to_string(),
        }
    }
}

impl TryFrom<NoteLink> for Link {
    type Error = RowError;

    fn try_from(note: NoteLink) -> Result<Self, RowError> {
        let NoteLink {
            association,
            associated,
        } = note;
        let association = association.ok_or(RowError::Incomplete)?;
        let Association { primary, rule } = association.try_into()?;
        Ok(Self {
            primary,
            associated: Arn::try_from(&*associated)?,
            rule,
        })
    }
}

impl From<&Cause> for NoteCause {
    fn from(cause: &Cause) -> Self {
        let Cause {
            principal,
            authority,
        } = cause;
        Self {
            principal: principal.as_deref().map(str::to_owned),
            asked: match authority {
                Authority::Principal => true,
                Authority::ServiceRole => false,
            },
        }
    }
}

impl From<NoteCause> for Cause {
    fn from(note: NoteCause) -> Self {
        let NoteCause { principal, asked } = note;
        Self {
            principal: principal.map(Arc::from),
            authority: if asked {
                Authority::Principal
            } else {
                Authority::ServiceRole
            },
        }
    }
}
