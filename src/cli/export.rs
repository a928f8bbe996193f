//! `tagwarden export`: the whole state of a running server as the directory of a bundle.

use std::fs;
use std::io::Write as _;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::json;

use super::Exit;
use super::change::{Called, Server, as_json};
use super::output::{Format, print_line};
use crate::document::counted::counted;
use crate::wire::v1;

/// Write the state of a running server as the directory of a bundle.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory: new or empty.
    directory: PathBuf,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let directory = &args.directory;
    fs::create_dir_all(directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    if fs::read_dir(directory)?.next().is_some() {
        bail!("{} is not empty", directory.display());
    }
    let called = args.server.call(async |mut client| {
        let mut stream = client
            .export_bundle(v1::ExportBundleRequest {})
            .await?
            .into_inner();
        let mut written = Written::default();
        while let Some(message) = stream.message().await? {
            if let Err(error) = written.add(directory, message) {
                return Ok(Err(error));
            }
        }
        Ok(Ok(written))
    })?;
    let written = match called {
        Called::Answered(written) => written?,
        Called::Failed(exit) => return Ok(exit),
    };
    let (files, revision) = (written.files, written.revision.as_ref());
    let number = revision.map_or(0, |revision| revision.number);
    print_line(&match args.server.output {
        Format::Text => format!("{} of revision {number}", counted(files, "file")),
        Format::Json => json!({"files": files, "revision": revision.map(as_json)}).to_string(),
    })?;
    Ok(Exit::Ok)
}

/// What was written so far.
#[derive(Default)]
struct Written {
    files: usize,
    revision: Option<v1::Revision>,
    last: Option<(String, fs::File)>,
}

impl Written {
    fn add(&mut self, directory: &Path, message: v1::ExportBundleResponse) -> anyhow::Result<()> {
        let v1::ExportBundleResponse { revision, file } = message;
        self.revision = revision;
        let Some(v1::BundleFile { path, content }) = file else {
            return Ok(());
        };
        if self.last.as_ref().is_none_or(|(last, _)| *last != path) {
            self.files += 1;
            let file = create(directory, &path)?;
            self.last = Some((path, file));
        }
        if let Some((path, file)) = &mut self.last {
            let written = file.write_all(&content);
            written.with_context(|| format!("cannot write {path}"))?;
        }
        Ok(())
    }
}

/// Whatever a server says, nothing is written elsewhere.
fn create(directory: &Path, path: &str) -> anyhow::Result<fs::File> {
    let inside = Path::new(path);
    if !inside
        .components()
        .all(|part| matches!(part, Component::Normal(_)))
    {
        bail!("`{path}` is no path within a directory");
    }
    let whole = directory.join(inside);
    if let Some(parent) = whole.parent() {
        fs::create_dir_all(parent)?;
    }
    let created = fs::File::options()
        .write(true)
        .create_new(true)
        .open(&whole);
    created.with_context(|| format!("cannot make {}", whole.display()))
}
