//! A live resource, as the directory knows it.

use super::account::Name;
use super::arn::Arn;
use super::tag::TagSet;

/// One resource with its tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resource {
    /// Its ARN; concrete.
    pub arn: Arn,
    /// Its type, where it is not `service:first-segment`.
    pub kind: Option<Box<str>>,
    /// The resource group it is in.
    pub group: Option<Name>,
    /// Its tags.
    pub tags: TagSet,
}
