//! A question about tags, borrowed as questions about actions are.

use arrayvec::ArrayVec;

use super::field::Fields;
use super::read::{keep, read_tags};
use super::text::Texts;
use super::{Resource, RevisionToken, Tag, TagList, TagWrite, Unread, decode};
use crate::model::verdict::limits;
use crate::wire::status::CallError;
use crate::wire::v1;

/// One operation on the tags of one resource.
#[derive(Debug, Default, PartialEq)]
pub struct ValidateTagging<'m> {
    /// On whose behalf it is asked; empty: nobody's.
    pub principal: &'m str,
    /// The resource.
    pub resource: Option<Resource<'m>>,
    /// The tags of the resource.
    pub tags: TagList<'m>,
    /// The number of the operation.
    pub operation: i32,
    /// The tags and keys.
    pub tag_write: Option<TagWrite<'m>>,
    /// What the resource may take from its group.
    pub group_tags: Option<GroupTags<'m>>,
    /// Whether the resource once carried a tag.
    pub ever_tagged: bool,
    /// The revision that the answer must not be older than.
    pub min_revision: Option<RevisionToken<'m>>,
}

/// What a resource may take from its resource group.
#[derive(Debug, Default, PartialEq)]
pub struct GroupTags<'m> {
    /// The tags of the group, with at most one more than the limit.
    pub tags: ArrayVec<Tag<'m>, { limits::REQUEST_TAGS + 1 }>,
    /// Whether the resource takes none of them.
    pub excluded: bool,
}

impl<'m> ValidateTagging<'m> {
    /// The tags of the resource; `None`: not sent.
    pub fn sent_tags(&self) -> Option<&[Tag<'m>]> {
        let range = self.resource.as_ref()?.tags.clone()?;
        Some(self.tags.get(range).unwrap_or_default())
    }

    /// Adds what stands in some bytes of a `ValidateTaggingRequest`.
    ///
    /// # Errors
    ///
    /// Only prost can tell what the bytes are. What was read before is then worth nothing.
    pub fn merge(&mut self, bytes: &'m [u8]) -> Result<(), Unread> {
        let texts = &mut Texts::new(bytes);
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => self.principal = value.text(texts)?,
                2 => {
                    let resource = self.resource.get_or_insert_default();
                    resource.merge(value.bytes()?, 0, &mut self.tags, texts)?;
                }
                3 => self.operation = value.enumeration()?,
                4 => {
                    let write = self.tag_write.get_or_insert_default();
                    write.merge(value.bytes()?, texts)?;
                }
                5 => self
                    .group_tags
                    .get_or_insert_default()
                    .merge(value.bytes()?, texts)?,
                6 => self.ever_tagged = value.flag()?,
                7 => self
                    .min_revision
                    .get_or_insert_default()
                    .merge(value.bytes()?, texts)?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'m> GroupTags<'m> {
    fn merge(&mut self, bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<(), Unread> {
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => read_tags(value.bytes()?, texts, |tag| keep(&mut self.tags, tag))?,
                2 => self.excluded = value.flag()?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'m> From<&'m v1::ValidateTaggingRequest> for ValidateTagging<'m> {
    fn from(message: &'m v1::ValidateTaggingRequest) -> Self {
        let v1::ValidateTaggingRequest {
            principal,
            resource,
            operation,
            tag_write,
            group_tags,
            ever_tagged,
            min_revision,
        } = message;
        let mut tags = TagList::new();
        Self {
            principal,
            resource: resource
                .as_ref()
                .map(|resource| Resource::of(resource, &mut tags)),
            tags,
            operation: *operation,
            tag_write: tag_write.as_ref().map(TagWrite::from),
            group_tags: group_tags.as_ref().map(GroupTags::from),
            ever_tagged: *ever_tagged,
            min_revision: min_revision.as_ref().map(RevisionToken::from),
        }
    }
}

impl<'m> From<&'m v1::GroupTags> for GroupTags<'m> {
    fn from(message: &'m v1::GroupTags) -> Self {
        let v1::GroupTags { tags, excluded } = message;
        let mut group = Self {
            excluded: *excluded,
            ..Self::default()
        };
        let sent = tags.iter().flat_map(|set| &set.tags).map(Tag::from);
        group.tags.extend(sent.take(group.tags.capacity()));
        group
    }
}

/// Reads a question about tags and works with it.
///
/// # Errors
///
/// The bytes are no such message, or what the work fails with.
pub(crate) fn with_tagging<T>(
    bytes: &[u8],
    work: impl FnOnce(&ValidateTagging<'_>) -> Result<T, CallError>,
) -> Result<T, CallError> {
    let mut message = ValidateTagging::default();
    if message.merge(bytes).is_ok() {
        return work(&message);
    }
    let owned: v1::ValidateTaggingRequest = decode(bytes)?;
    work(&ValidateTagging::from(&owned))
}
