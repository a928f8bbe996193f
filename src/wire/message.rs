//! Messages of decisions, borrowed from the bytes that they were sent as.
//!
//! [`Authorize`] holds what [`v1::AuthorizeRequest`] would, and [`ValidateTagging`] what
//! [`v1::ValidateTaggingRequest`] would, without copying a text: lists stand in arrays up to their
//! limits, and of what is beyond a limit only as much is kept as is needed to refuse it. Bytes are
//! taken and refused as prost takes and refuses them: fields in any order, unknown ones skipped, the
//! last of a scalar counts, the parts of a message that is sent twice are merged, and every text is
//! UTF-8.
//!
//! What this reading does not settle by itself, errors and groups above all, is [`Unread`] and goes
//! to prost; its answer is the one that counts.
//!
//! Not here: what the texts mean, and which limit is told (`request`).

pub(in crate::wire) mod field;
mod owned;
mod read;
mod tagging;
pub(in crate::wire) mod text;

use std::ops::Range;

use arrayvec::ArrayVec;
use smallvec::SmallVec;

use super::status::CallError;
use super::v1;
use crate::model::verdict::limits;

pub use self::read::{Items, streamed};
pub(crate) use self::tagging::with_tagging;
pub use self::tagging::{GroupTags, ValidateTagging};

/// Bytes that only prost can settle: malformed, or in a form that nobody sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unread;

/// One question.
#[derive(Debug, Default, PartialEq)]
pub struct Authorize<'m> {
    /// Who asks.
    pub principal: &'m str,
    /// The action.
    pub action: &'m str,
    /// The resources.
    pub resources: Resources<'m>,
    /// What the call does with tags.
    pub tag_write: Option<TagWrite<'m>>,
    /// The circumstances.
    pub context: Context<'m>,
    /// What is said of the session.
    pub session: Option<Session<'m>>,
    /// The number of the kind.
    pub kind: i32,
    /// The revision that the answer must not be older than.
    pub min_revision: Option<RevisionToken<'m>>,
    /// Whether an explanation is asked for.
    pub explain: bool,
    /// Whether obligations are carried out.
    pub understands_obligations: bool,
}

/// The resources of a question.
#[derive(Debug, Default, PartialEq)]
pub struct Resources<'m> {
    /// The first of them, up to the limit.
    pub listed: ArrayVec<Resource<'m>, { limits::RESOURCES }>,
    /// The tags of those.
    pub tags: TagList<'m>,
    /// How many there are.
    pub count: usize,
    /// The place of the first with tags.
    pub first_tags: Option<usize>,
    /// The place of the first with a group.
    pub first_group: Option<usize>,
}

/// One resource.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Resource<'m> {
    /// Its ARN.
    pub arn: &'m str,
    /// Its type; empty: not sent.
    pub kind: &'m str,
    /// The id of its group.
    pub group: Option<&'m str>,
    /// Where its tags stand in a list.
    pub tags: Option<Range<usize>>,
}

/// Tags, one resource's after the other's: of each at most one more than the limit.
pub type TagList<'m> = SmallVec<[Tag<'m>; 16]>;

/// One tag, not checked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tag<'m> {
    /// The key.
    pub key: &'m str,
    /// The value.
    pub value: &'m str,
}

/// What a call does with tags.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct TagWrite<'m> {
    /// The tag parameter, with at most one tag more than the limit.
    pub set: Option<ArrayVec<Tag<'m>, { limits::REQUEST_TAGS + 1 }>>,
    /// The keys that are removed, with at most one more than the limit.
    pub remove_keys: ArrayVec<&'m str, { limits::REMOVED_KEYS + 1 }>,
    /// Removes all tags.
    pub remove_all: bool,
    /// Replaces all tags.
    pub replace: bool,
}

/// The context of a question.
#[derive(Debug, Default, PartialEq)]
pub struct Context<'m> {
    /// The first entries, up to the limit.
    pub entries: ArrayVec<ContextEntry<'m>, { limits::CONTEXT_ENTRIES }>,
    /// Their values: of each entry at most one more than the limit.
    pub values: SmallVec<[&'m str; 8]>,
    /// How many entries there are.
    pub count: usize,
}

/// One entry of the context.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct ContextEntry<'m> {
    /// Its key.
    pub key: &'m str,
    /// Where its values stand.
    pub values: Range<usize>,
}

/// What a message says of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Session<'m> {
    /// Neither of the two.
    Unset,
    /// There is no policy.
    None,
    /// Its policy.
    Policy(&'m str),
}

/// A revision that is asked for.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct RevisionToken<'m> {
    /// Its source.
    pub source: &'m str,
    /// Its number.
    pub number: u64,
}

impl<'m> Resources<'m> {
    /// The tags of one of them; `None`: not sent.
    pub fn tags_of(&self, resource: &Resource<'m>) -> Option<&[Tag<'m>]> {
        let range = resource.tags.clone()?;
        Some(self.tags.get(range).unwrap_or_default())
    }
}

impl<'m> Context<'m> {
    /// The values of an entry.
    pub fn values_of(&self, entry: &ContextEntry<'m>) -> &[&'m str] {
        self.values.get(entry.values.clone()).unwrap_or_default()
    }
}

/// Reads a question and works with it.
///
/// # Errors
///
/// The bytes are no such message, or what the work fails with.
pub(crate) fn with_question<T>(
    bytes: &[u8],
    work: impl FnOnce(&Authorize<'_>) -> Result<T, CallError>,
) -> Result<T, CallError> {
    let mut message = Authorize::default();
    if message.merge(bytes).is_ok() {
        return work(&message);
    }
    let owned: v1::AuthorizeRequest = decode(bytes)?;
    work(&Authorize::from(&owned))
}

/// Decodes a message as prost does.
#[cold]
pub(crate) fn decode<M: prost::Message + Default>(bytes: &[u8]) -> Result<M, CallError> {
    M::decode(bytes).map_err(|error| CallError::MessageInvalid(error.to_string()))
}

#[cfg(test)]
pub(in crate::wire) mod changed;
#[cfg(test)]
mod tests;
