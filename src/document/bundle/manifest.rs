//! `bundle.json`: the format, the switches, and the digests of all other files (security 7.4).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::BundleFiles;
use super::FORMAT;
use super::entry::Placed;
use super::error::EntryErrorKind;
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::document::settings::settings;
use crate::model::settings::Settings;

/// What the file says.
#[derive(Debug, Clone, Default)]
pub(super) struct BundleFile {
    pub(super) settings: Settings,
    pub(super) manifest: Option<BTreeMap<String, Placed<String>>>,
}

/// Reads the file.
pub(super) fn read(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<BundleFile, Told> {
    let members = at.members(&["format", "settings", "manifest"], sink)?;
    let format = members.required("format", sink).and_then(|at| {
        let found = at.whole_number(sink)?;
        if found == FORMAT {
            return Ok(());
        }
        let known = FORMAT;
        Err(at.refuse(EntryErrorKind::Format { found, known }, sink))
    });
    let settings = members
        .optional("settings")
        .map(|at| settings(&at, sink))
        .transpose();
    let manifest = members
        .optional("manifest")
        .map(|at| digests(&at, sink))
        .transpose();
    format?;
    Ok(BundleFile {
        settings: settings?.unwrap_or_default(),
        manifest: manifest?,
    })
}

fn digests(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<BTreeMap<String, Placed<String>>, Told> {
    let entries = at.entries(sink)?;
    let entries = cursor::all(entries, |(path, at)| {
        let value = at.parse(sink, |text| {
            let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            if text.len() == 64 && text.bytes().all(hexadecimal) {
                Ok(text.to_owned())
            } else {
                Err(EntryErrorKind::Digest)
            }
        })?;
        let spot = at.key_spot();
        Ok((path.to_owned(), Placed { value, spot }))
    })?;
    Ok(entries.into_iter().collect())
}

/// What differs between a manifest and the files: the place in the manifest, or the extra file.
#[derive(Debug)]
pub(super) enum Difference<'f> {
    /// An entry of the manifest is not met.
    Entry(Placed<EntryErrorKind>),
    /// A file is there that the manifest does not name.
    Extra(&'f str),
}

/// Compares the files with their digests. `bundle.json` itself and `tests` are not compared.
pub(super) fn differences<'f>(
    manifest: &BTreeMap<String, Placed<String>>,
    files: &'f BundleFiles,
) -> Vec<Difference<'f>> {
    let is_compared = |path: &str| path != "bundle.json" && !path.starts_with("tests/");
    let mut found = Vec::new();
    for (path, digest) in manifest.iter().filter(|(path, _)| is_compared(path)) {
        let kind = match files.get(path) {
            None => EntryErrorKind::FileMissing {
                path: (**path).into(),
            },
            Some(content) if hexadecimal(content) != digest.value => EntryErrorKind::FileDiffers {
                path: (**path).into(),
            },
            Some(_) => continue,
        };
        let (value, spot) = (kind, digest.spot.clone());
        found.push(Difference::Entry(Placed { value, spot }));
    }
    let extra = files.iter().map(|(path, _)| path);
    let extra = extra.filter(|path| is_compared(path) && !manifest.contains_key(*path));
    found.extend(extra.map(Difference::Extra));
    found
}

fn hexadecimal(content: &[u8]) -> String {
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(content) {
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}
