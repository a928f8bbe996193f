//! `tagwarden backup` and `tagwarden restore`: copies of what a server keeps, made while it serves,
//! and a start from them.

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::Exit;
use super::change::{Called, Server};
use super::output::{Format, print_line};
use crate::document::counted::counted;
use crate::source::backup::{self, FILES, FileDigest, MANIFEST, Manifest, hex};
use crate::wire::v1;
use crate::wire::v1::backup_response::Part;

/// Copy what a running server keeps, as it is at one moment, into a new directory.
#[derive(Debug, clap::Args)]
pub(super) struct BackupArgs {
    /// The directory, which is made.
    directory: PathBuf,
    #[command(flatten)]
    server: Server,
}

/// Make the directory of a server (`serve --data`) from a backup. No server is asked.
#[derive(Debug, clap::Args)]
pub(super) struct RestoreArgs {
    /// The directory of the backup.
    backup: PathBuf,
    /// The directory to make; where there is one, it must be empty.
    #[arg(long)]
    data: PathBuf,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

pub(super) fn backup(args: &BackupArgs) -> anyhow::Result<Exit> {
    let BackupArgs { directory, server } = args;
    let mut folder = fs::DirBuilder::new();
    let made = folder.mode(0o700).create(directory);
    made.with_context(|| format!("cannot make {}", directory.display()))?;
    let called = server.call(async |mut client| {
        let mut parts = client.backup(v1::BackupRequest {}).await?.into_inner();
        let mut coming = Coming::default();
        let mut taken = Ok(());
        while let Some(v1::BackupResponse { part }) = parts.message().await? {
            taken = coming.take(directory, part);
            if taken.is_err() {
                break;
            }
        }
        Ok(taken.map(|()| coming))
    });
    let manifest = match called? {
        Called::Answered(coming) => coming.and_then(|coming| coming.finish(directory)),
        Called::Failed(exit) => {
            fs::remove_dir_all(directory)?;
            return Ok(exit);
        }
    };
    match manifest {
        Ok(manifest) => tell("saved", &manifest, server.output),
        Err(error) => {
            // What came is no backup.
            fs::remove_dir_all(directory)?;
            Err(error)
        }
    }
}

pub(super) fn restore(args: &RestoreArgs) -> anyhow::Result<Exit> {
    let RestoreArgs {
        backup: from,
        data,
        output,
    } = args;
    let manifest = backup::restore(from, data)?;
    tell("restored", &manifest, *output)
}

fn tell(what: &str, manifest: &Manifest, format: Format) -> anyhow::Result<Exit> {
    let Manifest {
        revision,
        change,
        resources,
        ..
    } = manifest;
    print_line(&match format {
        Format::Text => format!(
            "{what}: revision {revision}, change {change} of the directory, {}",
            counted(*resources, "resource")
        ),
        Format::Json => {
            json!({"revision": revision, "change": change, "resources": resources}).to_string()
        }
    })?;
    Ok(Exit::Ok)
}

/// A backup on its way.
#[derive(Default)]
struct Coming {
    manifest: Option<Manifest>,
    file: Option<Open>,
    /// What came, in the order in which it did.
    came: Vec<FileDigest>,
}

struct Open {
    name: String,
    file: File,
    bytes: u64,
    digest: Sha256,
}

impl Coming {
    fn take(&mut self, directory: &Path, part: Option<Part>) -> anyhow::Result<()> {
        match part {
            None => bail!("the server sent a message without a part"),
            Some(Part::Manifest(sent)) => {
                self.manifest = Some(manifest(sent));
                Ok(())
            }
            Some(Part::Chunk(v1::BackupChunk { name, data })) => {
                if self.file.as_ref().is_none_or(|file| file.name != name) {
                    self.close()?;
                    self.file = Some(create(directory, name)?);
                }
                if let Some(file) = &mut self.file {
                    file.file.write_all(&data)?;
                    file.digest.update(&data);
                    file.bytes += u64::try_from(data.len())?;
                }
                Ok(())
            }
        }
    }

    fn close(&mut self) -> anyhow::Result<()> {
        if let Some(Open {
            name,
            file,
            bytes,
            digest,
        }) = self.file.take()
        {
            file.sync_all()?;
            let sha256 = hex(&digest.finalize());
            self.came.push(FileDigest {
                name,
                bytes,
                sha256,
            });
        }
        Ok(())
    }

    /// Writes down what came, if it is what was announced.
    fn finish(mut self, directory: &Path) -> anyhow::Result<Manifest> {
        self.close()?;
        let Some(manifest) = self.manifest else {
            bail!("the server sent nothing");
        };
        if manifest.files != self.came {
            bail!("what came is not what the server announced");
        }
        let text = serde_json::to_vec_pretty(&manifest)?;
        let mut file = new_file(&directory.join(MANIFEST))?;
        file.write_all(&text)?;
        file.sync_all()?;
        File::open(directory)?.sync_all()?;
        Ok(manifest)
    }
}

/// Whatever a server says, nothing but the files of a backup is written.
fn create(directory: &Path, name: String) -> anyhow::Result<Open> {
    if !FILES.contains(&&*name) {
        bail!("`{name}` is no file of a backup");
    }
    Ok(Open {
        file: new_file(&directory.join(&name))?,
        name,
        bytes: 0,
        digest: Sha256::new(),
    })
}

fn new_file(path: &Path) -> anyhow::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true).mode(0o600);
    let made = options.open(path);
    made.with_context(|| format!("cannot make {}", path.display()))
}

fn manifest(sent: v1::BackupManifest) -> Manifest {
    let v1::BackupManifest {
        revision,
        change,
        resources,
        files,
    } = sent;
    let files = files.into_iter().map(|file| {
        let v1::BackupFile { name, size, sha256 } = file;
        FileDigest {
            name,
            bytes: size,
            sha256,
        }
    });
    Manifest {
        format: backup::FORMAT,
        revision,
        change,
        resources,
        files: files.collect(),
    }
}
