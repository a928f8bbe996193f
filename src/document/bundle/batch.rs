//! The policies of one file, or of a run of its lines.

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

impl<'f> Batch<'f> {
    /// Reads the policies of a source.
    pub(super) fn of(
        path: &str,
        source: Source<'f>,
        form: Form,
        options: &PolicyOptions<'_>,
    ) -> Self {
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
