//! One resource as it is kept: in one piece, never changed in place, shared by whoever reads it.
//!
//! Head, ARN and tags are one block of memory, because what a look-up costs is how many places it
//! goes to. What many resources have in common (owner, type, group) stands once. Only what most
//! resources lack is kept apart.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use triomphe::ThinArc;

use crate::model::account::Name;
use crate::model::arn::{AccountId, Arn, ArnRef};
use crate::model::resource::{Association, LiveResource, LiveTag, Provenance, Version};
use crate::model::tag::{PackedTags, TagRef, pack};

/// One resource of the directory. A clone is the same one.
#[derive(Clone)]
pub struct Entry(ThinArc<Head, u8>);

/// A resource that has no place yet: what of an entry can be made beside others.
#[derive(Debug)]
pub(super) struct Record {
    /// The ARN and the packed tags.
    text: String,
    /// Where the ARN ends and the tags begin.
    tags: u16,
    about: About,
    rare: Option<Box<Rare>>,
    version: Version,
}

/// What stands before the bytes of the ARN and of the packed tags.
struct Head {
    about: Arc<About>,
    rare: Option<Box<Rare>>,
    version: Version,
    slot: u32,
    /// Where the ARN ends and the tags begin.
    tags: u16,
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
    fn of(live: &LiveResource) -> Self {
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

impl From<&LiveResource> for Record {
    fn from(live: &LiveResource) -> Self {
        let arn = live.arn.as_str();
        let lengths = live
            .tag_refs()
            .map(|tag| tag.key.len() + tag.value.len() + 2);
        let mut text = String::with_capacity(arn.len() + lengths.sum::<usize>());
        text.push_str(arn);
        live.tag_refs().for_each(|tag| pack(tag, &mut text));
        Self {
            // INVARIANT: an ARN has at most `MAX_ARN_BYTES`.
            tags: u16::try_from(arn.len()).unwrap_or(u16::MAX),
            text,
            about: About::of(live),
            rare: Rare::of(live),
            version: live.version,
        }
    }
}

impl Record {
    /// The ARN as written.
    pub(super) fn arn(&self) -> &str {
        let arn = self.text.get(..usize::from(self.tags));
        arn.unwrap_or_default()
    }

    /// The account and the region that it is of; a text is empty where it has none.
    pub(super) fn place(&self) -> (&str, &str) {
        place(ArnRef::of_checked(self.arn()), &self.about)
    }

    pub(super) fn about(&self) -> &About {
        &self.about
    }
}

/// The account and the region of a resource, as its ARN or the directory says.
fn place<'p>(fields: ArnRef<'p>, about: &'p About) -> (&'p str, &'p str) {
    let account = || about.account.as_ref().map(AccountId::as_str);
    let owner = fields.owner().or_else(account);
    let region = match fields.region() {
        "" | "*" => about.region.as_deref(),
        named => Some(named),
    };
    (owner.unwrap_or_default(), region.unwrap_or_default())
}

impl Entry {
    /// `about` is that of the record.
    pub(super) fn new(record: Record, about: Arc<About>, slot: u32) -> Self {
        let Record {
            text,
            tags,
            about: _,
            rare,
            version,
        } = record;
        let head = Head {
            about,
            rare,
            version,
            slot,
            tags,
        };
        Self(ThinArc::from_header_and_slice(head, text.as_bytes()))
    }

    /// The account and the region that it is of; a text is empty where it has none.
    pub(super) fn place(&self) -> (&str, &str) {
        place(self.fields(), self.about())
    }

    /// The ARN as written.
    pub fn arn(&self) -> &str {
        text(self.arn_bytes())
    }

    pub(super) fn arn_bytes(&self) -> &[u8] {
        self.parts().0
    }

    /// The bytes of the ARN, and those of the tags.
    fn parts(&self) -> (&[u8], &[u8]) {
        let Self(block) = self;
        let end = usize::from(self.head().tags);
        block.slice.split_at_checked(end).unwrap_or_default()
    }

    fn head(&self) -> &Head {
        &self.0.header.header
    }

    /// The ARN with a shared text.
    pub fn to_arn(&self) -> Arn {
        self.fields().to_arn()
    }

    /// The ARN's fields.
    pub fn fields(&self) -> ArnRef<'_> {
        ArnRef::of_checked(self.arn())
    }

    /// The tags, by key.
    pub fn tags(&self) -> PackedTags<'_> {
        PackedTags::new(self.parts().1)
    }

    /// What stands at a place of the tags: [`Self::tags_with_places`] tells which.
    pub(super) fn tag_bytes(&self, place: &Range<u32>) -> &[u8] {
        let at = |place: u32| usize::try_from(place).unwrap_or(usize::MAX);
        let found = self.parts().1.get(at(place.start)..at(place.end));
        found.unwrap_or_default()
    }

    /// The tags, each with the place of its value.
    pub(super) fn tags_with_places(&self) -> impl Iterator<Item = (TagRef<'_>, Range<u32>)> {
        let mut tags = self.tags().iter();
        let whole = tags.rest().len();
        std::iter::from_fn(move || {
            let tag = tags.next()?;
            // INVARIANT: tags are far below 4 GiB.
            let end = u32::try_from(whole - tags.rest().len()).unwrap_or(u32::MAX);
            let length = u32::try_from(tag.value.len()).unwrap_or(u32::MAX);
            Some((tag, end.saturating_sub(length)..end))
        })
    }

    /// The resource group that it is in.
    pub fn group(&self) -> Option<&str> {
        self.about().group.as_ref().map(Name::as_str)
    }

    /// Its type, where it is not `service:first-segment`.
    pub fn kind(&self) -> Option<&str> {
        self.about().kind.as_deref()
    }

    /// The account that owns it, as the ARN or the directory says.
    pub fn owner(&self) -> Option<&str> {
        self.fields().owner().or_else(|| self.account())
    }

    /// The account that owns it, as the directory says of an ARN that names none.
    pub fn account(&self) -> Option<&str> {
        self.about().account.as_ref().map(AccountId::as_str)
    }

    /// The region, as the ARN or the directory says.
    pub fn region(&self) -> Option<&str> {
        let named = self.fields().region();
        let named = (!matches!(named, "" | "*")).then_some(named);
        named.or(self.about().region.as_deref())
    }

    /// The change that wrote it last.
    pub fn version(&self) -> Version {
        self.head().version
    }

    /// Whether the ARN itself names account and region.
    pub(crate) fn is_plain(&self) -> bool {
        let fields = self.fields();
        fields.owner().is_some() && !matches!(fields.region(), "" | "*")
    }

    pub(super) fn about(&self) -> &Arc<About> {
        &self.head().about
    }

    /// Its place in the index: account, region and a number.
    pub(crate) fn address(&self) -> (&str, &str, u32) {
        let (account, region) = self.place();
        (account, region, self.slot())
    }

    pub(super) fn slot(&self) -> u32 {
        self.head().slot
    }

    /// The resources that it takes tags from.
    pub fn primaries(&self) -> &[Association] {
        let rare = self.head().rare.as_ref();
        rare.map_or(&[], |rare| &rare.primaries)
    }

    /// All that is kept of it.
    pub fn to_live(&self) -> LiveResource {
        let own = |tag: TagRef<'_>| LiveTag {
            value: Arc::from(tag.value),
            provenance: Provenance::Own,
        };
        let tags = self.tags().iter();
        let mut tags: Vec<(Arc<str>, LiveTag)> =
            tags.map(|tag| (Arc::from(tag.key), own(tag))).collect();
        let rare = self.head().rare.as_deref();
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
        } = &**self.about();
        LiveResource {
            arn: self.to_arn(),
            account: account.clone(),
            region: region.clone(),
            kind: kind.clone(),
            group: group.clone(),
            version: self.version(),
            tags: tags.into_iter().collect(),
            primaries: self.primaries().to_vec(),
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("Entry");
        shown.field("arn", &self.arn()).field("tags", &self.tags());
        shown.finish_non_exhaustive()
    }
}

/// INVARIANT: an entry is made of texts.
fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}
