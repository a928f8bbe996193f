//! One resource as it is kept: small, never changed in place, shared by whoever reads it.
//!
//! Tags are pointers to texts that all who carry them share, and what many resources have in common
//! (owner, type, group) stands once. Only what most resources lack is kept apart.

use std::sync::Arc;

use crate::model::account::Name;
use crate::model::arn::{AccountId, Arn, ArnRef, SlimArn};
use crate::model::resource::{Association, LiveResource, LiveTag, Provenance, Version};
use crate::model::tag::{Tag, TagSet};

/// One resource of the directory.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    arn: SlimArn,
    tags: TagSet,
    about: Arc<About>,
    rare: Option<Box<Rare>>,
    version: Version,
    slot: u32,
}

/// What many resources have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct About {
    account: Option<AccountId>,
    region: Option<Arc<str>>,
    kind: Option<Box<str>>,
    group: Option<Name>,
}

impl About {
    pub(super) fn of(live: &LiveResource) -> Self {
        Self {
            account: live.account.clone(),
            region: live.region.clone(),
            kind: live.kind.clone(),
            group: live.group.clone(),
        }
    }

    pub(super) fn group(&self) -> Option<&Name> {
        self.group.as_ref()
    }
}

/// What most resources lack.
#[derive(Debug, PartialEq, Eq)]
struct Rare {
    primaries: Vec<Association>,
    /// Who wrote the tags at these places, where it was not their own.
    provenance: Vec<(usize, Provenance)>,
}

impl Rare {
    fn of(live: &LiveResource) -> Option<Box<Self>> {
        let places = live.tags.values().map(|tag| &tag.provenance).enumerate();
        let foreign = places.filter(|(_, provenance)| **provenance != Provenance::Own);
        let rare = Self {
            primaries: live.primaries.clone(),
            provenance: foreign
                .map(|(place, provenance)| (place, provenance.clone()))
                .collect(),
        };
        let is_needed = !rare.primaries.is_empty() || !rare.provenance.is_empty();
        is_needed.then(|| Box::new(rare))
    }
}

impl Entry {
    /// `tags` are those of the resource, in its order.
    pub(super) fn new(
        live: &LiveResource,
        tags: impl Iterator<Item = Tag>,
        about: Arc<About>,
        slot: u32,
    ) -> Self {
        Self {
            arn: SlimArn::from(&live.arn),
            tags: TagSet::of_distinct(tags),
            about,
            rare: Rare::of(live),
            version: live.version,
            slot,
        }
    }

    /// The ARN as written.
    pub fn arn(&self) -> &str {
        self.arn.as_str()
    }

    /// The ARN with a shared text.
    pub fn to_arn(&self) -> Arn {
        self.arn.to_arn()
    }

    /// The ARN's fields.
    pub fn fields(&self) -> ArnRef<'_> {
        self.arn.fields()
    }

    /// The tags.
    pub fn tags(&self) -> &TagSet {
        &self.tags
    }

    /// The resource group that it is in.
    pub fn group(&self) -> Option<&str> {
        self.about.group.as_ref().map(Name::as_str)
    }

    /// Its type, where it is not `service:first-segment`.
    pub fn kind(&self) -> Option<&str> {
        self.about.kind.as_deref()
    }

    /// The account that owns it, as the ARN or the directory says.
    pub fn owner(&self) -> Option<&str> {
        let kept = || self.about.account.as_ref().map(AccountId::as_str);
        self.fields().owner().or_else(kept)
    }

    /// The region, as the ARN or the directory says.
    pub fn region(&self) -> Option<&str> {
        let named = self.fields().region();
        let named = (!matches!(named, "" | "*")).then_some(named);
        named.or(self.about.region.as_deref())
    }

    /// The change that wrote it last.
    pub fn version(&self) -> Version {
        self.version
    }

    /// Whether the ARN itself names account and region.
    pub(crate) fn is_plain(&self) -> bool {
        let fields = self.fields();
        fields.owner().is_some() && !matches!(fields.region(), "" | "*")
    }

    pub(super) fn about(&self) -> &Arc<About> {
        &self.about
    }

    /// Its place in the index: account and region, empty where it has none, and there a number.
    pub(crate) fn place(&self) -> (&str, &str, u32) {
        let (owner, region) = (self.owner(), self.region());
        (
            owner.unwrap_or_default(),
            region.unwrap_or_default(),
            self.slot,
        )
    }

    pub(super) fn slot(&self) -> u32 {
        self.slot
    }

    /// The resources that it takes tags from.
    pub fn primaries(&self) -> &[Association] {
        self.rare.as_ref().map_or(&[], |rare| &rare.primaries)
    }

    /// All that is kept of it.
    pub fn to_live(&self) -> LiveResource {
        let own = |tag: &Tag| LiveTag {
            value: Arc::clone(tag.value()),
            provenance: Provenance::Own,
        };
        let tags = self.tags.tags().iter();
        let mut tags: Vec<(Arc<str>, LiveTag)> =
            tags.map(|tag| (Arc::clone(tag.key()), own(tag))).collect();
        let rare = self.rare.as_deref();
        for (place, provenance) in rare.map_or(&[][..], |rare| &rare.provenance) {
            if let Some((_, tag)) = tags.get_mut(*place) {
                tag.provenance = provenance.clone();
            }
        }
        let About {
            account,
            region,
            kind,
            group,
        } = &*self.about;
        LiveResource {
            arn: self.to_arn(),
            account: account.clone(),
            region: region.clone(),
            kind: kind.clone(),
            group: group.clone(),
            version: self.version,
            tags: tags.into_iter().collect(),
            primaries: self.primaries().to_vec(),
        }
    }
}
