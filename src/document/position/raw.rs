//! One level of a document taken apart: the text of chosen children, and of their names.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Part;

/// One child of an object or array, as it stands in the text.
#[derive(Clone, Copy)]
pub(super) struct Child<'a> {
    pub(super) key: Option<&'a str>,
    pub(super) value: &'a str,
}

impl<'a> Child<'a> {
    pub(super) fn part(self, part: Part) -> &'a str {
        match part {
            Part::Value => self.value,
            Part::Key => self.key.unwrap_or(self.value),
        }
    }
}

/// A node on the way to spots.
pub(super) struct Level<'a> {
    pub(super) child: Child<'a>,
    pub(super) depth: usize,
    pub(super) pointer: String,
}

impl<'a> Level<'a> {
    pub(super) fn below(&self, place: usize, child: Child<'a>) -> Self {
        let token = match child.key {
            Some(raw) => {
                let name: String = serde_json::from_str(raw).unwrap_or_default();
                name.replace('~', "~0").replace('/', "~1")
            }
            None => place.to_string(),
        };
        Self {
            child,
            depth: self.depth + 1,
            pointer: format!("{}/{token}", self.pointer),
        }
    }
}

/// The children at the places wanted, which rise; those that the text does not hold are left out.
pub(super) fn children<'a>(text: &'a str, wanted: &[usize]) -> Vec<(usize, Child<'a>)> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let mut found = Vec::with_capacity(wanted.len());
    let seed = Chosen {
        wanted,
        found: &mut found,
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    match seed.deserialize(&mut reader) {
        Ok(()) => found,
        Err(_) => Vec::new(),
    }
}

struct Chosen<'de, 'c> {
    wanted: &'c [usize],
    found: &'c mut Vec<(usize, Child<'de>)>,
}

impl Chosen<'_, '_> {
    /// Whether the child at this place is wanted; asked for each place in turn.
    fn takes(&mut self, place: usize) -> bool {
        let Some((next, rest)) = self.wanted.split_first() else {
            return false;
        };
        let is_next = *next == place;
        if is_next {
            self.wanted = rest;
        }
        is_next
    }
}

impl<'de> DeserializeSeed<'de> for Chosen<'de, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Chosen<'de, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        for place in 0.. {
            if !self.takes(place) {
                match items.next_element::<IgnoredAny>()? {
                    Some(_) => continue,
                    None => break,
                }
            }
            let Some(value) = items.next_element::<&RawValue>()? else {
                break;
            };
            let value = value.get();
            self.found.push((place, Child { key: None, value }));
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<(), A::Error> {
        for place in 0.. {
            if !self.takes(place) {
                match members.next_entry::<IgnoredAny, IgnoredAny>()? {
                    Some(_) => continue,
                    None => break,
                }
            }
            let Some((key, value)) = members.next_entry::<&RawValue, &RawValue>()? else {
                break;
            };
            let (key, value) = (Some(key.get()), value.get());
            self.found.push((place, Child { key, value }));
        }
        Ok(())
    }
}
