//! `tagwarden test`: runs case files, the format in which policies are unit-tested.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;

use super::output::{Format, print_line};
use super::verdict::{Shown, complaint, shown, tagging_complaint};
use super::{Exit, output};
use crate::document::bundle::FileErrors;
use crate::document::case::{Case, CaseFile, ComplianceCase, World, read_cases};
use crate::document::shipped;
use crate::model::condition::parse_date;
use crate::model::verdict::RefusalReason;
use crate::offline::Offline;
use crate::offline::comply::comply;

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
    skipped: usize,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let mut tally = Tally::default();
    let mut refused = false;
    for file in output::case_files(&args.paths)? {
        match read(&file)? {
            Ok(CaseFile {
                cases,
                compliance,
                skipped,
            }) => {
                tally.skipped += skipped;
                for case in &cases {
                    let complaint = complaint(&case.expectation, &answer(case));
                    tally.count(&file, (case.line, &case.id), complaint, args.output)?;
                }
                for case in &compliance {
                    let complaint = compliance_complaint(case);
                    tally.count(&file, (case.line, &case.id), complaint, args.output)?;
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

type Read = Result<CaseFile, FileErrors>;

fn read(file: &Path) -> anyhow::Result<Read> {
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
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        match format {
            Format::Text if *skipped > 0 => {
                print_line(&format!(
                    "skipped {skipped} cases of a form that is not yet supported"
                ))?;
            }
            Format::Text | Format::Json => {}
        }
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

/// What a case is answered with.
fn answer(case: &Case) -> Shown {
    let invalid = || Shown::refused(RefusalReason::InvalidDocument.as_str());
    let World::Ready(bundle) = &case.world else {
        return invalid();
    };
    let Ok(offline) = Offline::new(bundle) else {
        return invalid();
    };
    let now = match case.request.current_time.as_deref() {
        None => Timestamp::now(),
        Some(text) => match parse_date(text) {
            Some(instant) => instant,
            None => return Shown::refused(RefusalReason::ContextValueInvalid.as_str()),
        },
    };
    shown(offline.answer(&(&case.request).into(), now))
}
