//! The layer of the file: JSON, as all that people write for this program.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::setting::{Kind, SECTIONS, SETTINGS, Setting};
use super::{ConfigError, Given, Layer, Origin, Text};
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::document::position::Spot;
use crate::document::{DocumentErrors, Source, read};

/// The most bytes of the file.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// What the file tells: `{"server": {"listen": ["127.0.0.1:4770"]}}`. A `$schema` is passed over.
///
/// # Errors
///
/// When it cannot be read, or has a member that no setting has or a value of another sort.
pub fn file(path: &Path) -> Result<Layer, ConfigError> {
    let failed = |cause| ConfigError::File {
        path: path.to_owned(),
        cause,
    };
    let refused = |errors: DocumentErrors| ConfigError::Document {
        path: path.to_owned(),
        errors: Box::new(errors),
    };
    let mut bytes = Vec::new();
    let most = u64::try_from(MAX_FILE_BYTES + 1).unwrap_or(u64::MAX);
    let opened = File::open(path).map_err(failed)?;
    opened.take(most).read_to_end(&mut bytes).map_err(failed)?;
    let source = Source::from_bytes(&bytes).map_err(refused)?;
    let found = read(source, MAX_FILE_BYTES, document).map_err(refused)?;
    let given = found
        .value
        .into_iter()
        .map(|found| found.given(source, path));
    Ok(Layer(given.collect()))
}

/// A setting of the file, before its positions are worked out.
struct Found {
    setting: &'static Setting,
    texts: Vec<(String, Spot)>,
}

impl Found {
    fn given(self, source: Source<'_>, path: &Path) -> Given {
        let Self { setting, texts } = self;
        let texts = texts.into_iter().map(|(text, spot)| Text {
            text,
            origin: Origin::File {
                path: path.to_owned(),
                at: source.locate(&spot),
            },
        });
        Given {
            setting,
            texts: texts.collect(),
        }
    }
}

fn document(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Vec<Found>, Told> {
    let mut known = SECTIONS.map(|(name, _)| name).to_vec();
    known.push(SCHEMA);
    let members = at.members(&known, sink)?;
    let schema = members.optional(SCHEMA);
    let schema = schema.map(|at| at.text(sink).map(|_| ())).transpose();
    let sections = cursor::all(SECTIONS, |(name, _)| match members.optional(name) {
        Some(at) => section(name, &at, sink),
        None => Ok(Vec::new()),
    });
    schema?;
    Ok(sections?.into_iter().flatten().collect())
}

/// Where editors find the schema of the file.
const SCHEMA: &str = "$schema";

fn section(name: &str, at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Vec<Found>, Told> {
    let settings = SETTINGS.into_iter();
    let settings: Vec<_> = settings.filter(|setting| setting.section == name).collect();
    let known: Vec<_> = settings.iter().map(|setting| setting.key).collect();
    let members = at.members(&known, sink)?;
    let found = cursor::all(settings, |setting| {
        let Some(at) = members.optional(setting.key) else {
            return Ok(None);
        };
        let texts = texts(setting, &at, sink)?;
        Ok(Some(Found { setting, texts }))
    });
    Ok(found?.into_iter().flatten().collect())
}

fn texts(
    setting: &Setting,
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<Vec<(String, Spot)>, Told> {
    let text = |at: &Cursor<'_, '_>, sink: &mut Sink<'_>| {
        at.text(sink).map(|text| (text.to_owned(), at.spot()))
    };
    match setting.kind {
        Kind::Text | Kind::Word(_) => Ok(vec![text(at, sink)?]),
        Kind::Whole { .. } => Ok(vec![(at.whole_number(sink)?.to_string(), at.spot())]),
        Kind::List => cursor::all(at.items(sink)?, |at| text(&at, sink)),
    }
}
