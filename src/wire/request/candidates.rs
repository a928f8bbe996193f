//! Candidates of a filter message: checked like resources, each naming one, and filtered by tags.

use arrayvec::ArrayVec;

use super::fault::Faults;
use super::resource::{At, SentResource, Tags, check_different};
use super::tags::{check_tags, checked};
use crate::directory::Entry;
use crate::engine::request::{KnownTags, Resource};
use crate::model::tag::TagRef;
use crate::model::verdict::{RefusalReason, limits};
use crate::wire::message::{Resource as Sent, Tag, TagList};
use crate::wire::v1;

/// The candidates of a filter message, with the tags that filter them.
#[derive(Debug)]
pub(crate) struct Candidates<'m> {
    resources: Vec<SentResource<'m>>,
    tags: Tags<'m>,
    filter: ArrayVec<TagRef<'m>, { limits::REQUEST_TAGS }>,
}

impl<'m> Candidates<'m> {
    pub(super) fn read(
        candidates: &'m [v1::Resource],
        filter: Option<&'m v1::TagSet>,
        faults: &mut Faults,
    ) -> Self {
        let mut read = Self {
            resources: Vec::with_capacity(candidates.len()),
            tags: Tags::new(),
            filter: ArrayVec::new(),
        };
        if let Some(filter) = filter {
            // One more than the limit shows that it is passed.
            let tags = filter.tags.iter().take(limits::REQUEST_TAGS + 1);
            let tags: ArrayVec<Tag<'_>, { limits::REQUEST_TAGS + 1 }> =
                tags.map(Tag::from).collect();
            let limit = limits::REQUEST_TAGS;
            check_tags(&tags, limit, || "filter_tags".to_owned(), faults);
            read.filter.extend(checked(&tags, limit));
        }
        let mut tags = TagList::new();
        for (place, candidate) in candidates.iter().enumerate() {
            tags.clear();
            let candidate = Sent::of(candidate, &mut tags);
            let sent = candidate.tags.is_some().then_some(&*tags);
            let at = At {
                list: "candidates",
                place,
            };
            let resource = SentResource::read(&candidate, sent, &mut read.tags, at, faults);
            if let Some(resource) = resource {
                if !resource.name.is_concrete() {
                    let detail = "a candidate names one resource";
                    faults.add(
                        RefusalReason::ResourceIdRequired,
                        || at.field("arn"),
                        detail,
                    );
                }
                read.resources.push(resource);
            }
        }
        check_different(&read.resources, "candidates", faults);
        read
    }

    /// The candidates, as sent.
    pub(crate) fn resources(&self) -> &[SentResource<'m>] {
        &self.resources
    }

    /// A candidate as the engine takes it; `None` if it lacks a tag of the filter (security 3.7) or
    /// if it is not known whether it has them.
    pub(crate) fn known<'p>(
        &'p self,
        candidate: &'p SentResource<'m>,
        stored: Option<&'p Entry>,
    ) -> Option<Resource<'p>> {
        let known = candidate.known(&self.tags, stored);
        let has = |tag: &TagRef<'_>| match known.tags {
            KnownTags::Unknown => false,
            KnownTags::Sent(tags) => tags.contains(tag),
            KnownTags::Stored(tags) => tags.get(tag.key) == Some(tag.value),
        };
        self.filter.iter().all(has).then_some(known)
    }

    /// Whether a sent value is ignored because the directory says otherwise.
    pub(crate) fn differs(&self, candidate: &SentResource<'m>, stored: Option<&Entry>) -> bool {
        candidate.differs(&self.tags, stored)
    }
}
