//! `tagwarden check`: documents and bundles, with every error and warning at its position.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::Value;

use super::Exit;
use super::finding::tell;
use super::output::{Format, print_line, read_text};
use crate::document::bundle::Strictness;
use crate::document::finding::{Finding, Severity};
use crate::document::shipped;
use crate::document::{PolicyOptions, read_policy};
use crate::management::load::load;
use crate::model::settings::Settings;
use crate::model::statement::DocumentLayer;

/// Check documents and bundles: every error and warning with file, position and pointer.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// RAM policy documents, and directories that hold a bundle (`bundle.json`).
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// What RAM documents are attached to. Default: told from their elements.
    #[arg(long, value_enum)]
    layer: Option<Layer>,
    /// Warnings refuse, too.
    #[arg(long)]
    deny_warnings: bool,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layer {
    Identity,
    Control,
    Session,
    Resource,
    Trust,
}

impl From<Layer> for DocumentLayer {
    fn from(layer: Layer) -> Self {
        match layer {
            Layer::Identity => Self::Identity,
            Layer::Control => Self::Control,
            Layer::Session => Self::Session,
            Layer::Resource => Self::Resource,
            Layer::Trust => Self::Trust,
        }
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut findings = Vec::new();
    for path in &args.paths {
        let found = if path.is_dir() {
            bundle(path)
        } else {
            document(path, args.layer)?
        };
        for finding in &found {
            print_line(&tell(finding, path, args.output))?;
        }
        findings.extend(found);
    }
    let count = |severity| {
        findings
            .iter()
            .filter(|found| found.severity == severity)
            .count()
    };
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    if args.output == Format::Text {
        print_line(&format!("{errors} errors, {warnings} warnings"))?;
    }
    let refused = errors > 0 || (args.deny_warnings && warnings > 0);
    Ok(if refused { Exit::Refused } else { Exit::Ok })
}

fn bundle(path: &Path) -> Vec<Finding> {
    match load(path, Strictness::Strict) {
        Ok(compiled) => Finding::warnings(&compiled.loaded.lints),
        Err(error) => error.findings(),
    }
}

fn document(path: &Path, layer: Option<Layer>) -> anyhow::Result<Vec<Finding>> {
    let text = read_text(path)?;
    let (settings, catalog) = (Settings::default(), shipped::catalog());
    let options = PolicyOptions {
        layer: layer.map_or_else(|| told_layer(&text), DocumentLayer::from),
        settings: &settings,
        catalog,
    };
    Ok(match read_policy(&text, &options) {
        Ok(parsed) => {
            let lints = parsed.lints.iter();
            lints.map(|lint| Finding::warning("", lint)).collect()
        }
        Err(errors) => {
            let errors = errors.iter();
            errors.map(|error| Finding::error("", error)).collect()
        }
    })
}

/// A document with a `Principal` is resource-based, or a trust policy where no resource is named.
fn told_layer(text: &str) -> DocumentLayer {
    let document: Value = serde_json::from_str(text).unwrap_or_default();
    let statements = document.get("Statement").and_then(Value::as_array);
    let any = |member| {
        statements.is_some_and(|list| list.iter().any(|statement| statement.get(member).is_some()))
    };
    match (any("Principal"), any("Resource")) {
        (false, _) => DocumentLayer::Identity,
        (true, true) => DocumentLayer::Resource,
        (true, false) => DocumentLayer::Trust,
    }
}
