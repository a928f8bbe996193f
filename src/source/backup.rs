//! Copies of the stores as they are at one moment, while they are in use; and a start from such a
//! copy.
//!
//! Both stores are held for the moment in which the state of each is fixed, so that no change is in
//! one of them and not in the other. Then they are copied row by row, beside the changes that go
//! on. A copy is what `serve --data` takes: two files, and a third one that says what they are.
//!
//! Not here: who may have a copy, and how it gets to another machine (`service`, `cli`).

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Key, ReadTransaction, ReadableTable as _, TableDefinition, Value, WriteTransaction};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::directory::{self, DirectoryStore};
use super::embedded::{self, Keep, Store, StoreError};
use super::place;

/// The file that says what the others are.
pub const MANIFEST: &str = "backup.json";
/// The names of the stores' files.
pub const FILES: [&str; 2] = [embedded::FILE, directory::FILE];
/// The form of the manifest that is written and read.
pub const FORMAT: u32 = 1;
/// How many bytes are read at once.
const CHUNK: usize = 1 << 20;

/// The stores of a server that keeps something on disk.
#[derive(Debug, Clone)]
pub struct Stores {
    /// Authored state.
    pub policy: Arc<Store>,
    /// Live resources.
    pub directory: Arc<DirectoryStore>,
    /// Where both are: copies are made beside them.
    pub folder: PathBuf,
}

/// What a backup is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The form of this.
    pub format: u32,
    /// The number of the revision that was in force.
    pub revision: u64,
    /// The number of the newest change of the directory.
    pub change: u64,
    /// How many resources there are.
    pub resources: u64,
    /// The files, in the order of [`FILES`].
    pub files: Vec<FileDigest>,
}

/// One file of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileDigest {
    /// Its name.
    pub name: String,
    /// How many bytes it has.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal.
    pub sha256: String,
}

/// Why there is no backup, or no start from one.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// A store cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be read or written.
    #[error("{}: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// It is no backup, or of another form.
    #[error("{}: {what}", path.display())]
    Manifest {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// A file is not the one that was written.
    #[error("{}: the file is not the one that was written", .0.display())]
    Differs(PathBuf),
    /// There is something already.
    #[error("{}: there is something already; a backup is put where nothing is", .0.display())]
    Occupied(PathBuf),
}

/// Copies that were made, in a folder that goes with this.
#[derive(Debug)]
pub struct Copies {
    folder: PathBuf,
    /// What they are.
    pub manifest: Manifest,
}

impl Copies {
    /// Where a file is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        // What cannot be removed is removed by the next backup.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_path_buf();
    |cause| BackupError::File { path, cause }
}

impl Stores {
    /// Copies both stores as they are at one moment. Changes go on meanwhile.
    ///
    /// # Errors
    ///
    /// A store cannot be read, or the copies cannot be written.
    pub fn copy(&self) -> Result<Copies, BackupError> {
        let folder = self.folder.join("backup.tmp");
        if folder.try_exists().map_err(at(&folder))? {
            fs::remove_dir_all(&folder).map_err(at(&folder))?;
        }
        let mut copies = Copies {
            folder,
            manifest: Manifest {
                format: FORMAT,
                revision: 0,
                change: 0,
                resources: 0,
                files: Vec::new(),
            },
        };
        let (policy, resources) = self.moment()?;
        embedded::copy(&policy, &copies.folder)?;
        directory::copy(&resources, &copies.folder)?;
        drop((policy, resources));
        copies.manifest = verified(&copies.folder)?;
        Ok(copies)
    }

    /// The state of both at one moment: no change of either is under way then.
    fn moment(&self) -> Result<(ReadTransaction, ReadTransaction), StoreError> {
        let policy = self.policy.hold()?;
        let directory = self.directory.hold()?;
        let moment = (self.policy.read()?, self.directory.read()?);
        drop((policy, directory));
        Ok(moment)
    }
}

/// Opens the stores of a folder as a start would, and tells what they are.
fn verified(folder: &Path) -> Result<Manifest, BackupError> {
    let revision = {
        let store = Store::open(folder, Keep::default())?;
        store.view()?.revision()?.number
    };
    let loaded = DirectoryStore::open(folder)?.load(|_| {})?;
    let files = FILES.iter().map(|name| digest(folder, name));
    Ok(Manifest {
        format: FORMAT,
        revision,
        change: loaded.version.0,
        resources: loaded.resources,
        files: files.collect::<Result<_, _>>()?,
    })
}

fn digest(folder: &Path, name: &str) -> Result<FileDigest, BackupError> {
    let path = folder.join(name);
    let mut file = File::open(&path).map_err(at(&path))?;
    let (mut whole, mut bytes) = (Sha256::new(), 0);
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = file.read(&mut chunk).map_err(at(&path))?;
        if read == 0 {
            break;
        }
        whole.update(chunk.get(..read).unwrap_or_default());
        bytes += u64::try_from(read).unwrap_or(u64::MAX);
    }
    Ok(FileDigest {
        name: name.to_owned(),
        bytes,
        sha256: hex(&whole.finalize()),
    })
}

/// Bytes in lower-case hexadecimal.
pub fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    halves.map(digit).collect()
}

/// Reads what a backup says of itself.
///
/// # Errors
///
/// It cannot be read, or is of another form.
pub fn read_manifest(backup: &Path) -> Result<Manifest, BackupError> {
    let path = backup.join(MANIFEST);
    let text = fs::read(&path).map_err(at(&path))?;
    let refused = |what: String| BackupError::Manifest {
        path: path.clone(),
        what,
    };
    let manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| refused(error.to_string()))?;
    let names = manifest.files.iter().map(|file| &*file.name);
    if manifest.format != FORMAT || !names.eq(FILES) {
        return Err(refused("not a backup of a form that is known".to_owned()));
    }
    Ok(manifest)
}

/// Makes the directory of a server from a backup: its files are those that were written, both
/// stores are whole, and the directory is there entirely or not at all.
///
/// # Errors
///
/// Something is in the directory already, or the backup is damaged.
pub fn restore(backup: &Path, data: &Path) -> Result<Manifest, BackupError> {
    let manifest = read_manifest(backup)?;
    let is_empty = match fs::read_dir(data) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => true,
        Err(cause) => return Err(at(data)(cause)),
    };
    if !is_empty {
        return Err(BackupError::Occupied(data.to_path_buf()));
    }
    let mut name = data.as_os_str().to_owned();
    name.push(".restoring");
    let next = PathBuf::from(name);
    if next.try_exists().map_err(at(&next))? {
        fs::remove_dir_all(&next).map_err(at(&next))?;
    }
    place::make_directory(&next).map_err(at(&next))?;
    for file in &manifest.files {
        let (from, to) = (backup.join(&file.name), next.join(&file.name));
        fs::copy(&from, &to).map_err(at(&from))?;
        if digest(&next, &file.name)? != *file {
            return Err(BackupError::Differs(from));
        }
    }
    let found = verified(&next)?;
    if (found.revision, found.change, found.resources)
        != (manifest.revision, manifest.change, manifest.resources)
    {
        return Err(BackupError::Differs(backup.join(MANIFEST)));
    }
    // security 9: a revision is of an epoch; what comes after an older state is another one.
    Store::open(&next, Keep::default())?.renew()?;
    fs::rename(&next, data).map_err(at(data))?;
    if let Some(parent) = data.parent().filter(|parent| *parent != Path::new("")) {
        let synced = File::open(parent).and_then(|parent| parent.sync_all());
        synced.map_err(at(parent))?;
    }
    Ok(manifest)
}

/// Copies the rows of a table.
pub(super) fn copy_table<K: Key + 'static, V: Value + 'static>(
    from: &ReadTransaction,
    to: &WriteTransaction,
    table: TableDefinition<'_, K, V>,
) -> Result<(), StoreError> {
    let mut into = to.open_table(table)?;
    for entry in from.open_table(table)?.iter()? {
        let (key, value) = entry?;
        into.insert(key.value(), value.value())?;
    }
    Ok(())
}
