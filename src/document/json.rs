//! JSON text as a tree: strings borrowed where they can be, members in order, duplicates kept.
//!
//! One pass of `serde_json`, no recursion beyond [`MAX_NESTING`]. Duplicate members are seen here
//! and refused by the [`super::cursor`]. A tree lives in an [`Arena`], one allocation for most
//! documents, and goes with it.
//!
//! Not here: where in the text a node stands ([`super::position`]).

use std::fmt;

use bumpalo::Bump;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::{DocumentError, DocumentErrors, ShapeErrorKind};
use super::position::Source;

/// The most objects and arrays that may stand in each other.
pub const MAX_NESTING: usize = 40;

/// Where the nodes of one document live.
#[derive(Debug, Default)]
pub struct Arena(Bump);

impl Arena {
    /// A place that is enough for a text of this length, as documents mostly are.
    pub fn for_text(text: &str) -> Self {
        const ENOUGH: usize = 64 * 1024;
        Self(Bump::with_capacity(
            text.len().saturating_mul(3).min(ENOUGH),
        ))
    }
}

/// One JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Node<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number. Whole numbers of 64 bits keep their text; others are the double they stand for.
    Number(serde_json::Number),
    /// A string, unescaped.
    String(&'a str),
    /// An array.
    Array(&'a [Node<'a>]),
    /// An object, in the order written.
    Object(&'a [Member<'a>]),
}

/// A member of an object: its name and its value.
pub type Member<'a> = (&'a str, Node<'a>);

impl Node<'_> {
    /// What sort of value it is.
    pub fn sort(&self) -> JsonSort {
        match self {
            Self::Null => JsonSort::Null,
            Self::Bool(_) => JsonSort::Boolean,
            Self::Number(_) => JsonSort::Number,
            Self::String(_) => JsonSort::String,
            Self::Array(_) => JsonSort::Array,
            Self::Object(_) => JsonSort::Object,
        }
    }
}

/// The sorts of JSON values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonSort {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl fmt::Display for JsonSort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "null",
            Self::Boolean => "a boolean",
            Self::Number => "a number",
            Self::String => "a string",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

/// Reads one JSON text of at most `max_bytes` into an arena.
///
/// # Errors
///
/// One error: the text is too large, nested too deep, or no JSON.
pub fn parse<'a>(
    source: Source<'a>,
    max_bytes: usize,
    arena: &'a Arena,
) -> Result<Node<'a>, DocumentErrors> {
    if source.text.len() > max_bytes {
        let kind = ShapeErrorKind::TooLarge { limit: max_bytes };
        return Err(DocumentErrors::one(kind, source.start()));
    }
    let mut growing = Growing {
        arena,
        items: Vec::with_capacity(16),
        members: Vec::with_capacity(16),
        rest: MAX_NESTING,
        too_deep: false,
    };
    let mut reader = serde_json::Deserializer::from_str(source.text);
    let read = Value(&mut growing)
        .deserialize(&mut reader)
        .and_then(|node| reader.end().map(|()| node));
    read.map_err(|error| refusal(source, &error, growing.too_deep).into())
}

fn refusal(source: Source<'_>, error: &serde_json::Error, too_deep: bool) -> DocumentError {
    let at = source.of_syntax(error.line(), error.column());
    let kind = if too_deep {
        ShapeErrorKind::TooDeep
    } else {
        ShapeErrorKind::Syntax {
            cause: cause(error),
        }
    };
    DocumentError {
        kind: kind.into(),
        at,
    }
}

/// The message without its position, which stands beside it.
fn cause(error: &serde_json::Error) -> String {
    let whole = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    whole.strip_suffix(&place).unwrap_or(&whole).to_owned()
}

/// A tree that is being read. What stands in objects and arrays that are still open is kept on two
/// stacks, and goes into the arena when they close.
struct Growing<'a> {
    arena: &'a Arena,
    items: Vec<Node<'a>>,
    members: Vec<Member<'a>>,
    /// How many further levels may follow.
    rest: usize,
    too_deep: bool,
}

impl Growing<'_> {
    fn enter<E: serde::de::Error>(&mut self) -> Result<(), E> {
        let Some(rest) = self.rest.checked_sub(1) else {
            self.too_deep = true;
            return Err(E::custom("nested too deep"));
        };
        self.rest = rest;
        Ok(())
    }

    fn leave(&mut self) {
        self.rest += 1;
    }
}

/// Reads a value.
struct Value<'g, 'a>(&'g mut Growing<'a>);

impl<'a> DeserializeSeed<'a> for Value<'_, 'a> {
    type Value = Node<'a>;

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<Node<'a>, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'a> Visitor<'a> for Value<'_, 'a> {
    type Value = Node<'a>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node<'a>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'a>, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'a>, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'a>, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Node<'a>, E> {
        serde_json::Number::from_f64(value)
            .map(Node::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_borrowed_str<E>(self, value: &'a str) -> Result<Node<'a>, E> {
        Ok(Node::String(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node<'a>, E> {
        Ok(Node::String(self.0.arena.0.alloc_str(value)))
    }

    fn visit_seq<A: SeqAccess<'a>>(self, mut items: A) -> Result<Node<'a>, A::Error> {
        let Self(growing) = self;
        growing.enter()?;
        let start = growing.items.len();
        while let Some(node) = items.next_element_seed(Value(growing))? {
            growing.items.push(node);
        }
        growing.leave();
        let closed = growing.items.drain(start..);
        Ok(Node::Array(growing.arena.0.alloc_slice_fill_iter(closed)))
    }

    fn visit_map<A: MapAccess<'a>>(self, mut members: A) -> Result<Node<'a>, A::Error> {
        let Self(growing) = self;
        growing.enter()?;
        let start = growing.members.len();
        while let Some(name) = members.next_key_seed(Name(growing.arena))? {
            let node = members.next_value_seed(Value(growing))?;
            growing.members.push((name, node));
        }
        growing.leave();
        let closed = growing.members.drain(start..);
        Ok(Node::Object(growing.arena.0.alloc_slice_fill_iter(closed)))
    }
}

/// Reads a member's name, borrowed unless it holds an escape.
struct Name<'a>(&'a Arena);

impl<'a> DeserializeSeed<'a> for Name<'a> {
    type Value = &'a str;

    fn deserialize<D: Deserializer<'a>>(self, reader: D) -> Result<&'a str, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name<'a> {
    type Value = &'a str;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_borrowed_str<E>(self, value: &'a str) -> Result<&'a str, E> {
        Ok(value)
    }

    fn visit_str<E>(self, value: &str) -> Result<&'a str, E> {
        Ok(self.0.0.alloc_str(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::error::DocumentErrorKind;

    fn read<'a>(text: &'a str, arena: &'a Arena) -> Result<Node<'a>, DocumentErrors> {
        parse(Source::new(text), 1_000, arena)
    }

    fn told(text: &str) -> DocumentErrors {
        read(text, &Arena::for_text(text)).unwrap_err()
    }

    #[test]
    fn trees_keep_order_and_duplicates() {
        let text = r#" {"b": 1, "a": ["\n", null], "b": -2.50} "#;
        let arena = Arena::for_text(text);
        let found = read(text, &arena).unwrap();
        let Node::Object(members) = found else {
            panic!("{found:?}")
        };
        let names: Vec<&str> = members.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["b", "a", "b"]);
        assert!(
            text.as_bytes()
                .as_ptr_range()
                .contains(&members[0].0.as_ptr())
        );
        assert_eq!(members[1].1, Node::Array(&[Node::String("\n"), Node::Null]));
    }

    #[test]
    fn limits_and_syntax_are_told_apart() {
        let check = |text: &str, expected: &str| {
            assert_eq!(told(text).to_string(), expected, "{text}");
        };
        check("", "1:1: not JSON: EOF while parsing a value");
        check("{} x", "1:4: not JSON: trailing characters");
        check("[\n1,]", "2:3: not JSON: trailing comma");
        check("{a: 1}", "1:2: not JSON: key must be a string");
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let most = deep(MAX_NESTING);
        assert!(read(&most, &Arena::for_text(&most)).is_ok());
        let errors = told(&deep(MAX_NESTING + 1));
        assert_eq!(
            errors.first().kind,
            DocumentErrorKind::Shape(ShapeErrorKind::TooDeep)
        );
        let errors = told(&" ".repeat(1_001));
        assert_eq!(
            errors.first().kind,
            DocumentErrorKind::Shape(ShapeErrorKind::TooLarge { limit: 1_000 })
        );
    }
}
