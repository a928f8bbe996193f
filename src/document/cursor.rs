//! The walker: a node with its place, members taken by name, and where errors are told.
//!
//! ```
//! use tagwarden::document::cursor::{Cursor, Sink, Told};
//! use tagwarden::document::{Source, read};
//!
//! fn user(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<(String, Option<u64>), Told> {
//!     let members = at.members(&["name", "age"], sink)?;
//!     let name = members.required("name", sink).and_then(|at| at.text(sink));
//!     let age = members.optional("age").map(|at| at.whole_number(sink)).transpose();
//!     Ok((name?.to_owned(), age?))
//! }
//!
//! let errors = read(Source::new(r#"{"age": "x", "nick": 1}"#), 1_024, user).unwrap_err();
//! let expected = "1:1: member `name` is missing\n\
//!                 1:9: /age: expected a whole number, found a string\n\
//!                 1:14: /nick: unknown member `nick`";
//! assert_eq!(errors.to_string(), expected);
//! ```
//!
//! A reader takes all parts before it asks any of them for its value (`name?`), so that all errors
//! are told. [`Told`] proves that one was.

mod members;
mod sink;

use std::collections::HashSet;

use super::error::{DocumentErrorKind, Limit, ShapeErrorKind};
use super::json::{Member, Node};
use super::position::{Part, Places, Spot};

pub use members::{Entries, Items, Members, OneOrSome, all};
pub use sink::{Parsed, Sink, Told, read};

/// So many names are compared with each other; of more a set is made.
const FEW: usize = 8;

/// A node and how it was come to: a list that is linked on the stack.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'p, 'n> {
    node: &'n Node<'n>,
    place: usize,
    parent: Option<&'p Cursor<'p, 'n>>,
}

impl<'p, 'n> Cursor<'p, 'n> {
    /// The root of a document.
    pub fn root(node: &'n Node<'n>) -> Self {
        Self {
            node,
            place: 0,
            parent: None,
        }
    }

    /// The node.
    pub fn node(&self) -> &'n Node<'n> {
        self.node
    }

    /// Where the value stands.
    pub fn spot(&self) -> Spot {
        Spot {
            places: self.places(),
            part: Part::Value,
        }
    }

    /// Where the name of this member stands.
    pub fn key_spot(&self) -> Spot {
        Spot {
            places: self.places(),
            part: Part::Key,
        }
    }

    fn places(&self) -> Places {
        let mut places = Places::new();
        let mut at = self;
        while let Some(parent) = at.parent {
            places.push(u32::try_from(at.place).unwrap_or(u32::MAX));
            at = parent;
        }
        places.reverse();
        places
    }

    /// Tells that this value cannot be taken.
    pub fn refuse(&self, kind: impl Into<DocumentErrorKind>, sink: &mut Sink<'_>) -> Told {
        sink.refuse(&self.spot(), kind)
    }

    /// Tells that the name of this member cannot be taken.
    pub fn refuse_key(&self, kind: impl Into<DocumentErrorKind>, sink: &mut Sink<'_>) -> Told {
        sink.refuse(&self.key_spot(), kind)
    }

    /// Tells that something else was expected here.
    pub fn unexpected(&self, expected: &'static str, sink: &mut Sink<'_>) -> Told {
        let found = self.node.sort();
        self.refuse(ShapeErrorKind::WrongType { expected, found }, sink)
    }

    /// The text of a string.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn text(&self, sink: &mut Sink<'_>) -> Result<&'n str, Told> {
        match self.node {
            Node::String(text) => Ok(text),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::Array(_) | Node::Object(_) => {
                Err(self.unexpected("a string", sink))
            }
        }
    }

    /// A text that `read` takes; its error, as a kind, is told here.
    ///
    /// # Errors
    ///
    /// When it is no string, or `read` refuses it.
    pub fn parse<T, K: Into<DocumentErrorKind>>(
        &self,
        sink: &mut Sink<'_>,
        read: impl FnOnce(&'n str) -> Result<T, K>,
    ) -> Result<T, Told> {
        read(self.text(sink)?).map_err(|kind| self.refuse(kind, sink))
    }

    /// One of a closed set of words.
    ///
    /// # Errors
    ///
    /// When it is no string, or none of the words.
    pub fn word<T: Copy>(
        &self,
        expected: &'static str,
        words: &[(&str, T)],
        sink: &mut Sink<'_>,
    ) -> Result<T, Told> {
        let text = self.text(sink)?;
        let found = words.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let found = text.into();
            self.refuse(ShapeErrorKind::UnknownWord { expected, found }, sink)
        })
    }

    /// `true` or `false`.
    ///
    /// # Errors
    ///
    /// When it is neither.
    pub fn flag(&self, sink: &mut Sink<'_>) -> Result<bool, Told> {
        match self.node {
            Node::Bool(value) => Ok(*value),
            Node::Null | Node::Number(_) | Node::String(_) | Node::Array(_) | Node::Object(_) => {
                Err(self.unexpected("a boolean", sink))
            }
        }
    }

    /// A number of 0 or more without a fraction.
    ///
    /// # Errors
    ///
    /// When it is none, or beyond 64 bits.
    pub fn whole_number(&self, sink: &mut Sink<'_>) -> Result<u64, Told> {
        let number = match self.node {
            Node::Number(number) => number.as_u64(),
            Node::Null | Node::Bool(_) | Node::String(_) | Node::Array(_) | Node::Object(_) => None,
        };
        number.ok_or_else(|| self.unexpected("a whole number", sink))
    }

    /// The elements of an array.
    ///
    /// # Errors
    ///
    /// When it is none.
    pub fn items<'c>(&'c self, sink: &mut Sink<'_>) -> Result<Items<'c, 'n>, Told> {
        match self.node {
            Node::Array(nodes) => Ok(Items {
                parent: self,
                nodes: nodes.iter().enumerate(),
            }),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) | Node::Object(_) => {
                Err(self.unexpected("an array", sink))
            }
        }
    }

    /// The elements of an array that holds some, and at most `limit` of them.
    ///
    /// # Errors
    ///
    /// When it is none, or holds fewer or more.
    pub fn some_items<'c>(
        &'c self,
        limit: Limit,
        sink: &mut Sink<'_>,
    ) -> Result<Items<'c, 'n>, Told> {
        let items = self.items(sink)?;
        self.check_count(items.len(), limit, sink)?;
        Ok(items)
    }

    /// Refuses an empty array or object, and one over a limit.
    ///
    /// # Errors
    ///
    /// When `count` is 0 or over `limit`.
    pub fn check_count(&self, count: usize, limit: Limit, sink: &mut Sink<'_>) -> Result<(), Told> {
        if count == 0 {
            return Err(self.refuse(ShapeErrorKind::Empty, sink));
        }
        self.check_most(count, limit, sink)
    }

    /// Refuses an array or object over a limit.
    ///
    /// # Errors
    ///
    /// When `count` is over `limit`.
    pub fn check_most(&self, count: usize, limit: Limit, sink: &mut Sink<'_>) -> Result<(), Told> {
        if count > limit.most {
            return Err(self.refuse(ShapeErrorKind::TooMany(limit), sink));
        }
        Ok(())
    }

    /// A string, or the elements of an array of 1 to `limit`: the two ways to write values.
    ///
    /// # Errors
    ///
    /// When it is an object, or an array with fewer or more elements.
    pub fn one_or_some<'c>(
        &'c self,
        limit: Limit,
        sink: &mut Sink<'_>,
    ) -> Result<OneOrSome<'c, 'n>, Told>
    where
        'p: 'c,
    {
        match self.node {
            Node::Array(_) => self.some_items(limit, sink).map(OneOrSome::Some),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => {
                Ok(OneOrSome::One(Some(*self)))
            }
            Node::Object(_) => Err(self.unexpected("a string or an array of strings", sink)),
        }
    }

    /// The members of an object whose names are all data; none stands twice.
    ///
    /// # Errors
    ///
    /// When it is no object. A duplicate is told, and left out.
    pub fn entries<'c>(&'c self, sink: &mut Sink<'_>) -> Result<Entries<'c, 'n>, Told> {
        let members = self.object(sink)?;
        let mut twice = Twice::of(members);
        let mut entries = Entries::with_capacity(members.len());
        for (place, (name, node)) in members.iter().enumerate() {
            let at = self.child(place, node);
            if twice.is(place) {
                at.refuse_duplicate(name, sink);
            } else {
                entries.push((*name, at));
            }
        }
        Ok(entries)
    }

    /// The members of an object as they stand; none of anything else.
    pub(in crate::document) fn written(&self) -> impl Iterator<Item = (&'n str, Cursor<'_, 'n>)> {
        let members = match self.node {
            Node::Object(members) => *members,
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) | Node::Array(_) => &[],
        };
        let places = members.iter().enumerate();
        places.map(|(place, (name, node))| (*name, self.child(place, node)))
    }

    fn refuse_duplicate(&self, name: &str, sink: &mut Sink<'_>) {
        let name = name.into();
        self.refuse_key(ShapeErrorKind::DuplicateMember { name }, sink);
    }

    /// The members of an object that may have those named alone; any other is told, and so is one
    /// that stands twice.
    ///
    /// # Errors
    ///
    /// When it is no object.
    pub fn members<'c>(
        &'c self,
        known: &[&'static str],
        sink: &mut Sink<'_>,
    ) -> Result<Members<'c, 'n>, Told> {
        let members = self.object(sink)?;
        let mut twice = Twice::of(members);
        for (place, (name, node)) in members.iter().enumerate() {
            if twice.is(place) {
                self.child(place, node).refuse_duplicate(name, sink);
            } else if !known.contains(name) {
                let at = self.child(place, node);
                let name = (*name).into();
                at.refuse_key(ShapeErrorKind::UnknownMember { name }, sink);
            }
        }
        Ok(Members { at: self, members })
    }

    fn object(&self, sink: &mut Sink<'_>) -> Result<&'n [Member<'n>], Told> {
        match self.node {
            Node::Object(members) => Ok(members),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) | Node::Array(_) => {
                Err(self.unexpected("an object", sink))
            }
        }
    }

    fn child<'c>(&'c self, place: usize, node: &'n Node<'n>) -> Cursor<'c, 'n> {
        Cursor {
            node,
            place,
            parent: Some(self),
        }
    }
}

/// Finds members whose names stood before.
struct Twice<'n> {
    members: &'n [Member<'n>],
    /// The names so far, where there are many.
    seen: Option<HashSet<&'n str>>,
}

impl<'n> Twice<'n> {
    fn of(members: &'n [Member<'n>]) -> Self {
        let seen = (members.len() > FEW).then(HashSet::new);
        Self { members, seen }
    }

    /// Whether the member at a place stood before; asked for each place in turn.
    fn is(&mut self, place: usize) -> bool {
        let (earlier, rest) = self.members.split_at_checked(place).unwrap_or_default();
        let Some((name, _)) = rest.first() else {
            return false;
        };
        match &mut self.seen {
            Some(seen) => !seen.insert(name),
            None => earlier.iter().any(|(known, _)| known == name),
        }
    }
}
