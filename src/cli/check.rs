//! `tagwarden check`: documents and bundles, with every error and warning at its position.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::Value;

use super::Exit;
use super::finding::tell;
use super::output::{Format, print_line, read_text};
use crate::document::bundle::Strictness;
use crate::document::counted::counted;
use crate::document::finding::{Finding, Severity};
use crate::document::shipped;
use crate::document::tag_policy::{DocumentSort, read_tag_policy, sort_of};
use crate::document::{DocumentErrors, Parsed, PolicyOptions, read_policy};
use crate::management::load::load;
use crate::model::settings::Settings;
use crate::model::statement::{DocumentLayer, Policy};
use crate::model::tag_policy::Dialect;
use crate::offline::effective::notes;

/// Check documents and bundles: every error and warning with file, position and pointer.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// RAM policies, tag policies, and directories that hold a bundle (`bundle.json`).
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// What RAM documents are attached to. Default: told from their elements.
    #[arg(long, value_enum)]
    layer: Option<Layer>,
    /// The dialect of native tag policies. Default: told from their sections and settings.
    #[arg(long, value_enum)]
    dialect: Option<TagDialect>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum TagDialect {
    Alibaba,
    Huawei,
    Aws,
}

impl From<TagDialect> for Dialect {
    fn from(dialect: TagDialect) -> Self {
        match dialect {
            TagDialect::Alibaba => Self::Alibaba,
            TagDialect::Huawei => Self::Huawei,
            TagDialect::Aws => Self::Aws,
        }
    }
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut findings = Vec::new();
    for path in &args.paths {
        let found = if path.is_dir() {
            bundle(path)
        } else {
            document(path, args)?
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
        let (errors, warnings) = (counted(errors, "error"), counted(warnings, "warning"));
        print_line(&format!("{errors}, {warnings}"))?;
    }
    let refused = errors > 0 || (args.deny_warnings && warnings > 0);
    Ok(if refused { Exit::Refused } else { Exit::Ok })
}

fn bundle(path: &Path) -> Vec<Finding> {
    match load(path, Strictness::Strict) {
        Ok(compiled) => {
            let mut found = Finding::warnings(&compiled.loaded.lints);
            let notes = notes(&compiled.snapshot.tags).into_iter();
            found.extend(notes.map(|(code, message)| Finding {
                severity: Severity::Warning,
                file: String::new(),
                at: None,
                code: code.into(),
                message,
            }));
            found
        }
        Err(error) => error.findings(),
    }
}

fn document(path: &Path, args: &Args) -> anyhow::Result<Vec<Finding>> {
    let text = read_text(path)?;
    let found = match (sort_of(&text), args.layer, args.dialect) {
        (DocumentSort::WrappedTagPolicy | DocumentSort::TagPolicy(_), ..)
        | (DocumentSort::Unknown, None, Some(_)) => {
            let dialect = args.dialect.map(Dialect::from);
            read_tag_policy(&text, dialect).map(|parsed| parsed.lints)
        }
        // A text that is no JSON is told as such; any other document is no policy.
        (DocumentSort::RamPolicy | DocumentSort::Unknown, layer, _) => {
            ram(&text, layer).map(|parsed| parsed.lints)
        }
    };
    Ok(match found {
        Ok(lints) => {
            let lints = lints.iter();
            lints.map(|lint| Finding::warning("", lint)).collect()
        }
        Err(errors) => {
            let errors = errors.iter();
            errors.map(|error| Finding::error("", error)).collect()
        }
    })
}

fn ram(text: &str, layer: Option<Layer>) -> Result<Parsed<Policy>, DocumentErrors> {
    let settings = Settings::default();
    let options = PolicyOptions {
        layer: layer.map_or_else(|| told_layer(text), DocumentLayer::from),
        settings: &settings,
        catalog: shipped::catalog(),
    };
    read_policy(text, &options)
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
