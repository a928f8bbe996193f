//! The policies of one file. A long file of JSON Lines is read by all processors at once, each a run
//! of its lines; what comes of it is the same.

use std::num::NonZero;
use std::thread::{Builder, available_parallelism, scope};

use super::entry::{self, Placed};
use super::layout::Form;
use super::parts::documents;
use super::{FileErrors, FileLint, MAX_LINE_BYTES};
use crate::document::cursor::{self, Cursor, Parsed, Sink, Told};
use crate::document::lint::Lint;
use crate::document::policy::{self, MAX_DOCUMENT_BYTES, PolicyOptions};
use crate::document::position::{Source, Spot};
use crate::model::account::Name;
use crate::model::statement::Policy;

/// A thread is worth its while for so many bytes.
const RUN: usize = 512 * 1024;

/// What was read of some documents, in their order.
#[derive(Debug, Default)]
pub(super) struct Batch<'f> {
    pub(super) read: Vec<ReadPolicy<'f>>,
    pub(super) lints: Vec<FileLint>,
    pub(super) errors: FileErrors,
}

/// A policy, and where its name stands.
#[derive(Debug)]
pub(super) struct ReadPolicy<'f> {
    pub(super) name: Name,
    pub(super) policy: Policy,
    pub(super) source: Source<'f>,
    pub(super) spot: Spot,
}

/// Reads the policies of a file.
pub(super) fn policies<'f>(
    path: &str,
    source: Source<'f>,
    form: &Form,
    options: &PolicyOptions<'_>,
) -> Vec<Batch<'f>> {
    let read = |run: Source<'f>| Batch::of(path, run, form.clone(), options);
    match form {
        Form::Whole(_) => vec![read(source)],
        Form::Lines => {
            let processors = available_parallelism().map_or(1, NonZero::get);
            let most = processors.min(source.text.len() / RUN).max(1);
            at_once(&runs(source.text, most), read)
        }
    }
}

/// Reads each run on a thread of its own, the first on this one.
fn at_once<'f>(
    runs: &[Source<'f>],
    read: impl Fn(Source<'f>) -> Batch<'f> + Sync,
) -> Vec<Batch<'f>> {
    let Some((first, rest)) = runs.split_first() else {
        return Vec::new();
    };
    let read = &read;
    scope(|threads| {
        let start = |run: &Source<'f>| {
            let run = *run;
            let thread = Builder::new().name("read".to_owned());
            (run, thread.spawn_scoped(threads, move || read(run)).ok())
        };
        let started: Vec<_> = rest.iter().map(start).collect();
        let mut batches = vec![read(*first)];
        for (run, thread) in started {
            batches.push(match thread.map(std::thread::ScopedJoinHandle::join) {
                Some(Ok(batch)) => batch,
                Some(Err(panic)) => std::panic::resume_unwind(panic),
                None => read(run),
            });
        }
        batches
    })
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
        first_line += run.bytes().filter(|byte| *byte == b'\n').count();
        rest = further;
    }
    runs
}

impl<'f> Batch<'f> {
    fn of(path: &str, source: Source<'f>, form: Form, options: &PolicyOptions<'_>) -> Self {
        let mut batch = Self::default();
        for (name, document) in documents(source, form) {
            let (limit, text) = match name {
                None => (MAX_LINE_BYTES, None),
                Some(name) => (MAX_DOCUMENT_BYTES, Some(name)),
            };
            let read = cursor::read(document, limit, |at, sink| match text {
                None => named_policy(at, options, sink),
                Some(name) => {
                    policy::check_length(document.text, at, options, sink)?;
                    Ok((name, policy::policy(at, options, sink)?, at.spot()))
                }
            });
            match read {
                Ok(Parsed { value, lints }) => batch.add(path, document, value, lints),
                Err(errors) => batch.errors.push_all(path, &errors),
            }
        }
        batch
    }

    fn add(
        &mut self,
        path: &str,
        source: Source<'f>,
        (name, policy, spot): (Name, Policy, Spot),
        lints: Vec<Lint>,
    ) {
        self.read.push(ReadPolicy {
            name,
            policy,
            source,
            spot,
        });
        self.lints.extend(lints.into_iter().map(|lint| FileLint {
            file: path.to_owned(),
            lint,
        }));
    }
}

/// `{"name": …, "policy": {…}}`
fn named_policy(
    at: &Cursor<'_, '_>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<(Name, Policy, Spot), Told> {
    let members = at.members(&["name", "policy"], sink)?;
    let name = members
        .required("name", sink)
        .and_then(|at| entry::placed(&at, sink, entry::name));
    let policy = members
        .required("policy", sink)
        .and_then(|at| policy::policy(&at, options, sink));
    let Placed { value: name, spot } = name?;
    Ok((name, policy?, spot))
}

#[cfg(test)]
mod tests {
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
