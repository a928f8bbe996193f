//! JSON text as a tree: strings borrowed where they can be, members in order, duplicates kept.
//!
//! One pass of `serde_json`, no recursion beyond [`MAX_NESTING`]. Duplicate members are seen here
//! and refused by the [`super::cursor`].
//!
//! Not here: where in the text a node stands ([`super::position`]).

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::{DocumentError, DocumentErrors, ShapeErrorKind};
use super::position::Source;

/// The most objects and arrays that may stand in each other.
pub const MAX_NESTING: usize = 40;

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
    String(Cow<'a, str>),
    /// An array.
    Array(Vec<Node<'a>>),
    /// An object, in the order written.
    Object(Vec<(Cow<'a, str>, Node<'a>)>),
}

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

/// Reads one JSON text of at most `max_bytes`.
///
/// # Errors
///
/// One error: the text is too large, nested too deep, or no JSON.
pub fn parse(source: Source<'_>, max_bytes: usize) -> Result<Node<'_>, DocumentErrors> {
    if source.text.len() > max_bytes {
        let kind = ShapeErrorKind::TooLarge { limit: max_bytes };
        return Err(DocumentErrors::one(kind, source.start()));
    }
    let too_deep = Cell::new(false);
    let mut reader = serde_json::Deserializer::from_str(source.text);
    let seed = Nested {
        rest: MAX_NESTING,
        too_deep: &too_deep,
    };
    let read = seed
        .deserialize(&mut reader)
        .and_then(|node| reader.end().map(|()| node));
    read.map_err(|error| refusal(source, &error, too_deep.get()).into())
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

/// Reads a node that may hold `rest` further levels.
#[derive(Clone, Copy)]
struct Nested<'t> {
    rest: usize,
    too_deep: &'t Cell<bool>,
}

impl Nested<'_> {
    fn inner<E: serde::de::Error>(self) -> Result<Self, E> {
        let Some(rest) = self.rest.checked_sub(1) else {
            self.too_deep.set(true);
            return Err(E::custom("nested too deep"));
        };
        Ok(Self { rest, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Nested<'_> {
    type Value = Node<'de>;

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Self::Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Nested<'_> {
    type Value = Node<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Self::Value, E> {
        serde_json::Number::from_f64(value)
            .map(Node::Number)
            .ok_or_else(|| E::custom("number out of range"))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Node::String(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Node::String(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let inner = self.inner()?;
        let mut nodes = Vec::new();
        while let Some(node) = items.next_element_seed(inner)? {
            nodes.push(node);
        }
        Ok(Node::Array(nodes))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let inner = self.inner()?;
        let mut nodes = Vec::new();
        while let Some(Name(name)) = members.next_key()? {
            nodes.push((name, members.next_value_seed(inner)?));
        }
        Ok(Node::Object(nodes))
    }
}

/// A member's name, borrowed unless it holds an escape.
struct Name<'a>(Cow<'a, str>);

impl<'de> serde::Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        struct Text;

        impl<'de> Visitor<'de> for Text {
            type Value = Name<'de>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }

            fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Borrowed(value)))
            }

            fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
                Ok(Name(Cow::Owned(value.to_owned())))
            }
        }

        reader.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::error::DocumentErrorKind;

    fn read(text: &str) -> Result<Node<'_>, DocumentErrors> {
        parse(Source::new(text), 1_000)
    }

    #[test]
    fn trees_keep_order_and_duplicates() {
        let found = read(r#" {"b": 1, "a": ["\n", null], "b": -2.50} "#).unwrap();
        let Node::Object(members) = found else {
            panic!("{found:?}")
        };
        let names: Vec<&str> = members.iter().map(|(name, _)| &**name).collect();
        assert_eq!(names, ["b", "a", "b"]);
        assert!(matches!(members[0].0, Cow::Borrowed(_)));
        assert_eq!(
            members[1].1,
            Node::Array(vec![Node::String("\n".into()), Node::Null])
        );
    }

    #[test]
    fn limits_and_syntax_are_told_apart() {
        let check = |text: &str, expected: &str| {
            assert_eq!(read(text).unwrap_err().to_string(), expected, "{text}");
        };
        check("", "1:1: not JSON: EOF while parsing a value");
        check("{} x", "1:4: not JSON: trailing characters");
        check("[\n1,]", "2:3: not JSON: trailing comma");
        check("{a: 1}", "1:2: not JSON: key must be a string");
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(read(&deep(MAX_NESTING)).is_ok());
        let errors = read(&deep(MAX_NESTING + 1)).unwrap_err();
        assert_eq!(
            errors.first().kind,
            DocumentErrorKind::Shape(ShapeErrorKind::TooDeep)
        );
        let errors = read(&" ".repeat(1_001)).unwrap_err();
        assert_eq!(
            errors.first().kind,
            DocumentErrorKind::Shape(ShapeErrorKind::TooLarge { limit: 1_000 })
        );
    }
}
