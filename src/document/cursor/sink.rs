//! Where readers tell errors and warnings, and what becomes of them.

use crate::document::error::{DocumentError, DocumentErrorKind, DocumentErrors, MAX_TOLD};
use crate::document::json;
use crate::document::lint::{Lint, LintKind};
use crate::document::position::{Position, Source, Spot};

use super::Cursor;

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
    let arena = json::Arena::for_text(source.text);
    let root = json::parse(source, max_bytes, &arena)?;
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
        let source = self.source;
        let lints = self.warnings()?;
        match value {
            Ok(value) => Ok(Parsed { value, lints }),
            // INVARIANT: what a `Told` holds was told to a sink; to another one, if not to this.
            Err(Told(error)) => Err(DocumentErrors::one(error.kind, source.start())),
        }
    }

    /// The warnings, where no error was told.
    fn warnings(self) -> Result<Vec<Lint>, DocumentErrors> {
        let errors = place(self.source, self.errors, |kind, at| DocumentError {
            kind,
            at,
        });
        match DocumentErrors::collect(errors, self.omitted) {
            Some(errors) => Err(errors),
            None => Ok(place(self.source, self.lints, |kind, at| Lint { kind, at })),
        }
    }
}

/// Works out the positions of all that was told, and puts it in the order of the text.
fn place<K, T>(
    source: Source<'_>,
    told: Vec<Unplaced<K>>,
    make: impl Fn(K, Position) -> T,
) -> Vec<T> {
    if told.is_empty() {
        return Vec::new();
    }
    let spots: Vec<&Spot> = told.iter().map(|told| &told.spot).collect();
    let positions = source.locate_all(&spots);
    let kinds = told.into_iter().map(|told| told.kind);
    let mut placed: Vec<(K, Position)> = kinds.zip(positions).collect();
    placed.sort_by_key(|(_, at)| (at.line, at.column));
    placed
        .into_iter()
        .map(|(kind, at)| make(kind, at))
        .collect()
}
