//! Resources of messages: each with a name that can be read, none twice.

use std::ops::Range;

use smallvec::SmallVec;

use super::fault::{Faults, first_repeat};
use super::tags::{check_tags, checked};
use crate::directory::Entry;
use crate::engine::request::{KnownGroup, KnownTags, Resource};
use crate::model::account::Name;
use crate::model::arn::ResourceName;
use crate::model::tag::TagRef;
use crate::model::verdict::{RefusalReason, limits};
use crate::wire::message;

/// The tags of all resources of a message, checked.
pub(super) type Tags<'m> = SmallVec<[TagRef<'m>; 16]>;

/// A resource as its sender names it, checked.
#[derive(Debug)]
pub(crate) struct SentResource<'m> {
    /// The ARN.
    pub(crate) name: ResourceName<'m>,
    /// The type that is sent; empty: none.
    pub(crate) kind: &'m str,
    tags: Option<Range<usize>>,
    group: KnownGroup<'m>,
}

impl<'m> SentResource<'m> {
    /// Reads one, and puts its tags at the end of the tags of all.
    pub(super) fn read(
        message: &message::Resource<'m>,
        sent: Option<&[message::Tag<'m>]>,
        tags: &mut Tags<'m>,
        at: At,
        faults: &mut Faults,
    ) -> Option<Self> {
        let message::Resource {
            arn,
            kind,
            group,
            tags: _,
        } = *message;
        if !(kind.is_empty() || is_type(kind)) {
            let detail = "not of the form `<service>:<type>`";
            faults.add(RefusalReason::InvalidRequest, || at.field("type"), detail);
        }
        let group = read_group(group, at, faults);
        let sent = sent.map(|sent| {
            let start = tags.len();
            let limit = limits::RESOURCE_TAGS;
            check_tags(sent, limit, || at.field("tags"), faults);
            tags.extend(checked(sent, limit));
            start..tags.len()
        });
        let name = match ResourceName::parse(arn) {
            Ok(name) => name,
            Err(error) => {
                faults.add(
                    RefusalReason::InvalidRequest,
                    || at.field("arn"),
                    error.to_string(),
                );
                return None;
            }
        };
        // security 2.10: tags sent for an ARN that names no single resource.
        if sent.is_some() && !name.is_concrete() {
            let detail = "tags are taken only for an ARN that names one resource";
            faults.add(
                RefusalReason::TagsNotApplicable,
                || at.field("tags"),
                detail,
            );
        }
        Some(Self {
            name,
            kind,
            tags: sent,
            group,
        })
    }

    /// Directory first (security 2.3).
    pub(super) fn known<'p>(
        &'p self,
        tags: &'p [TagRef<'m>],
        stored: Option<&'p Entry>,
    ) -> Resource<'p> {
        let (tags, group) = match (stored, &self.tags) {
            (Some(stored), _) => (KnownTags::Stored(stored.tags()), stored_group(stored)),
            (None, Some(range)) => (
                KnownTags::Sent(tags.get(range.clone()).unwrap_or_default()),
                self.group,
            ),
            (None, None) => (KnownTags::Unknown, self.group),
        };
        Resource {
            name: self.name,
            tags,
            group,
            owner: stored.and_then(|stored| self.owner(stored)),
        }
    }

    /// Who owns it by the directory. An ARN that names its owner was read already.
    fn owner<'p>(&self, stored: &'p Entry) -> Option<&'p str> {
        match self.name {
            ResourceName::Arn(arn) if arn.owner().is_some() => None,
            ResourceName::Arn(_) | ResourceName::All => stored.account(),
        }
    }

    /// Whether something that was sent is ignored because the directory says otherwise.
    pub(super) fn differs(&self, tags: &[TagRef<'m>], stored: Option<&Entry>) -> bool {
        let Some(stored) = stored else { return false };
        let other_group = match self.group {
            KnownGroup::Unknown => false,
            KnownGroup::None | KnownGroup::Some(_) => self.group != stored_group(stored),
        };
        let sent = self.tags.as_ref().and_then(|range| tags.get(range.clone()));
        other_group
            || sent.is_some_and(|sent| {
                let kept = stored.tags();
                let differs = |tag: &TagRef<'_>| kept.get(tag.key) != Some(tag.value);
                sent.len() != kept.len() || sent.iter().any(differs)
            })
    }
}

fn stored_group(stored: &Entry) -> KnownGroup<'_> {
    stored.group().map_or(KnownGroup::None, KnownGroup::Some)
}

fn read_group<'m>(id: Option<&'m str>, at: At, faults: &mut Faults) -> KnownGroup<'m> {
    let Some(id) = id else {
        return KnownGroup::Unknown;
    };
    if id.is_empty() {
        return KnownGroup::None;
    }
    if let Err(error) = Name::check(id) {
        faults.add(
            RefusalReason::InvalidRequest,
            || at.field("resource_group.id"),
            error.to_string(),
        );
    }
    KnownGroup::Some(id)
}

fn is_type(text: &str) -> bool {
    let named = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    text.len() <= limits::RESOURCE_TYPE_BYTES
        && text
            .split_once(':')
            .is_some_and(|(service, kind)| named(service) && named(kind))
}

/// security 2.10: the same ARN twice.
pub(super) fn check_different(
    resources: &[SentResource<'_>],
    list: &'static str,
    faults: &mut Faults,
) {
    let equal = |left: &SentResource<'_>, right: &SentResource<'_>| {
        left.name.as_str() == right.name.as_str()
    };
    let order = |left: &SentResource<'_>, right: &SentResource<'_>| {
        left.name.as_str().cmp(right.name.as_str())
    };
    if let Some(place) = first_repeat(resources, equal, order) {
        let at = At { list, place };
        faults.add(
            RefusalReason::ResourceDuplicate,
            || at.field("arn"),
            "the ARN is given twice",
        );
    }
}

/// The place of an item, for field paths.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) list: &'static str,
    pub(super) place: usize,
}

impl At {
    pub(super) fn field(self, name: &str) -> String {
        format!("{}[{}].{name}", self.list, self.place)
    }
}
