//! What a change needs to know of the state around it: one look-up, or one range of keys.

use redb::ReadableTable;

use super::view::id;
use super::{MENTIONS, OBJECTS, Staging, StoreError, View};
use crate::document::object::{Authored, Document, Mention, Unreadable};
use crate::model::object::ObjectId;

impl Authored for View {
    fn document(&self, id: &ObjectId) -> Result<Option<Document>, Unreadable> {
        self.get(id).map_err(unreadable)
    }

    fn below(&self, prefix: &str, most: usize) -> Result<Vec<ObjectId>, Unreadable> {
        let objects = self.read.open_table(OBJECTS).map_err(unreadable)?;
        below(&objects, prefix, most).map_err(unreadable)
    }

    fn naming(&self, what: &Mention, most: usize) -> Result<Vec<ObjectId>, Unreadable> {
        let mentions = self.read.open_table(MENTIONS).map_err(unreadable)?;
        naming(&mentions, what, most).map_err(unreadable)
    }

    fn all(&self) -> Result<Vec<(ObjectId, Document)>, Unreadable> {
        let objects = self.read.open_table(OBJECTS).map_err(unreadable)?;
        all(&objects).map_err(unreadable)
    }
}

/// With the change as far as it is staged.
impl Authored for Staging {
    fn document(&self, id: &ObjectId) -> Result<Option<Document>, Unreadable> {
        self.get(id).map_err(unreadable)
    }

    fn below(&self, prefix: &str, most: usize) -> Result<Vec<ObjectId>, Unreadable> {
        let objects = self.staged.open_table(OBJECTS).map_err(unreadable)?;
        below(&objects, prefix, most).map_err(unreadable)
    }

    fn naming(&self, what: &Mention, most: usize) -> Result<Vec<ObjectId>, Unreadable> {
        let mentions = self.staged.open_table(MENTIONS).map_err(unreadable)?;
        naming(&mentions, what, most).map_err(unreadable)
    }

    fn all(&self) -> Result<Vec<(ObjectId, Document)>, Unreadable> {
        let objects = self.staged.open_table(OBJECTS).map_err(unreadable)?;
        all(&objects).map_err(unreadable)
    }
}

fn below(
    objects: &impl ReadableTable<&'static str, &'static [u8]>,
    prefix: &str,
    most: usize,
) -> Result<Vec<ObjectId>, StoreError> {
    let mut found = Vec::new();
    for entry in objects.range(prefix..)? {
        let (text, _) = entry?;
        if found.len() >= most || !text.value().starts_with(prefix) {
            break;
        }
        found.push(id(text.value())?);
    }
    Ok(found)
}

fn naming(
    mentions: &impl ReadableTable<&'static str, ()>,
    what: &Mention,
    most: usize,
) -> Result<Vec<ObjectId>, StoreError> {
    let start = format!("{what}\n");
    let mut found = Vec::new();
    for entry in mentions.range(&*start..)? {
        let (text, _) = entry?;
        let Some(text) = text.value().strip_prefix(&*start) else {
            break;
        };
        if found.len() >= most {
            break;
        }
        found.push(id(text)?);
    }
    Ok(found)
}

fn all(
    objects: &impl ReadableTable<&'static str, &'static [u8]>,
) -> Result<Vec<(ObjectId, Document)>, StoreError> {
    let entries = objects.iter()?.map(|entry| {
        let (text, document) = entry?;
        Ok((id(text.value())?, document.value().into()))
    });
    entries.collect::<Result<_, StoreError>>()
}

fn unreadable<E: Into<StoreError>>(error: E) -> Unreadable {
    Unreadable(Box::new(error.into()))
}
