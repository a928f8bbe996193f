//! Messages of `TaggingService` as questions to the engine.

use arrayvec::ArrayVec;

use super::fault::Faults;
use super::resource::{At, SentResource, Tags as SentTags};
use super::tags::{Write, read_tags};
use crate::directory::Entry;
use crate::engine::request::{KnownGroup, KnownTags, Resource, TagWrite};
use crate::engine::tagging::{Inheritance, Tags};
use crate::model::arn::PrincipalRef;
use crate::model::compliance::TagHistory;
use crate::model::tag::TagRef;
use crate::model::verdict::{RefusalReason, limits};
use crate::wire::message::{self, Tag, TagList};
use crate::wire::status::Refusal;
use crate::wire::v1;

/// What is done, as it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SentOperation {
    Create,
    Tag,
    Untag,
    Detect,
}

/// A message, checked.
#[derive(Debug)]
pub(crate) struct SentTagging<'m> {
    pub(crate) principal: Option<PrincipalRef<'m>>,
    pub(crate) resource: SentResource<'m>,
    pub(crate) operation: SentOperation,
    pub(crate) history: TagHistory,
    tags: SentTags<'m>,
    write: Write<'m>,
    group_tags: GroupTags<'m>,
}

#[derive(Debug)]
enum GroupTags<'m> {
    Unknown,
    Excluded,
    Known(Vec<TagRef<'m>>),
}

impl<'m> SentTagging<'m> {
    /// Reads a message.
    pub(crate) fn read(message: &'m v1::ValidateTaggingRequest) -> Result<Self, Refusal> {
        let v1::ValidateTaggingRequest {
            principal,
            resource,
            operation,
            tag_write,
            group_tags,
            ever_tagged,
            min_revision: _,
        } = message;
        let mut faults = Faults::default();
        let mut write = Write::default();
        if let Some(sent) = tag_write {
            write.read(&message::TagWrite::from(sent), &mut faults);
        }
        let operation = read_operation(*operation, tag_write.as_ref(), &mut faults);
        let group_tags = read_group_tags(group_tags.as_ref(), &mut faults);
        let principal = read_principal(principal, &mut faults);
        let mut tags = SentTags::new();
        let sent = resource.as_ref().and_then(|sent| {
            let mut unread = TagList::new();
            let sent = message::Resource::of(sent, &mut unread);
            let unread = sent.tags.is_some().then_some(&*unread);
            let at = At {
                list: "resource",
                place: 0,
            };
            SentResource::read(&sent, unread, &mut tags, at, &mut faults)
        });
        if let Some(late) = faults.into_result()? {
            return Err(late);
        }
        let absent = || Refusal {
            reason: RefusalReason::NoResource,
            field: "resource".to_owned(),
            detail: "absent".to_owned(),
        };
        let resource = sent.ok_or_else(absent)?;
        Ok(Self {
            principal,
            resource,
            operation,
            history: if *ever_tagged {
                TagHistory::Tagged
            } else {
                TagHistory::Unknown
            },
            tags,
            write,
            group_tags,
        })
    }

    /// What the operation carries.
    pub(crate) fn write(&self) -> TagWrite<'_> {
        self.write.as_engine()
    }

    /// The tags and the group of the resource, the directory's before the sender's.
    pub(crate) fn known<'p>(
        &'p self,
        stored: Option<&'p Entry>,
    ) -> (Option<Tags<'p>>, KnownGroup<'p>) {
        let Resource { tags, group, .. } = self.resource.known(&self.tags, stored);
        let tags = match tags {
            KnownTags::Unknown => None,
            KnownTags::Sent(tags) => Some(Tags::Sent(tags)),
            KnownTags::Stored(tags) => Some(Tags::Stored(tags)),
        };
        (tags, group)
    }

    /// What the resource may take from its group.
    pub(crate) fn inheritance(&self) -> Inheritance<'_> {
        match &self.group_tags {
            GroupTags::Unknown => Inheritance::Unknown,
            GroupTags::Excluded => Inheritance::Excluded,
            GroupTags::Known(tags) => Inheritance::Group(Tags::Sent(tags)),
        }
    }
}

fn read_principal<'m>(text: &'m str, faults: &mut Faults) -> Option<PrincipalRef<'m>> {
    if text.is_empty() {
        return None;
    }
    let read = PrincipalRef::parse(text);
    if let Err(error) = &read {
        let field = || "principal".to_owned();
        faults.add(RefusalReason::InvalidRequest, field, error.to_string());
    }
    read.ok()
}

fn read_group_tags<'m>(message: Option<&'m v1::GroupTags>, faults: &mut Faults) -> GroupTags<'m> {
    match message {
        None => GroupTags::Unknown,
        Some(v1::GroupTags { excluded: true, .. }) => GroupTags::Excluded,
        Some(v1::GroupTags {
            tags,
            excluded: false,
        }) => {
            let mut known = ArrayVec::<_, { limits::REQUEST_TAGS }>::new();
            if let Some(set) = tags {
                let tags: Vec<Tag<'_>> = set.tags.iter().map(Tag::from).collect();
                read_tags(&tags, &mut known, || "group_tags.tags".to_owned(), faults);
            }
            GroupTags::Known(known.to_vec())
        }
    }
}

/// Reads the operation, and refuses what it cannot carry.
fn read_operation(
    operation: i32,
    write: Option<&v1::TagWrite>,
    faults: &mut Faults,
) -> SentOperation {
    use v1::TaggingOperation as Sent;
    let operation = match Sent::try_from(operation) {
        Ok(Sent::Create) => SentOperation::Create,
        Ok(Sent::Tag) => SentOperation::Tag,
        Ok(Sent::Untag) => SentOperation::Untag,
        Ok(Sent::Detect) => SentOperation::Detect,
        Ok(Sent::Unspecified) | Err(_) => {
            let field = || "operation".to_owned();
            faults.add(
                RefusalReason::InvalidRequest,
                field,
                "not a known operation",
            );
            return SentOperation::Detect;
        }
    };
    let sets = write.is_some_and(|write| {
        let set = write.set.as_ref();
        write.replace || set.is_some_and(|set| !set.tags.is_empty())
    });
    let removes = write.is_some_and(|write| write.remove_all || !write.remove_keys.is_empty());
    let wrong = match operation {
        SentOperation::Create => removes || write.is_some_and(|write| write.replace),
        SentOperation::Tag => !sets || removes,
        SentOperation::Untag => sets || !removes,
        SentOperation::Detect => write.is_some(),
    };
    if wrong {
        let field = || "tag_write".to_owned();
        let detail = "not what the operation carries";
        faults.add(RefusalReason::InvalidRequest, field, detail);
    }
    operation
}
