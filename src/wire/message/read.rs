//! Bytes into messages. Each `merge` adds what stands in some bytes to what was read before: that
//! is what a message means that is sent in several parts.
//!
//! The numbers of fields are those of the protos; the test beside compares with what is generated
//! from them.

use arrayvec::ArrayVec;

use super::field::Fields;
use super::text::Texts;
use super::{
    Authorize, Context, ContextEntry, Resource, Resources, RevisionToken, Session, Tag, TagList,
    TagWrite, Unread,
};
use crate::model::verdict::limits;

impl<'m> Authorize<'m> {
    /// Adds what stands in some bytes of an `AuthorizeRequest`.
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
                2 => self.action = value.text(texts)?,
                3 => self.resources.read(value.bytes()?, texts)?,
                4 => {
                    let write = self.tag_write.get_or_insert_default();
                    write.merge(value.bytes()?, texts)?;
                }
                5 => self.context.read(value.bytes()?, texts)?,
                6 => self
                    .session
                    .get_or_insert(Session::Unset)
                    .merge(value.bytes()?, texts)?,
                7 => self.kind = value.enumeration()?,
                8 => self
                    .min_revision
                    .get_or_insert_default()
                    .merge(value.bytes()?, texts)?,
                9 => self.explain = value.flag()?,
                10 => self.understands_obligations = value.flag()?,
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'m> Resources<'m> {
    fn read(&mut self, bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<(), Unread> {
        let mut resource = Resource::default();
        let before = self.tags.len();
        resource.merge(bytes, before, &mut self.tags, texts)?;
        if self.listed.is_full() {
            // Beyond the limit it is counted alone.
            self.tags.truncate(before);
        }
        self.add(resource);
        Ok(())
    }

    pub(in crate::wire) fn add(&mut self, resource: Resource<'m>) {
        if resource.tags.is_some() {
            self.first_tags.get_or_insert(self.count);
        }
        if resource.group.is_some() {
            self.first_group.get_or_insert(self.count);
        }
        self.count = self.count.saturating_add(1);
        // Beyond the limit it is counted alone.
        let _ = self.listed.try_push(resource);
    }
}

impl<'m> Resource<'m> {
    /// Adds what stands in some bytes. The tags stand in a list, from a place on: at most one more than
    /// the limit.
    pub(super) fn merge(
        &mut self,
        bytes: &'m [u8],
        first: usize,
        tags: &mut TagList<'m>,
        texts: &mut Texts<'m>,
    ) -> Result<(), Unread> {
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => self.arn = value.text(texts)?,
                2 => self.kind = value.text(texts)?,
                3 => {
                    let group = self.group.get_or_insert_default();
                    read_group(group, value.bytes()?, texts)?;
                }
                4 => {
                    read_tags(value.bytes()?, texts, |tag| {
                        if tags.len() <= first.saturating_add(limits::RESOURCE_TAGS) {
                            tags.push(tag);
                        }
                    })?;
                    self.tags = Some(first..tags.len());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn read_group<'m>(
    group: &mut &'m str,
    bytes: &'m [u8],
    texts: &mut Texts<'m>,
) -> Result<(), Unread> {
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            *group = value.text(texts)?;
        }
    }
    Ok(())
}

/// Reads a tag set.
pub(super) fn read_tags<'m>(
    bytes: &'m [u8],
    texts: &mut Texts<'m>,
    mut keep: impl FnMut(Tag<'m>),
) -> Result<(), Unread> {
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            keep(Tag::read(value.bytes()?, texts)?);
        }
    }
    Ok(())
}

impl<'m> Tag<'m> {
    #[inline]
    fn read(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<Self, Unread> {
        match texts.text(bytes).ok().and_then(usual) {
            Some(tag) => Ok(tag),
            None => Self::any(bytes, texts),
        }
    }

    #[inline(never)]
    fn any(bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<Self, Unread> {
        let mut tag = Self::default();
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => tag.key = value.text(texts)?,
                2 => tag.value = value.text(texts)?,
                _ => {}
            }
        }
        Ok(tag)
    }
}

/// A tag as nearly all are, of bytes that are a text as a whole: the key, then the value, each
/// shorter than 128 bytes.
#[inline]
fn usual(tag: &str) -> Option<Tag<'_>> {
    let (key, rest) = short(1, tag)?;
    let (value, rest) = short(2, rest)?;
    rest.is_empty().then_some(Tag { key, value })
}

/// The text of a field, if it comes first, and what stands behind it.
#[inline]
fn short(number: u8, fields: &str) -> Option<(&str, &str)> {
    match fields.as_bytes() {
        [key, length @ 0..0x80, ..] if *key == number << 3 | 2 => {
            fields.get(2..)?.split_at_checked(usize::from(*length))
        }
        _ => None,
    }
}

impl<'m> TagWrite<'m> {
    pub(super) fn merge(&mut self, bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<(), Unread> {
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => {
                    let set = self.set.get_or_insert_default();
                    read_tags(value.bytes()?, texts, |tag| keep(set, tag))?;
                }
                2 => keep(&mut self.remove_keys, value.text(texts)?),
                3 => self.remove_all = value.flag()?,
                4 => self.replace = value.flag()?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// Keeps an item while there is place: one more than the limit shows that it is passed.
pub(super) fn keep<T, const PLACES: usize>(list: &mut ArrayVec<T, PLACES>, item: T) {
    let _ = list.try_push(item);
}

impl<'m> Context<'m> {
    fn read(&mut self, bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<(), Unread> {
        let mut key = "";
        let before = self.values.len();
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => key = value.text(texts)?,
                2 => self.push_value(before, value.text(texts)?),
                _ => {}
            }
        }
        self.add(key, before);
        Ok(())
    }

    /// Keeps a value of the entry whose values begin at a place, up to one more than the limit.
    pub(super) fn push_value(&mut self, first: usize, value: &'m str) {
        let of_entry = self.values.len().saturating_sub(first);
        if of_entry <= limits::CONTEXT_VALUES && !self.entries.is_full() {
            self.values.push(value);
        }
    }

    pub(in crate::wire) fn add(&mut self, key: &'m str, first_value: usize) {
        self.count = self.count.saturating_add(1);
        let values = first_value..self.values.len();
        // Beyond the limit it is counted alone.
        let _ = self.entries.try_push(ContextEntry { key, values });
    }
}

impl<'m> Session<'m> {
    fn merge(&mut self, bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<(), Unread> {
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => *self = Self::Policy(value.text(texts)?),
                2 => {
                    // The message has no field; what stands in it must be fields all the same.
                    let mut fields = Fields(value.bytes()?);
                    while fields.next()?.is_some() {}
                    *self = Self::None;
                }
                _ => {}
            }
        }
        Ok(())
    }
}

impl<'m> RevisionToken<'m> {
    pub(super) fn merge(&mut self, bytes: &'m [u8], texts: &mut Texts<'m>) -> Result<(), Unread> {
        let mut fields = Fields(bytes);
        while let Some((number, value)) = fields.next()? {
            match number {
                1 => self.source = value.text(texts)?,
                2 => self.number = value.number()?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// The questions of a `BatchAuthorizeRequest`, as bytes.
#[derive(Debug, Clone, Copy)]
pub struct Items<'m>(Fields<'m>);

impl<'m> Items<'m> {
    /// The questions in some bytes.
    pub fn new(bytes: &'m [u8]) -> Self {
        Self(Fields(bytes))
    }

    /// How many questions there are, and how many resources they name.
    ///
    /// # Errors
    ///
    /// Only prost can tell what the bytes are.
    pub fn count(mut self) -> Result<(usize, usize), Unread> {
        let (mut questions, mut resources) = (0_usize, 0_usize);
        while let Some(question) = self.next_item()? {
            questions = questions.saturating_add(1);
            let mut fields = Fields(question);
            while let Some((number, _)) = fields.next()? {
                resources = resources.saturating_add(usize::from(number == 3));
            }
        }
        Ok((questions, resources))
    }

    /// The next question; `None` at the end.
    ///
    /// # Errors
    ///
    /// Only prost can tell what the bytes are.
    pub fn next_item(&mut self) -> Result<Option<&'m [u8]>, Unread> {
        while let Some((number, value)) = self.0.next()? {
            if number == 1 {
                return value.bytes().map(Some);
            }
        }
        Ok(None)
    }
}

/// Reads the question of an `AuthorizeStreamRequest` into an empty one; whether there is any in it.
///
/// # Errors
///
/// Only prost can tell what the bytes are.
pub fn streamed<'m>(bytes: &'m [u8], question: &mut Authorize<'m>) -> Result<bool, Unread> {
    let mut is_asked = false;
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        if number == 1 {
            is_asked = true;
            question.merge(value.bytes()?)?;
        }
    }
    Ok(is_asked)
}
