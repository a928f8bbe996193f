//! `tagwarden test`: runs case files, the format in which policies are unit-tested.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::output::{Format, print_line};
use super::{Exit, output};
use crate::document::bundle::FileErrors;
use crate::document::case::{Case, read_cases};
use crate::offline::verdict::{answer, complaint};

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
            Ok((cases, skipped)) => {
                tally.skipped += skipped;
                for case in &cases {
                    tally.count(&file, case, args.output)?;
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

type Read = Result<(Vec<Case>, usize), FileErrors>;

fn read(file: &Path) -> anyhow::Result<Read> {
    let text = output::read_text(file)?;
    let read = read_cases(&file.display().to_string(), &text);
    Ok(read.map(|file| (file.cases, file.skipped)))
}

impl Tally {
    fn count(&mut self, file: &Path, case: &Case, format: Format) -> anyhow::Result<()> {
        let found = answer(case);
        let complaint = complaint(&case.expectation, &found);
        match &complaint {
            None => self.passed += 1,
            Some(_) => self.failed += 1,
        }
        match (format, complaint) {
            (Format::Text, None) => Ok(()),
            (Format::Text, Some(complaint)) => print_line(&format!(
                "{}:{}: {}: {complaint}",
                file.display(),
                case.line,
                case.id
            )),
            (Format::Json, complaint) => print_line(
                &json!({
                    "file": file.display().to_string(),
                    "line": case.line,
                    "case": case.id,
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
