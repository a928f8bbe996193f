//! What the directory keeps of a resource: tags with their provenance, associations, a version.
//!
//! An association is kept once, with the associated resource; from primary to associated is an
//! index of the directory. A version is the number of the change that wrote the resource last, so
//! that no two states of an ARN share one, also across a removal.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::Resource;
use crate::model::account::Name;
use crate::model::arn::{AccountId, Arn};
use crate::model::inheritance::{RuleId, SERVICE_ROLE};
use crate::model::tag::{TagRef, TagSet};

/// The most primaries of one resource.
pub const MAX_PRIMARIES: usize = 64;

/// The number of a change of the directory; later ones are greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Version(pub u64);

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// One resource of the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveResource {
    /// Its ARN; concrete.
    pub arn: Arn,
    /// The account that owns it, where the ARN names none.
    pub account: Option<AccountId>,
    /// Its region, where the ARN names none.
    pub region: Option<Arc<str>>,
    /// Its type in lower case, where it is not `service:first-segment`.
    pub kind: Option<Box<str>>,
    /// The resource group it is in.
    pub group: Option<Name>,
    /// The change that wrote it last.
    pub version: Version,
    /// Its tags, by key.
    pub tags: BTreeMap<Arc<str>, LiveTag>,
    /// The resources that it takes tags from, in order; none stands twice.
    pub primaries: Vec<Association>,
}

/// The value of a tag, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LiveTag {
    /// The value.
    pub value: Arc<str>,
    /// Who wrote it.
    pub provenance: Provenance,
}

/// Who wrote a tag. Any later write of the key replaces it, a user's of the same value too
/// (security 5.4).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Provenance {
    /// A user, or the inventory.
    Own,
    /// Associated inheritance: the tag goes when this association ends, if the rule says so
    /// (tag-policy 7, rule 36).
    Inherited(Association),
    /// `rg_inherit`: it was taken from this resource group, and stays (rule 34).
    Group(Name),
    /// `tag_value_correction`.
    Correction,
}

impl Provenance {
    /// Whether the tag came by an association.
    pub fn is_by(&self, association: &Association) -> bool {
        match self {
            Self::Inherited(by) => by == association,
            Self::Own | Self::Group(_) | Self::Correction => false,
        }
    }

    /// The role in whose name the tag was written; `None`: nobody's but the writer's own.
    pub fn role(&self) -> Option<&'static str> {
        match self {
            Self::Own => None,
            Self::Inherited(_) | Self::Group(_) | Self::Correction => Some(SERVICE_ROLE),
        }
    }
}

/// An association, seen from the associated resource.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Association {
    /// The resource whose tags are taken.
    pub primary: Arn,
    /// Its kind: the id of the rule that is for it.
    pub rule: RuleId,
}

/// An association with both ends. The order is that of the index.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Link {
    /// The resource whose tags are taken.
    pub primary: Arn,
    /// The resource that takes them.
    pub associated: Arn,
    /// Its kind.
    pub rule: RuleId,
}

/// One resource as it is to be: what a writer commits, all of a list or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The resource.
    pub arn: Arn,
    /// The version that it must have; `None`: it must not be there.
    pub expected: Option<Version>,
    /// What becomes of it; `None`: it is removed. Its version is that of the change.
    pub next: Option<LiveResource>,
}

impl LiveResource {
    /// The account that owns it, as the ARN or the directory says.
    pub fn owner(&self) -> Option<&str> {
        let named = self.arn.fields().owner();
        named.or(self.account.as_ref().map(AccountId::as_str))
    }

    /// The region, as the ARN or the directory says.
    pub fn region(&self) -> Option<&str> {
        let named = self.arn.fields().region();
        let named = (!matches!(named, "" | "*")).then_some(named);
        named.or(self.region.as_deref())
    }

    /// The value of a key, compared byte for byte.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.tags.get(key).map(|tag| &*tag.value)
    }

    /// The tags without provenance, by key.
    pub fn tag_refs(&self) -> impl ExactSizeIterator<Item = TagRef<'_>> {
        self.tags.iter().map(|(key, tag)| TagRef {
            key,
            value: &tag.value,
        })
    }

    /// Its associations, with both ends.
    pub fn links(&self) -> impl Iterator<Item = Link> {
        self.primaries.iter().map(|association| Link {
            primary: association.primary.clone(),
            associated: self.arn.clone(),
            rule: association.rule.clone(),
        })
    }

    /// What a decision needs of it.
    pub fn to_resource(&self) -> Resource {
        Resource {
            arn: self.arn.clone(),
            account: self.account.clone(),
            kind: self.kind.clone(),
            group: self.group.clone(),
            tags: TagSet::of_map(&self.tags, |tag| Arc::clone(&tag.value)),
        }
    }
}
