//! The whole state as the files of a bundle, in messages of a bounded size.

use super::unread;
use crate::document::object::{JoinError, Objects, join};
use crate::management::reading::{Reading, ReadingError};
use crate::wire::reply::revision;
use crate::wire::status::{CallError, ManageFault};
use crate::wire::v1;

/// The most bytes of a file in one message.
const PART_BYTES: usize = 1_024 * 1_024;

/// The messages, in the order of paths.
pub(super) fn messages(reading: &Reading) -> Result<Vec<v1::ExportBundleResponse>, CallError> {
    let told = reading.revision().map_err(unread)?;
    let told = (told.number > 0).then(|| revision(&told));
    let all = reading.as_authored().all();
    let objects: Objects = all
        .map_err(|error| unread(ReadingError::from(error)))?
        .into_iter()
        .collect();
    let mut messages = Vec::new();
    let mut tell = |file| {
        let revision = told.clone();
        messages.push(v1::ExportBundleResponse { revision, file });
    };
    if told.is_none() {
        tell(None);
        return Ok(messages);
    }
    let files = join(&objects).map_err(|error| broken(&error))?;
    for (path, content) in files.iter() {
        let mut parts = content.chunks(PART_BYTES);
        let first = parts.next().unwrap_or_default();
        for part in std::iter::once(first).chain(parts) {
            tell(Some(v1::BundleFile {
                path: path.to_owned(),
                content: part.to_vec(),
            }));
        }
    }
    Ok(messages)
}

fn broken(error: &JoinError) -> CallError {
    tracing::error!(%error, "the objects make no bundle");
    ManageFault::StoreFailed.into()
}
