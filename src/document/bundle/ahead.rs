//! Long files are read ahead, by all processors at once: accounts, and policies in runs of lines. What
//! comes of them is taken where their file's turn is, so that errors, warnings and duplicates are told
//! as one reading in order would tell them.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread::{Builder, available_parallelism, scope};

use super::account::{self, AccountFile};
use super::batch::Batch;
use super::layout::{self, AccountFilePart, Form, Part};
use super::{BundleFiles, MAX_FILE_BYTES};
use crate::document::cursor::{self, Parsed};
use crate::document::error::DocumentErrors;
use crate::document::policy::PolicyOptions;
use crate::document::position::Source;
use crate::model::catalog::Catalog;
use crate::model::settings::Settings;
use crate::model::statement::DocumentLayer;

/// A file of so many bytes is long, and so is a run of lines.
const LONG: usize = 512 * 1024;

/// What was read ahead, by path.
#[derive(Debug, Default)]
pub(in crate::document) struct Ahead<'f> {
    accounts: BTreeMap<&'f str, ReadAccount>,
    policies: BTreeMap<&'f str, Vec<Batch<'f>>>,
}

/// An account's file, or its errors.
pub(super) type ReadAccount = Result<Parsed<AccountFile>, DocumentErrors>;

/// A piece that one processor reads.
#[derive(Debug, Clone, Copy)]
enum Piece<'f> {
    Account(&'f str, Source<'f>),
    Policies(&'f str, Source<'f>, DocumentLayer),
}

/// What was read of a piece.
#[derive(Debug)]
enum Read<'f> {
    Account(&'f str, ReadAccount),
    Policies(&'f str, Batch<'f>),
}

impl<'f> Ahead<'f> {
    /// Reads the long files, if there is more than one processor for them.
    pub(super) fn read(files: &'f BundleFiles, settings: &Settings, catalog: &Catalog) -> Self {
        let processors = available_parallelism().map_or(1, NonZero::get);
        if processors < 2 {
            return Self::default();
        }
        let pieces: Vec<Piece<'f>> = files.iter().flat_map(pieces).collect();
        let mut ahead = Self::default();
        for read in at_once(&pieces, processors, |piece| piece.read(settings, catalog)) {
            match read {
                Read::Account(path, read) => {
                    ahead.accounts.insert(path, read);
                }
                Read::Policies(path, batch) => ahead.policies.entry(path).or_default().push(batch),
            }
        }
        ahead
    }

    /// The account of a path.
    pub(super) fn account(&mut self, path: &str) -> Option<ReadAccount> {
        self.accounts.remove(path)
    }

    /// The policies of a path, in their order.
    pub(super) fn policies(&mut self, path: &str) -> Option<Vec<Batch<'f>>> {
        self.policies.remove(path)
    }
}

/// The pieces of a file, if it is long.
fn pieces<'f>((path, content): (&'f str, &'f [u8])) -> Vec<Piece<'f>> {
    let is_long = (LONG..=MAX_FILE_BYTES).contains(&content.len());
    // What is refused is told in its turn.
    let (true, Ok(part), Ok(text)) = (is_long, layout::part(path), std::str::from_utf8(content))
    else {
        return Vec::new();
    };
    let layer = match part {
        Part::Account(_, AccountFilePart::Account) => {
            return vec![Piece::Account(path, Source::new(text))];
        }
        Part::Account(_, AccountFilePart::Policy(Form::Lines)) | Part::System(Form::Lines) => {
            DocumentLayer::Identity
        }
        Part::Control(Form::Lines) => DocumentLayer::Control,
        Part::Account(_, AccountFilePart::Policy(Form::Whole(_)))
        | Part::System(Form::Whole(_))
        | Part::Control(Form::Whole(_))
        | Part::Bundle
        | Part::Callers
        | Part::Routes
        | Part::Inheritance
        | Part::Catalog
        | Part::Organization
        | Part::Tag(_)
        | Part::Resource(_)
        | Part::Resources
        | Part::Tests => return Vec::new(),
    };
    let runs = runs(text, text.len() / LONG).into_iter();
    runs.map(|run| Piece::Policies(path, run, layer)).collect()
}

impl<'f> Piece<'f> {
    fn read(self, settings: &Settings, catalog: &Catalog) -> Read<'f> {
        let options = |layer| PolicyOptions {
            layer,
            settings,
            catalog,
        };
        match self {
            Self::Account(path, source) => {
                let options = options(DocumentLayer::Trust);
                let read = cursor::read(source, MAX_FILE_BYTES, |at, sink| {
                    account::read(at, &options, sink)
                });
                Read::Account(path, read)
            }
            Self::Policies(path, run, layer) => {
                Read::Policies(path, Batch::of(path, run, Form::Lines, &options(layer)))
            }
        }
    }
}

/// Reads pieces by so many threads, of which this is one; what was read is in their order.
fn at_once<'f>(
    pieces: &[Piece<'f>],
    threads: usize,
    read: impl Fn(Piece<'f>) -> Read<'f> + Sync,
) -> Vec<Read<'f>> {
    let rest = Mutex::new(pieces.iter().enumerate());
    let next = || rest.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let pieces = std::iter::from_fn(next);
        let read = pieces.map(|(place, piece)| (place, read(*piece)));
        read.collect::<Vec<_>>()
    };
    let mut all = scope(|scope| {
        let start = |_| {
            let thread = Builder::new().name("read".to_owned());
            // Without it, the others read all.
            thread.spawn_scoped(scope, work).ok()
        };
        let more = threads.min(pieces.len()).saturating_sub(1);
        let started: Vec<_> = (0..more).filter_map(start).collect();
        let mut all = work();
        for thread in started {
            match thread.join() {
                Ok(read) => all.extend(read),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, read)| read).collect()
}

/// A text in at most so many runs of whole lines.
fn runs(text: &str, most: usize) -> Vec<Source<'_>> {
    let length = text.len() / most + 1;
    let (mut rest, mut first_line) = (text, 1);
    let mut runs = Vec::with_capacity(most);
    while !rest.is_empty() {
        let behind = rest.as_bytes().iter().skip(length);
        let end = behind.clone().position(|byte| *byte == b'\n');
        let end = end.map_or(rest.len(), |end| length + end + 1);
        let (run, further) = rest.split_at_checked(end).unwrap_or((rest, ""));
        runs.push(Source::on_line(run, first_line));
        if !further.is_empty() {
            first_line += run.bytes().filter(|byte| *byte == b'\n').count();
        }
        rest = further;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::super::parts::documents;
    use super::*;

    #[test]
    fn runs_are_whole_lines_that_know_their_numbers() {
        let check = |text: &str, most| {
            let runs = runs(text, most);
            assert!(runs.len() <= most, "{text:?} {most}");
            let together: String = runs.iter().map(|run| run.text).collect();
            assert_eq!(together, text);
            let numbered = |source| documents(source, Form::Lines).collect::<Vec<_>>();
            let lines = |source| {
                let lines = numbered(source).into_iter();
                lines
                    .map(|(_, line)| (line.first_line, line.text))
                    .collect::<Vec<_>>()
            };
            let of_runs: Vec<_> = runs.iter().flat_map(|run| lines(*run)).collect();
            assert_eq!(of_runs, lines(Source::new(text)), "{text:?} {most}");
        };
        for most in 1..6 {
            check("", most);
            check("部", most);
            check("a\r\n\n部门\n\nccc\ndd\n", most);
            check("a\nb", most);
        }
    }
}
