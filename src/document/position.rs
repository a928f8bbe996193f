//! Where in a text something stands: JSON Pointer, line and column.
//!
//! Positions are worked out only when something is told: a node is then found again by the places
//! of its ancestors, by taking the levels above it apart as raw values.

use std::cell::Cell;
use std::fmt::{self, Write as _};

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// A place in a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The JSON Pointer from the root of the file's document (RFC 6901).
    pub pointer: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    /// `line:column: /pointer`; the pointer only where it is not the whole document.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.line, self.column)?;
        if self.pointer.is_empty() {
            return Ok(());
        }
        formatter.write_str(": ")?;
        for character in self.pointer.chars() {
            if character.is_control() {
                write!(formatter, "{}", character.escape_default())?;
            } else {
                formatter.write_char(character)?;
            }
        }
        Ok(())
    }
}

/// A text that holds one JSON document, and the line of its file on which it starts.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The document.
    pub text: &'a str,
    /// The number of its first line; 1 but for a document that is a line of a file.
    pub first_line: usize,
}

impl<'a> Source<'a> {
    /// A whole file.
    pub fn new(text: &'a str) -> Self {
        Self {
            text,
            first_line: 1,
        }
    }

    /// The line `first_line` of a file of JSON Lines.
    pub fn on_line(text: &'a str, first_line: usize) -> Self {
        Self { text, first_line }
    }

    /// The whole document.
    pub fn start(self) -> Position {
        self.at(String::new(), 0)
    }

    /// The place of a syntax error, as `serde_json` tells it: a line, and a column in bytes.
    pub(super) fn of_syntax(self, line: usize, column: usize) -> Position {
        let before: usize = self
            .text
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum();
        self.at(String::new(), before + column.saturating_sub(1))
    }

    /// The position of a spot.
    pub fn locate(self, spot: &Spot) -> Position {
        let mut pointer = String::new();
        let mut raw = self.text;
        let mut key = None;
        for place in &spot.places {
            let Some(child) = child(raw, *place) else {
                break;
            };
            push_token(&mut pointer, &child, *place);
            raw = child.value;
            key = child.key;
        }
        let told = match spot.part {
            Part::Value => raw,
            Part::Key => key.unwrap_or(raw),
        };
        self.at(pointer, self.offset(told))
    }

    fn offset(self, part: &str) -> usize {
        let blank = part.len() - part.trim_ascii_start().len();
        part.as_ptr().addr() - self.text.as_ptr().addr() + blank
    }

    fn at(self, pointer: String, offset: usize) -> Position {
        let end = self.text.floor_char_boundary(offset);
        let before = self.text.get(..end).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let lines = before.bytes().filter(|byte| *byte == b'\n').count();
        let column = before
            .get(line_start..)
            .map_or(0, |line| line.chars().count());
        Position {
            pointer,
            line: self.first_line + lines,
            column: column + 1,
        }
    }
}

/// A node by the places of its ancestors and itself: `[1, 0]` is the first child of the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    pub(super) places: Vec<usize>,
    pub(super) part: Part,
}

/// Which part of a member a spot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Its name.
    Key,
    /// Its value.
    Value,
}

/// One child of an object or array, as it stands in the text.
#[derive(Clone, Copy)]
struct Child<'a> {
    key: Option<&'a str>,
    value: &'a str,
}

/// The child at a place; `None` where the text holds none.
fn child(text: &str, place: usize) -> Option<Child<'_>> {
    let found = Cell::new(None);
    let seed = Nth {
        place,
        found: &found,
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    seed.deserialize(&mut reader).ok()?;
    found.get()
}

/// Appends the reference token of a child.
fn push_token(pointer: &mut String, child: &Child<'_>, place: usize) {
    pointer.push('/');
    match child.key {
        Some(raw) => {
            let name: String = serde_json::from_str(raw).unwrap_or_default();
            pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
        }
        None => {
            let _infallible = write!(pointer, "{place}");
        }
    }
}

struct Nth<'de, 'c> {
    place: usize,
    found: &'c Cell<Option<Child<'de>>>,
}

impl<'de> DeserializeSeed<'de> for Nth<'de, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nth<'de, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object or an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for _ in 0..self.place {
            items.next_element::<IgnoredAny>()?;
        }
        let value: Option<&RawValue> = items.next_element()?;
        self.found.set(value.map(|value| Child {
            key: None,
            value: value.get(),
        }));
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        for _ in 0..self.place {
            members.next_entry::<IgnoredAny, IgnoredAny>()?;
        }
        let entry: Option<(&RawValue, &RawValue)> = members.next_entry()?;
        self.found.set(entry.map(|(key, value)| Child {
            key: Some(key.get()),
            value: value.get(),
        }));
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\n{ \"a\": [1,\n  {\"部/门\": 2, \"b~\" : \"x\"}],\n  \"\\u0061\": 3 }";

    #[test]
    fn spots_are_found_again() {
        let check = |places: &[usize], part, expected: (&str, usize, usize)| {
            let spot = Spot {
                places: places.to_vec(),
                part,
            };
            let found = Source::on_line(TEXT, 7).locate(&spot);
            let found = (&*found.pointer, found.line, found.column);
            assert_eq!(found, expected, "{places:?}");
        };
        check(&[], Part::Value, ("", 8, 1));
        check(&[0], Part::Key, ("/a", 8, 3));
        check(&[0, 0], Part::Value, ("/a/0", 8, 9));
        check(&[0, 1, 0], Part::Key, ("/a/1/部~1门", 9, 4));
        check(&[0, 1, 1], Part::Value, ("/a/1/b~0", 9, 21));
        check(&[1], Part::Key, ("/a", 10, 3));
        check(&[1], Part::Value, ("/a", 10, 13));
    }

    #[test]
    fn empty_and_short_texts_have_a_position() {
        let found = Source::new("").of_syntax(1, 0);
        assert_eq!((found.line, found.column), (1, 1));
        let found = Source::new("ab\n部x").of_syntax(2, 4);
        assert_eq!((found.line, found.column), (2, 2));
    }
}
