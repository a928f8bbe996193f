//! `tagwarden apply`: hands a bundle or single objects to a running server.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::Exit;
use super::change::{How, Server};
use super::finding::tell;
use super::output::{print_line, read_text};
use crate::document::finding::Finding;
use crate::source::files::read_directory;
use crate::wire::v1;

/// Put a bundle or single objects into force on a running server, entirely or not at all.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The directory of a bundle; or objects, each as `<id>=<file>`: the id is a path like
    /// `accounts/1/policies/Dev`, the file holds its document, `-` being standard input.
    #[arg(required = true)]
    what: Vec<String>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    server: Server,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    match args.what.as_slice() {
        [one] if Path::new(one).is_dir() || !one.contains('=') => bundle(args, Path::new(one)),
        objects => changes(args, objects),
    }
}

fn bundle(args: &Args, directory: &Path) -> anyhow::Result<Exit> {
    let output = args.server.output;
    let bundle = match read_directory(directory) {
        Ok(bundle) => bundle,
        Err(error) => {
            let finding = Finding::whole(error.to_string());
            print_line(&tell(&finding, directory, output))?;
            return Ok(Exit::Refused);
        }
    };
    let files = bundle.iter().map(|(path, content)| v1::BundleFile {
        path: path.to_owned(),
        content: content.to_vec(),
    });
    let request = v1::ApplyBundleRequest {
        files: files.collect(),
        dry_run: false,
        options: Some(args.how.options()),
    };
    args.server.change(directory, async |mut client| {
        client.apply_bundle(request).await
    })
}

fn changes(args: &Args, objects: &[String]) -> anyhow::Result<Exit> {
    let operations: Vec<v1::Operation> = objects
        .iter()
        .map(|one| put(one))
        .collect::<Result<_, _>>()?;
    send(&args.server, &args.how, operations)
}

fn put(object: &str) -> anyhow::Result<v1::Operation> {
    let (id, file) = object
        .split_once('=')
        .with_context(|| format!("`{object}` is neither a directory nor `<id>=<file>`"))?;
    let document = read_text(&PathBuf::from(file))?.into_bytes();
    Ok(v1::Operation {
        id: id.to_owned(),
        action: Some(v1::operation::Action::Put(document)),
    })
}

/// Sends operations, and tells what came of them.
pub(super) fn send(
    server: &Server,
    how: &How,
    operations: Vec<v1::Operation>,
) -> anyhow::Result<Exit> {
    let request = v1::ApplyChangesRequest {
        operations,
        options: Some(how.options()),
    };
    server.change(Path::new(""), async |mut client| {
        client.apply_changes(request).await
    })
}
