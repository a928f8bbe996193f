//! Copies of the stores, in messages of a bounded size.

use std::fs::File;
use std::io::Read as _;

use futures_util::{Stream, stream};
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tonic::Status;

use crate::source::backup::{BackupError, Copies, FileDigest, Manifest, Stores};
use crate::wire::status::{CallError, ManageFault};
use crate::wire::v1;
use crate::wire::v1::backup_response::Part;

/// The most bytes of one message.
const CHUNK: u64 = 1 << 20;
/// How many messages are read ahead.
const AHEAD: usize = 4;

type Message = Result<v1::BackupResponse, Status>;

/// Makes copies, and tells what they are and what they hold. Nobody else makes any meanwhile.
pub(super) fn messages(
    stores: Stores,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Message> + Send {
    let (messages, told) = mpsc::channel(AHEAD);
    // The disk may wait, so that it is no task.
    tokio::task::spawn_blocking(move || {
        let done = stores.copy().and_then(|copies| tell(&copies, &messages));
        if let Err(error) = done {
            tracing::error!(%error, "a backup cannot be made");
            let failed = CallError::from(ManageFault::StoreFailed).to_status();
            let _ = messages.blocking_send(Err(failed));
        }
        drop(place);
    });
    stream::unfold(told, |mut told| async {
        let next = told.recv().await?;
        Some((next, told))
    })
}

/// Tells everything, until nobody listens any more.
fn tell(copies: &Copies, messages: &mpsc::Sender<Message>) -> Result<(), BackupError> {
    let send = |part| {
        let message = v1::BackupResponse { part: Some(part) };
        messages.blocking_send(Ok(message)).is_ok()
    };
    if !send(Part::Manifest(manifest(&copies.manifest))) {
        return Ok(());
    }
    for FileDigest { name, .. } in &copies.manifest.files {
        let path = copies.path(name);
        let failed = |cause| BackupError::File {
            path: path.clone(),
            cause,
        };
        let mut file = File::open(&path).map_err(failed)?;
        loop {
            let mut data = Vec::new();
            let read = (&mut file).take(CHUNK).read_to_end(&mut data);
            if read.map_err(failed)? == 0 {
                break;
            }
            let name = name.clone();
            if !send(Part::Chunk(v1::BackupChunk { name, data })) {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn manifest(manifest: &Manifest) -> v1::BackupManifest {
    let Manifest {
        format: _,
        revision,
        change,
        resources,
        files,
    } = manifest;
    let file = |file: &FileDigest| {
        let FileDigest {
            name,
            bytes,
            sha256,
        } = file;
        v1::BackupFile {
            name: name.clone(),
            size: *bytes,
            sha256: sha256.clone(),
        }
    };
    v1::BackupManifest {
        revision: *revision,
        change: *change,
        resources: *resources,
        files: files.iter().map(file).collect(),
    }
}
