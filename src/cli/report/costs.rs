//! What resources cost, from a CSV file of ARN and amount.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use anyhow::Context as _;
use csv::{ReaderBuilder, StringRecord, Trim};

use super::amount::{Amount, Written};
use crate::document::counted::counted;

/// The longest line, in bytes.
const MAX_LINE_BYTES: u64 = 1 << 16;
/// How many errors are told.
const MAX_TOLD: usize = 100;
/// The line that may stand first.
const HEAD: [&str; 2] = ["resource", "amount"];

/// Amounts by ARN.
#[derive(Debug, Default)]
pub(super) struct Costs {
    by_arn: HashMap<Box<str>, Amount>,
    /// The most decimal places of an amount.
    places: usize,
}

/// A line that is wrong.
#[derive(Debug)]
pub(super) struct LineError {
    file: String,
    line: u64,
    detail: String,
}

impl fmt::Display for LineError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}: {}", self.file, self.line, self.detail)
    }
}

impl Costs {
    /// Reads a file, `-` being standard input. Several lines of one resource are summed.
    ///
    /// # Errors
    ///
    /// The file cannot be read; or, within, lines are wrong: the first of them.
    pub(super) fn read(path: &Path) -> anyhow::Result<Result<Self, Vec<LineError>>> {
        let source: Box<dyn io::Read> = if path == Path::new("-") {
            Box::new(io::stdin())
        } else {
            let file = File::open(path);
            Box::new(file.with_context(|| format!("cannot read {}", path.display()))?)
        };
        read(source, &path.display().to_string())
    }

    /// What a resource costs; it is told once.
    pub(super) fn take(&mut self, arn: &str) -> Option<Amount> {
        self.by_arn.remove(arn)
    }

    /// What nobody took, in the order of the ARNs.
    pub(super) fn rest(self) -> Vec<(Box<str>, Amount)> {
        let mut rest: Vec<_> = self.by_arn.into_iter().collect();
        rest.sort_unstable_by(|left, right| left.0.cmp(&right.0));
        rest
    }

    /// The most decimal places of an amount.
    pub(super) fn places(&self) -> usize {
        self.places
    }

    fn add(&mut self, record: &StringRecord) -> Result<(), String> {
        let (Some(arn), Some(amount), 2) = (record.get(0), record.get(1), record.len()) else {
            return Err(format!(
                "{}, 2 are expected",
                counted(record.len(), "field")
            ));
        };
        if !arn.starts_with("acs:") {
            return Err(format!("`{arn}` is no ARN"));
        }
        let read: Result<Written, _> = amount.parse();
        let Written { amount, places } = read.map_err(|error| format!("`{amount}`: {error}"))?;
        let known = self.by_arn.get(arn).copied().unwrap_or_default();
        let sum = known.plus(amount).map_err(|error| error.to_string())?;
        self.by_arn.insert(arn.into(), sum);
        self.places = self.places.max(places);
        Ok(())
    }
}

fn read(source: impl io::Read, file: &str) -> anyhow::Result<Result<Costs, Vec<LineError>>> {
    let mut source = BufReader::new(source);
    let mut costs = Costs::default();
    let mut errors = Vec::new();
    let mut text = Vec::new();
    for line in 1.. {
        text.clear();
        let mut rest = source.by_ref().take(MAX_LINE_BYTES);
        let read = rest.read_until(b'\n', &mut text);
        if read.with_context(|| format!("cannot read {file}"))? == 0 || errors.len() >= MAX_TOLD {
            break;
        }
        let is_cut = text.last() != Some(&b'\n') && rest.limit() == 0;
        let added = match fields(&text) {
            _ if is_cut => Err(format!("longer than {MAX_LINE_BYTES} bytes")),
            Ok(None) => Ok(()),
            Ok(Some(record)) if line == 1 && is_head(&record) => Ok(()),
            Ok(Some(record)) => costs.add(&record),
            Err(error) => Err(error.to_string()),
        };
        if let Err(detail) = added {
            let file = file.to_owned();
            errors.push(LineError { file, line, detail });
        }
        if is_cut {
            break;
        }
    }
    Ok(if errors.is_empty() {
        Ok(costs)
    } else {
        Err(errors)
    })
}

/// The fields of one line; `None`: it is blank. No field goes over a line.
fn fields(line: &[u8]) -> Result<Option<StringRecord>, csv::Error> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .buffer_capacity(line.len())
        .from_reader(line);
    let mut record = StringRecord::new();
    let is_there = reader.read_record(&mut record)?;
    Ok(is_there.then_some(record))
}

fn is_head(record: &StringRecord) -> bool {
    record.len() == HEAD.len()
        && record
            .iter()
            .zip(HEAD)
            .all(|(found, name)| found.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &[u8]) -> Result<Vec<(String, String)>, Vec<String>> {
        let read = read(text, "costs.csv").unwrap();
        let told = read.map(|costs| {
            let places = costs.places();
            let rest = costs.rest().into_iter();
            rest.map(|(arn, amount)| (arn.to_string(), amount.told(places)))
                .collect()
        });
        told.map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn lines_of_one_resource_are_summed() {
        let text = b"Resource,Amount\r\nacs:a,1.5\n\"acs:b\", 2 \n\nacs:a,0.25\n";
        let expected = [("acs:a", "1.75"), ("acs:b", "2.00")];
        let expected = expected.map(|(arn, amount)| (arn.to_owned(), amount.to_owned()));
        assert_eq!(told(text).unwrap(), expected);
        assert_eq!(told(b"").unwrap(), []);
    }

    #[test]
    fn wrong_lines_are_told_by_their_numbers() {
        let text =
            b"acs:a,1\nresource,amount\nacs:b\n\nacs:c,1,2\nacs:d,1e3\nacs:\xff,1\nacs:e,2\n";
        let errors = told(text).unwrap_err();
        let expected = [
            "costs.csv:2: `resource` is no ARN",
            "costs.csv:3: 1 field, 2 are expected",
            "costs.csv:5: 3 fields, 2 are expected",
            "costs.csv:6: `1e3`: not an amount: up to 18 digits, and up to 12 after a point",
        ];
        assert_eq!(errors[..4], expected);
        assert!(errors[4].starts_with("costs.csv:7: "), "{errors:?}");
        assert!(errors[4].contains("UTF-8"), "{errors:?}");
        assert_eq!(errors.len(), 5);
        let long = "x".repeat(100_000);
        assert_eq!(
            told(long.as_bytes()).unwrap_err(),
            ["costs.csv:1: longer than 65536 bytes"]
        );
        let many = "x\n".repeat(1_000);
        assert_eq!(told(many.as_bytes()).unwrap_err().len(), MAX_TOLD);
    }
}
