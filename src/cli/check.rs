//! `tagwarden check`: documents and bundles, with every error and warning at its position.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::{Value, json};

use super::Exit;
use super::output::{Format, print_line, read_text};
use crate::app::{self, LoadError};
use crate::document::bundle::Strictness;
use crate::document::shipped;
use crate::document::tag_policy::{DocumentSort, read_tag_policy, sort_of};
use crate::document::{DocumentErrors, Lint, Parsed, PolicyOptions, Position, read_policy};
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

/// One thing that was found.
struct Finding {
    severity: Severity,
    file: String,
    at: Option<Position>,
    code: &'static str,
    message: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Severity {
    Error,
    Warning,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut findings = Vec::new();
    for path in &args.paths {
        if path.is_dir() {
            bundle(path, &mut findings);
        } else {
            document(path, args, &mut findings)?;
        }
    }
    for finding in &findings {
        print_line(&finding.tell(args.output))?;
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

fn bundle(path: &Path, findings: &mut Vec<Finding>) {
    let prefix = |file: &str| path.join(file).display().to_string();
    match app::load(path, Strictness::Strict) {
        Ok(compiled) => {
            let lints = compiled.loaded.lints.iter();
            findings.extend(lints.map(|found| Finding::of_lint(prefix(&found.file), &found.lint)));
            let notes = notes(&compiled.snapshot.tags).into_iter();
            findings.extend(notes.map(|(code, message)| Finding {
                severity: Severity::Warning,
                file: path.display().to_string(),
                at: None,
                code,
                message,
            }));
        }
        Err(LoadError::Refused(errors)) => {
            findings.extend(errors.iter().map(|found| Finding {
                severity: Severity::Error,
                file: prefix(&found.file),
                at: Some(found.error.at.clone()),
                code: found.error.kind.code(),
                message: found.error.kind.to_string(),
            }));
            if errors.omitted() > 0 {
                findings.push(Finding::of_whole(
                    path,
                    format!("{} further errors", errors.omitted()),
                ));
            }
        }
        Err(error @ (LoadError::Read(_) | LoadError::Compile(_))) => {
            findings.push(Finding::of_whole(path, error.to_string()));
        }
    }
}

fn document(path: &Path, args: &Args, findings: &mut Vec<Finding>) -> anyhow::Result<()> {
    let text = read_text(path)?;
    let file = path.display().to_string();
    let found = match (sort_of(&text), args.layer, args.dialect) {
        (DocumentSort::RamPolicy, ..) | (DocumentSort::Unknown, Some(_), _) => {
            ram(&text, args.layer).map(|parsed| parsed.lints)
        }
        (DocumentSort::WrappedTagPolicy | DocumentSort::TagPolicy(_), ..)
        | (DocumentSort::Unknown, None, Some(_)) => {
            let dialect = args.dialect.map(Dialect::from);
            read_tag_policy(&text, dialect).map(|parsed| parsed.lints)
        }
        (DocumentSort::Unknown, None, None) => neither(&text),
    };
    match found {
        Ok(lints) => {
            findings.extend(
                lints
                    .iter()
                    .map(|lint| Finding::of_lint(file.clone(), lint)),
            );
        }
        Err(errors) => findings.extend(errors.iter().map(|error| Finding {
            severity: Severity::Error,
            file: file.clone(),
            at: Some(error.at.clone()),
            code: error.kind.code(),
            message: error.kind.to_string(),
        })),
    }
    Ok(())
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

/// A text that is no JSON is told as such; any other document is no policy.
fn neither(text: &str) -> Result<Vec<Lint>, DocumentErrors> {
    ram(text, None).map(|parsed| parsed.lints)
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

impl Finding {
    fn of_lint(file: String, lint: &Lint) -> Self {
        Self {
            severity: Severity::Warning,
            file,
            at: Some(lint.at.clone()),
            code: lint.kind.code(),
            message: lint.kind.to_string(),
        }
    }

    fn of_whole(path: &Path, message: String) -> Self {
        let file = path.display().to_string();
        Self {
            severity: Severity::Error,
            file,
            at: None,
            code: "BUNDLE_REFUSED",
            message,
        }
    }

    fn tell(&self, format: Format) -> String {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        match (format, &self.at) {
            (Format::Text, Some(at)) => {
                format!("{}:{at}: {severity}: {}", self.file, self.message)
            }
            (Format::Text, None) => format!("{}: {severity}: {}", self.file, self.message),
            (Format::Json, at) => json!({
                "severity": severity,
                "file": self.file,
                "line": at.as_ref().map(|at| at.line),
                "column": at.as_ref().map(|at| at.column),
                "pointer": at.as_ref().map(|at| at.pointer.as_str()),
                "code": self.code,
                "message": self.message,
            })
            .to_string(),
        }
    }
}
