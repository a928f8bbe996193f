//! Where in a text something stands: JSON Pointer, line and column.
//!
//! Positions are worked out only when something was told: the nodes are then found again by the
//! places of their ancestors, by taking the levels above them apart as raw values. All spots of a
//! document are found in one pass over each level, however large it is.

mod raw;

use std::fmt::{self, Write as _};

use smallvec::SmallVec;

use super::error::{DocumentErrors, ShapeErrorKind};
use raw::{Child, Level, children};

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

    /// The bytes of a whole file.
    ///
    /// # Errors
    ///
    /// When they are no UTF-8, at the first byte that is not.
    pub fn from_bytes(bytes: &'a [u8]) -> Result<Self, DocumentErrors> {
        std::str::from_utf8(bytes).map(Self::new).map_err(|error| {
            let valid = bytes.utf8_chunks().next().map_or("", |chunk| chunk.valid());
            let at = Self::new(valid).at(error.valid_up_to());
            DocumentErrors::one(ShapeErrorKind::NotUtf8, at)
        })
    }

    /// The line `first_line` of a file of JSON Lines.
    pub fn on_line(text: &'a str, first_line: usize) -> Self {
        Self { text, first_line }
    }

    /// The whole document.
    pub fn start(self) -> Position {
        self.at(0)
    }

    /// The place of a syntax error, as `serde_json` tells it: a line, and a column in bytes.
    pub(super) fn of_syntax(self, line: usize, column: usize) -> Position {
        let before: usize = self
            .text
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum();
        self.at(before + column.saturating_sub(1))
    }

    /// The position of a spot.
    pub fn locate(self, spot: &Spot) -> Position {
        let found = self.locate_all(&[spot]).into_iter().next();
        found.unwrap_or_else(|| self.start())
    }

    /// The positions of spots, in their order.
    pub(super) fn locate_all(self, spots: &[&Spot]) -> Vec<Position> {
        let mut order: Vec<(usize, &Spot)> = spots.iter().copied().enumerate().collect();
        order.sort_by(|(_, left), (_, right)| left.places.cmp(&right.places));
        let mut found = Vec::with_capacity(spots.len());
        let root = Level {
            child: Child {
                key: None,
                value: self.text,
            },
            depth: 0,
            pointer: String::new(),
        };
        self.descend(&root, &order, &mut found);
        found.sort_by_key(|found| found.offset);
        let mut counter = Counter::new(self);
        let mut placed: Vec<(usize, Position)> = found
            .into_iter()
            .map(|found| (found.index, counter.position(found.pointer, found.offset)))
            .collect();
        placed.sort_by_key(|(index, _)| *index);
        placed.into_iter().map(|(_, position)| position).collect()
    }

    /// Finds spots at or below a level; they are in order of their places.
    fn descend(self, level: &Level<'_>, spots: &[(usize, &Spot)], found: &mut Vec<Found>) {
        let place = |(_, spot): &(usize, &Spot)| {
            let place = spot.places.get(level.depth).copied();
            place.and_then(|place| usize::try_from(place).ok())
        };
        let mut wanted: Vec<usize> = spots.iter().filter_map(place).collect();
        wanted.dedup();
        let mut children = children(level.child.value, &wanted).into_iter().peekable();
        for group in spots.chunk_by(|left, right| place(left) == place(right)) {
            let wanted = group.first().and_then(place);
            match children.next_if(|(place, _)| wanted == Some(*place)) {
                Some((place, child)) => self.descend(&level.below(place, child), group, found),
                None => found.extend(group.iter().map(|(index, spot)| Found {
                    index: *index,
                    offset: self.offset(level.child.part(spot.part)),
                    pointer: level.pointer.clone(),
                })),
            }
        }
    }

    fn offset(self, part: &str) -> usize {
        let blank = part.len() - part.trim_ascii_start().len();
        part.as_ptr().addr() - self.text.as_ptr().addr() + blank
    }

    fn at(self, offset: usize) -> Position {
        Counter::new(self).position(String::new(), offset)
    }
}

/// Where a spot was found.
struct Found {
    index: usize,
    offset: usize,
    pointer: String,
}

/// Counts lines and columns up to offsets that rise.
struct Counter<'a> {
    rest: &'a str,
    offset: usize,
    line: usize,
    column: usize,
}

impl<'a> Counter<'a> {
    fn new(source: Source<'a>) -> Self {
        Self {
            rest: source.text,
            offset: 0,
            line: source.first_line,
            column: 1,
        }
    }

    fn position(&mut self, pointer: String, offset: usize) -> Position {
        let ahead = self
            .rest
            .floor_char_boundary(offset.saturating_sub(self.offset));
        let (passed, rest) = self.rest.split_at(ahead);
        self.line += passed.bytes().filter(|byte| *byte == b'\n').count();
        self.column = match passed.rsplit_once('\n') {
            Some((_, line)) => 1 + line.chars().count(),
            None => self.column + passed.chars().count(),
        };
        self.offset += ahead;
        self.rest = rest;
        Position {
            pointer,
            line: self.line,
            column: self.column,
        }
    }
}

/// A node by the places of its ancestors and itself: `[1, 0]` is the first child of the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    pub(super) places: Places,
    pub(super) part: Part,
}

/// The places of ancestors. No text holds more than 2^32 nodes; few spots stand deeper than this.
pub(super) type Places = SmallVec<[u32; 6]>;

/// Which part of a member a spot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// Its name.
    Key,
    /// Its value.
    Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\n{ \"a\": [1,\n  {\"部/门\": 2, \"b~\" : \"x\"}],\n  \"\\u0061\": 3 }";

    #[test]
    fn spots_are_found_again() {
        let check = |places: &[u32], part, expected: (&str, usize, usize)| {
            let spot = Spot {
                places: places.into(),
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
    fn many_spots_keep_their_order() {
        let places: [&[u32]; 5] = [&[1], &[0, 1, 1], &[], &[0, 0], &[0, 1]];
        let spots = places.map(|places| Spot {
            places: places.into(),
            part: Part::Value,
        });
        let found = Source::new(TEXT).locate_all(&spots.each_ref());
        let pointers: Vec<&str> = found.iter().map(|found| &*found.pointer).collect();
        assert_eq!(pointers, ["/a", "/a/1/b~0", "", "/a/0", "/a/1"]);
        let lines: Vec<usize> = found.iter().map(|found| found.line).collect();
        assert_eq!(lines, [4, 3, 2, 2, 3]);
    }

    #[test]
    fn empty_and_short_texts_have_a_position() {
        let found = Source::new("").of_syntax(1, 0);
        assert_eq!((found.line, found.column), (1, 1));
        let found = Source::new("ab\n部x").of_syntax(2, 4);
        assert_eq!((found.line, found.column), (2, 2));
        let errors = Source::from_bytes(b"{\n  \xff}").unwrap_err();
        assert_eq!(errors.to_string(), "2:3: not UTF-8");
    }
}
