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

use std::collections::HashSet;

use super::error::{
    DocumentError, DocumentErrorKind, DocumentErrors, Limit, MAX_TOLD, ShapeErrorKind,
};
use super::json::{self, Node};
use super::lint::{Lint, LintKind};
use super::position::{Part, Position, Source, Spot};

/// What a document says, and what is probably wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed<T> {
    /// What it says.
    pub value: T,
    /// What is probably wrong; at most [`MAX_TOLD`].
    pub lints: Vec<Lint>,
}

/// Reads one document: its JSON, then its meaning by `reader`.
///
/// # Errors
///
/// All errors of the document; one only where it is no JSON or over a limit.
pub fn read<'a, T>(
    source: Source<'a>,
    max_bytes: usize,
    reader: impl FnOnce(&Cursor<'_, '_>, &mut Sink<'a>) -> Result<T, Told>,
) -> Result<Parsed<T>, DocumentErrors> {
    let root = json::parse(source, max_bytes)?;
    let mut sink = Sink::new(source);
    let value = reader(&Cursor::root(&root), &mut sink);
    sink.finish(value)
}

/// An error was told: the reader that returns it has no value.
#[derive(Debug)]
pub struct Told(Box<Unplaced<DocumentErrorKind>>);

/// What was told, before its position is worked out.
#[derive(Debug, Clone)]
struct Unplaced<K> {
    kind: K,
    spot: Spot,
}

/// Where a reader tells errors and warnings of one document.
#[derive(Debug)]
pub struct Sink<'a> {
    source: Source<'a>,
    errors: Vec<Unplaced<DocumentErrorKind>>,
    omitted: usize,
    lints: Vec<Unplaced<LintKind>>,
}

impl<'a> Sink<'a> {
    /// Nothing is told yet.
    pub fn new(source: Source<'a>) -> Self {
        Self {
            source,
            errors: Vec::new(),
            omitted: 0,
            lints: Vec::new(),
        }
    }

    /// Tells an error. Beyond [`MAX_TOLD`] they are only counted.
    pub fn refuse(&mut self, spot: &Spot, kind: impl Into<DocumentErrorKind>) -> Told {
        let error = Unplaced {
            kind: kind.into(),
            spot: spot.clone(),
        };
        if self.errors.len() < MAX_TOLD {
            self.errors.push(error.clone());
        } else {
            self.omitted += 1;
        }
        Told(Box::new(error))
    }

    /// Tells a warning. Those beyond [`MAX_TOLD`] are dropped.
    pub fn warn(&mut self, spot: &Spot, kind: LintKind) {
        if self.lints.len() < MAX_TOLD {
            let spot = spot.clone();
            self.lints.push(Unplaced { kind, spot });
        }
    }

    /// The value with its warnings, or all errors that were told; both in the order of the text.
    ///
    /// # Errors
    ///
    /// When an error was told, whether or not there is a value.
    pub fn finish<T>(self, value: Result<T, Told>) -> Result<Parsed<T>, DocumentErrors> {
        let placed = place(self.source, self.errors, |kind, at| DocumentError {
            kind,
            at,
        });
        if let Some(errors) = DocumentErrors::collect(placed, self.omitted) {
            return Err(errors);
        }
        match value {
            Ok(value) => Ok(Parsed {
                value,
                lints: place(self.source, self.lints, |kind, at| Lint { kind, at }),
            }),
            // INVARIANT: what a `Told` holds was told to a sink; to another one, if not to this.
            Err(Told(error)) => Err(DocumentErrors::one(error.kind, self.source.start())),
        }
    }
}

/// Works out the positions of all that was told, and puts it in the order of the text.
fn place<K, T>(
    source: Source<'_>,
    told: Vec<Unplaced<K>>,
    make: impl Fn(K, Position) -> T,
) -> Vec<T> {
    let spots: Vec<&Spot> = told.iter().map(|told| &told.spot).collect();
    let positions = source.locate(&spots);
    let kinds = told.into_iter().map(|told| told.kind);
    let mut placed: Vec<(K, Position)> = kinds.zip(positions).collect();
    placed.sort_by_key(|(_, at)| (at.line, at.column));
    placed
        .into_iter()
        .map(|(kind, at)| make(kind, at))
        .collect()
}

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

    fn places(&self) -> Vec<usize> {
        let mut places = Vec::new();
        let mut at = self;
        while let Some(parent) = at.parent {
            places.push(at.place);
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
    ) -> Result<Vec<Cursor<'c, 'n>>, Told>
    where
        'p: 'c,
    {
        match self.node {
            Node::Array(_) => Ok(self.some_items(limit, sink)?.collect()),
            Node::Null | Node::Bool(_) | Node::Number(_) | Node::String(_) => Ok(vec![*self]),
            Node::Object(_) => Err(self.unexpected("a string or an array of strings", sink)),
        }
    }

    /// The members of an object whose names are all data; none stands twice.
    ///
    /// # Errors
    ///
    /// When it is no object. A duplicate is told, and left out.
    pub fn entries<'c>(&'c self, sink: &mut Sink<'_>) -> Result<Entries<'c, 'n>, Told> {
        let nodes = self.object(sink)?;
        let mut seen = HashSet::new();
        let mut entries = Vec::with_capacity(nodes.len());
        for (place, (name, node)) in nodes.iter().enumerate() {
            let at = self.child(place, node);
            if seen.insert(&**name) {
                entries.push((&**name, at));
            } else {
                let name = (&**name).into();
                at.refuse_key(ShapeErrorKind::DuplicateMember { name }, sink);
            }
        }
        Ok(entries)
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
        let mut entries = self.entries(sink)?;
        entries.retain(|(name, at)| {
            let is_known = known.contains(name);
            if !is_known {
                let name = (*name).into();
                at.refuse_key(ShapeErrorKind::UnknownMember { name }, sink);
            }
            is_known
        });
        Ok(Members { at: self, entries })
    }

    fn object(
        &self,
        sink: &mut Sink<'_>,
    ) -> Result<&'n [(std::borrow::Cow<'n, str>, Node<'n>)], Told> {
        match self.node {
            Node::Object(nodes) => Ok(nodes),
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

/// Members of an object, by name.
pub type Entries<'c, 'n> = Vec<(&'n str, Cursor<'c, 'n>)>;

/// The elements of an array.
#[derive(Debug, Clone)]
pub struct Items<'c, 'n> {
    parent: &'c Cursor<'c, 'n>,
    nodes: std::iter::Enumerate<std::slice::Iter<'n, Node<'n>>>,
}

impl<'c, 'n> Iterator for Items<'c, 'n> {
    type Item = Cursor<'c, 'n>;

    fn next(&mut self) -> Option<Self::Item> {
        let (place, node) = self.nodes.next()?;
        Some(self.parent.child(place, node))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.nodes.size_hint()
    }
}

impl ExactSizeIterator for Items<'_, '_> {}

/// The known members of one object.
#[derive(Debug)]
pub struct Members<'c, 'n> {
    at: &'c Cursor<'c, 'n>,
    entries: Entries<'c, 'n>,
}

impl<'c, 'n> Members<'c, 'n> {
    /// A member that must be there.
    ///
    /// # Errors
    ///
    /// When it is missing.
    pub fn required(
        &self,
        name: &'static str,
        sink: &mut Sink<'_>,
    ) -> Result<Cursor<'c, 'n>, Told> {
        self.optional(name)
            .ok_or_else(|| self.at.refuse(ShapeErrorKind::MissingMember { name }, sink))
    }

    /// A member that may be there.
    pub fn optional(&self, name: &str) -> Option<Cursor<'c, 'n>> {
        let found = self.entries.iter().find(|(known, _)| *known == name);
        found.map(|(_, at)| *at)
    }

    /// The object itself.
    pub fn whole(&self) -> &'c Cursor<'c, 'n> {
        self.at
    }
}

/// Reads every element, so that the errors of all are told.
///
/// # Errors
///
/// When one of them has an error.
pub fn all<I: IntoIterator, T>(
    items: I,
    mut read: impl FnMut(I::Item) -> Result<T, Told>,
) -> Result<Vec<T>, Told> {
    let mut values = Vec::new();
    let mut told = None;
    for item in items {
        match read(item) {
            Ok(value) => values.push(value),
            Err(error) => told = Some(error),
        }
    }
    told.map_or(Ok(values), Err)
}
