//! Messages of `TaggingService` as questions to the engine.

use arrayvec::ArrayVec;

use super::fault::Faults;
use super::resource::{At, SentResource, Tags as SentTags};
use super::tags::{Write, check_tags, checked};
use crate::directory::Entry;
use crate::engine::request::{KnownGroup, KnownTags, Resource, TagWrite};
use crate::engine::tagging::{Inheritance, Tags};
use crate::model::arn::PrincipalRef;
use crate::model::compliance::TagHistory;
use crate::model::tag::TagRef;
use crate::model::verdict::{RefusalReason, limits};
use crate::wire::message::{self, ValidateTagging};
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
}

/// The place of the lists of one message while it is read.
#[derive(Debug, Default)]
pub(crate) struct TaggingStorage<'m> {
    tags: SentTags<'m>,
    write: Write<'m>,
    group_tags: GroupTags<'m>,
}

/// What is said of the tags of the resource group.
#[derive(Debug, Default)]
struct GroupTags<'m> {
    said: Said,
    known: ArrayVec<TagRef<'m>, { limits::REQUEST_TAGS }>,
}

#[derive(Debug, Default)]
enum Said {
    #[default]
    Nothing,
    Excluded,
    Known,
}

impl<'m> SentTagging<'m> {
    /// Reads a message.
    pub(crate) fn read(
        message: &'m ValidateTagging<'_>,
        storage: &mut TaggingStorage<'m>,
    ) -> Result<Self, Refusal> {
        // `min_revision` is for the service.
        let ValidateTagging {
            principal,
            resource,
            tags: _,
            operation,
            tag_write,
            group_tags,
            ever_tagged,
            min_revision: _,
        } = message;
        let mut faults = Faults::default();
        if let Some(sent) = tag_write {
            storage.write.read(sent, &mut faults);
        }
        let operation = read_operation(*operation, tag_write.as_ref(), &mut faults);
        if let Some(sent) = group_tags {
            storage.group_tags.read(sent, &mut faults);
        }
        let principal = read_principal(principal, &mut faults);
        let sent = resource.as_ref().and_then(|sent| {
            let at = At {
                list: "resource",
                place: 0,
            };
            let unread = message.sent_tags();
            SentResource::read(sent, unread, &mut storage.tags, at, &mut faults)
        });
        if let Some(late) = faults.into_result()? {
            return Err(late);
        }
        let absent = || Refusal {
            reason: RefusalReason::NoResource,
            field: "resource".to_owned(),
            detail: "absent".to_owned(),
        };
        Ok(Self {
            principal,
            resource: sent.ok_or_else(absent)?,
            operation,
            history: if *ever_tagged {
                TagHistory::Tagged
            } else {
                TagHistory::Unknown
            },
        })
    }

    /// The tags and the group of the resource, the directory's before the sender's.
    pub(crate) fn known<'p>(
        &'p self,
        storage: &'p TaggingStorage<'m>,
        stored: Option<&'p Entry>,
    ) -> (Option<Tags<'p>>, KnownGroup<'p>) {
        let Resource { tags, group, .. } = self.resource.known(&storage.tags, stored);
        let tags = match tags {
            KnownTags::Unknown => None,
            KnownTags::Sent(tags) => Some(Tags::Sent(tags)),
            KnownTags::Stored(tags) => Some(Tags::Stored(tags)),
        };
        (tags, group)
    }
}

impl TaggingStorage<'_> {
    /// What the operation carries.
    pub(crate) fn write(&self) -> TagWrite<'_> {
        self.write.as_engine()
    }

    /// What the resource may take from its group.
    pub(crate) fn inheritance(&self) -> Inheritance<'_> {
        match self.group_tags.said {
            Said::Nothing => Inheritance::Unknown,
            Said::Excluded => Inheritance::Excluded,
            Said::Known => Inheritance::Group(Tags::Sent(&self.group_tags.known)),
        }
    }
}

impl<'m> GroupTags<'m> {
    /// Reads what a message says. The tags of a group that nothing is taken from do not matter.
    fn read(&mut self, message: &'m message::GroupTags<'_>, faults: &mut Faults) {
        let message::GroupTags { tags, excluded } = message;
        if *excluded {
            self.said = Said::Excluded;
            return;
        }
        self.said = Said::Known;
        let field = || "group_tags.tags".to_owned();
        check_tags(tags, limits::REQUEST_TAGS, field, faults);
        self.known.extend(checked(tags, limits::REQUEST_TAGS));
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

/// Reads the operation, and refuses what it cannot carry.
fn read_operation(
    operation: i32,
    write: Option<&message::TagWrite<'_>>,
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
        write.replace || set.is_some_and(|set| !set.is_empty())
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
