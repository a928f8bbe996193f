//! `tagwarden test`: runs case files, the format in which policies are unit-tested.

mod tag_policy;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::{Format, print_line};
use super::{Exit, output};
use crate::document::bundle::FileErrors;
use crate::document::case::{CaseFile, ComplianceCase, read_cases};
use crate::document::shipped;
use crate::offline::associate::association_complaint;
use crate::offline::comply::comply;
use crate::offline::route;
use crate::offline::verdict::{answer, complaint, tagging_complaint};

/// Run case files (JSON Lines): each case has its own documents, a request and its answer.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Case files, or bundles whose `tests/*.jsonl` are run.
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// The form of the answer.
    #[arg(short, long, value_enum, default_value_t)]
    output: Format,
}

/// What the cases of all files came to.
#[derive(Debug, Default)]
struct Tally {
    passed: usize,
    failed: usize,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut tally = Tally::default();
    let mut refused = false;
    for file in output::case_files(&args.paths)? {
        match read(&file)? {
            Ok(read) => {
                for case in &read.cases {
                    let complaint = complaint(&case.expectation, &answer(case));
                    let asked = (case.line, &*case.id);
                    tally.count(&file, asked, complaint, args.output)?;
                }
                for case in &read.compliance {
                    let complaint = compliance_complaint(case);
                    let asked = (case.line, &*case.id);
                    tally.count(&file, asked, complaint, args.output)?;
                }
                for case in &read.routes {
                    let complaint = route::complaint(case);
                    let asked = (case.line, &*case.id);
                    tally.count(&file, asked, complaint, args.output)?;
                }
                for case in &read.tag_policies {
                    let complaint = tag_policy::complaint(&case.question);
                    let asked = (case.line, &*case.id);
                    tally.count(&file, asked, complaint, args.output)?;
                }
                for case in &read.associations {
                    let complaint = association_complaint(case);
                    let asked = (case.line, &*case.id);
                    tally.count(&file, asked, complaint, args.output)?;
                }
            }
            Err(errors) => {
                refused = true;
                eprintln!("{errors}");
            }
        }
    }
    tally.tell(args.output)?;
    Ok(if refused {
        Exit::Refused
    } else if tally.failed > 0 {
        Exit::Failed
    } else {
        Exit::Ok
    })
}

fn read(file: &Path) -> anyhow::Result<Result<CaseFile, FileErrors>> {
    let text = output::read_text(file)?;
    Ok(read_cases(&file.display().to_string(), &text))
}

impl Tally {
    fn count(
        &mut self,
        file: &Path,
        (line, id): (usize, &str),
        complaint: Option<String>,
        format: Format,
    ) -> anyhow::Result<()> {
        match &complaint {
            None => self.passed += 1,
            Some(_) => self.failed += 1,
        }
        match (format, complaint) {
            (Format::Text, None) => Ok(()),
            (Format::Text, Some(complaint)) => {
                print_line(&format!("{}:{line}: {id}: {complaint}", file.display()))
            }
            (Format::Json, complaint) => print_line(
                &json!({
                    "file": file.display().to_string(),
                    "line": line,
                    "case": id,
                    "passed": complaint.is_none(),
                    "complaint": complaint,
                })
                .to_string(),
            ),
        }
    }

    fn tell(&self, format: Format) -> anyhow::Result<()> {
        let Self { passed, failed } = self;
        let mut last = std::io::stderr();
        let line = format!("{passed} passed, {failed} failed");
        match format {
            Format::Text => print_line(&line),
            Format::Json => Ok(writeln!(last, "{line}")?),
        }
    }
}

/// How the verdict of a case differs from what it expects.
fn compliance_complaint(case: &ComplianceCase) -> Option<String> {
    let catalog = shipped::catalog();
    match comply(catalog, &case.policy, &case.settings, &case.question) {
        Ok(found) => tagging_complaint(&case.expected, &found),
        Err(error) => Some(error.to_string()),
    }
}
