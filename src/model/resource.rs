//! A live resource, as the directory knows it: what decisions need of it, and what is kept.

mod live;

pub use live::{
    Association, Link, LiveResource, LiveTag, MAX_PRIMARIES, Provenance, Version, Write,
};

use super::account::Name;
use super::arn::{AccountId, Arn};
use super::tag::TagSet;

/// One resource with its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its ARN; concrete.
    pub arn: Arn,
    /// The account that owns it, where the ARN names none.
    pub account: Option<AccountId>,
    /// Its type, where it is not `service:first-segment`.
    pub kind: Option<Box<str>>,
    /// The resource group it is in.
    pub group: Option<Name>,
    /// Its tags.
    pub tags: TagSet,
}

impl Resource {
    /// The account that owns it, as the ARN or the directory says.
    pub fn owner(&self) -> Option<&str> {
        self.arn
            .fields()
            .owner()
            .or(self.account.as_ref().map(AccountId::as_str))
    }
}
