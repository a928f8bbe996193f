//! Tags: a key with one value. Keys are compared byte for byte; case is the reader's affair.

mod packed;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use self::packed::{PackedTags, Unpacked, pack};
use super::text::{InvalidTagText, check_tag_text};

/// The most characters of a tag key.
pub const MAX_KEY_CHARS: usize = 128;
/// The most characters of a tag value.
pub const MAX_VALUE_CHARS: usize = 256;

/// A checked tag, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TagRef<'a> {
    /// The key; never empty.
    pub key: &'a str,
    /// The value; may be empty, which is not the same as absent.
    pub value: &'a str,
}

impl<'a> TagRef<'a> {
    /// Checks a key and a value.
    ///
    /// # Errors
    ///
    /// The first rule of security 7.3 that one of them breaks.
    pub fn parse(key: &'a str, value: &'a str) -> Result<Self, InvalidTagText> {
        check_tag(key, value)?;
        Ok(Self { key, value })
    }
}

/// Checks a key and a value.
///
/// # Errors
///
/// The first rule of security 7.3 that one of them breaks.
#[inline]
pub fn check_tag(key: &str, value: &str) -> Result<(), InvalidTagText> {
    check_key(key)?;
    check_tag_text(value, MAX_VALUE_CHARS)
}

/// Checks a tag key.
///
/// # Errors
///
/// The first rule of security 7.3 that it breaks.
#[inline]
pub fn check_key(key: &str) -> Result<(), InvalidTagText> {
    if key.is_empty() {
        Err(InvalidTagText::EmptyKey)
    } else {
        check_tag_text(key, MAX_KEY_CHARS)
    }
}

/// A tag that owns its text. One pointer: many resources carry the same tag.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Tag(Arc<Text>);

#[derive(Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Text {
    key: Arc<str>,
    value: Arc<str>,
}

impl Tag {
    /// A tag of texts that were checked.
    pub fn new(key: Arc<str>, value: Arc<str>) -> Self {
        Self(Arc::new(Text { key, value }))
    }

    /// The key and the value.
    pub fn as_ref(&self) -> TagRef<'_> {
        TagRef {
            key: &self.0.key,
            value: &self.0.value,
        }
    }

    /// The key, shared.
    pub fn key(&self) -> &Arc<str> {
        &self.0.key
    }

    /// The value, shared.
    pub fn value(&self) -> &Arc<str> {
        &self.0.value
    }
}

impl From<TagRef<'_>> for Tag {
    fn from(tag: TagRef<'_>) -> Self {
        Self::new(Arc::from(tag.key), Arc::from(tag.value))
    }
}

/// The tags of one resource or request, in the order written; no key stands twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TagSet(Box<[Tag]>);

/// A key that stands twice in one set.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("tag key `{key}` is given twice")]
pub struct DuplicateTagKey {
    /// The key.
    pub key: String,
}

impl TagSet {
    /// Collects tags whose keys are all different.
    ///
    /// # Errors
    ///
    /// The first key that stands twice.
    pub fn new(tags: Vec<Tag>) -> Result<Self, DuplicateTagKey> {
        for (place, tag) in tags.iter().enumerate() {
            if tags
                .iter()
                .take(place)
                .any(|earlier| earlier.key() == tag.key())
            {
                return Err(DuplicateTagKey {
                    key: tag.key().to_string(),
                });
            }
        }
        Ok(Self(tags.into_boxed_slice()))
    }

    /// The tags of a map, whose keys are all different, in the order of keys.
    pub fn of_map<T>(tags: &BTreeMap<Arc<str>, T>, value: impl Fn(&T) -> Arc<str>) -> Self {
        let tags = tags.iter();
        Self(
            tags.map(|(key, tag)| Tag::new(Arc::clone(key), value(tag)))
                .collect(),
        )
    }

    /// The tags as they are kept.
    pub fn tags(&self) -> &[Tag] {
        &self.0
    }

    /// The tags, in the order written.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TagRef<'_>> + Clone {
        self.0.iter().map(Tag::as_ref)
    }

    /// The value of a key, compared byte for byte.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .map(Tag::as_ref)
            .find(|tag| tag.key == key)
            .map(|tag| tag.value)
    }

    /// How many tags there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
