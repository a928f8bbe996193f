//! What is done to an object, and what is demanded for it.

use super::facts::{Unread, read};

/// An action, and everything that it is done to: each must be allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demand {
    /// The action.
    pub action: &'static str,
    /// The ARNs.
    pub arns: Vec<String>,
    /// The value of `ram:ServiceName`, for the actions that need it.
    pub service: Option<String>,
    /// What the ARNs are.
    pub subject: Subject,
}

/// What the ARNs of a demand are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Objects of the authored state, which are in no resource group.
    Authored,
    /// Resources of services, of which the directory knows.
    Resource,
}

impl Demand {
    pub(super) fn new(action: &'static str, arns: impl Into<Vec<String>>) -> Self {
        Self {
            action,
            arns: arns.into(),
            service: None,
            subject: Subject::Authored,
        }
    }
}

/// What is done to an object. Its document is given before and after.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act<'d> {
    Create(&'d [u8]),
    Update(&'d [u8], &'d [u8]),
    Delete(&'d [u8]),
}

impl<'d> Act<'d> {
    /// Nothing, where there is no object before and none after.
    pub(super) fn new(before: Option<&'d [u8]>, after: Option<&'d [u8]>) -> Option<Self> {
        match (before, after) {
            (None, None) => None,
            (None, Some(after)) => Some(Self::Create(after)),
            (Some(before), Some(after)) => Some(Self::Update(before, after)),
            (Some(before), None) => Some(Self::Delete(before)),
        }
    }

    /// One of three, by what is done.
    pub(super) fn of<T>(self, create: T, update: T, delete: T) -> T {
        match self {
            Self::Create(_) => create,
            Self::Update(..) => update,
            Self::Delete(_) => delete,
        }
    }

    pub(super) fn before(self) -> Option<&'d [u8]> {
        match self {
            Self::Create(_) => None,
            Self::Update(before, _) | Self::Delete(before) => Some(before),
        }
    }

    pub(super) fn after(self) -> Option<&'d [u8]> {
        match self {
            Self::Create(after) | Self::Update(_, after) => Some(after),
            Self::Delete(_) => None,
        }
    }

    /// What both documents say, as far as there are two.
    pub(super) fn facts<T: serde::de::DeserializeOwned>(self) -> Result<Vec<T>, Unread> {
        let documents = [self.before(), self.after()];
        documents.into_iter().flatten().map(read).collect()
    }
}
