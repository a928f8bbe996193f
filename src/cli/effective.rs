//! `tagwarden effective`: the effective tag policy of a node, with the provenance of its values.

use std::path::PathBuf;

use anyhow::bail;
use clap::ValueEnum;

use super::Exit;
use super::output::{Format, print_line};
use crate::document::bundle::Strictness;
use crate::document::tag_policy::canonical;
use crate::management::load::{LoadError, load};
use crate::model::organization::TagMode;
use crate::offline::effective::tree;
use crate::snapshot::Snapshot;
use crate::snapshot::tags::TagNode;

/// Show the effective tag policy of an account or folder, and where each value came from.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// An account, the Root or a folder; `ORGANIZATION/FOLDER` where several have the name.
    node: String,
    /// The directory of the bundle.
    #[arg(long)]
    bundle: PathBuf,
    /// Which stage: what intercepts, what warns, or what reports.
    #[arg(long, value_enum, default_value_t)]
    stage: Stage,
    /// The form of the answer; `json` is the canonical form.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Stage {
    /// What interception follows.
    #[default]
    Enforce,
    /// What warnings follow.
    Warn,
    /// What reports follow.
    Report,
}

impl From<Stage> for TagMode {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Enforce => Self::Enforce,
            Stage::Warn => Self::Warn,
            Stage::Report => Self::Report,
        }
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let compiled = match load(&args.bundle, Strictness::Strict) {
        Ok(compiled) => compiled,
        Err(error @ (LoadError::Refused(_) | LoadError::Compile(_))) => {
            eprintln!("{error}");
            return Ok(Exit::Refused);
        }
        Err(error @ LoadError::Read(_)) => return Err(error.into()),
    };
    let node = find(&compiled.snapshot, &args.node)?;
    let mode = TagMode::from(args.stage);
    match args.output {
        Format::Text => print_line(tree(node, mode).trim_end())?,
        Format::Json => {
            let policy = &node.policies.of(mode).policy;
            print_line(&canonical(policy).to_string())?;
        }
    }
    Ok(Exit::Ok)
}

fn find<'s>(snapshot: &'s Snapshot, name: &'s str) -> anyhow::Result<&'s TagNode> {
    if let Some(node) = snapshot.tags.account(name) {
        return Ok(node);
    }
    let mut found: Vec<&TagNode> = snapshot.tags.folders(name).map(|node| &**node).collect();
    if let Some((organization, folder)) = name.split_once('/')
        && found.is_empty()
    {
        let folders = snapshot.tags.folders(folder);
        let named = folders.filter(|node| &*node.organization == organization);
        found.extend(named.map(|node| &**node));
    }
    match found.as_slice() {
        [node] => Ok(node),
        [] => bail!("no account or folder `{name}` in an organization of the bundle"),
        [..] => bail!("several organizations have a folder `{name}`: write ORGANIZATION/{name}"),
    }
}
