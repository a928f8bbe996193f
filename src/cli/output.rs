//! How commands read and answer: text for people, or JSON.

use std::fs;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::ValueEnum;

/// The most bytes of a file that a command reads.
const MAX_FILE_BYTES: u64 = 1024 * 1024 * 1024;

/// The form of an answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// JSON, one value a line.
    Json,
}

/// Writes the log to standard error: for people on a terminal, as JSON lines elsewhere.
///
/// `RUST_LOG` filters it; the default is `info`.
pub(super) fn start_log() {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr);
    // A subscriber that is there already stays.
    let _ = if io::stderr().is_terminal() {
        log.try_init()
    } else {
        log.json().flatten_event(true).with_ansi(false).try_init()
    };
}

/// Writes a line to standard output.
pub(super) fn print_line(line: &str) -> anyhow::Result<()> {
    print_bytes(format!("{line}\n").as_bytes())
}

/// Writes to standard output. A reader that went away is no error.
pub(super) fn print_bytes(bytes: &[u8]) -> anyhow::Result<()> {
    match io::stdout().write_all(bytes) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to standard output"),
    }
}

/// Reads a file of text, `-` being standard input.
pub(super) fn read_text(path: &Path) -> anyhow::Result<String> {
    let source: Box<dyn io::Read> = if path == Path::new("-") {
        Box::new(io::stdin())
    } else {
        Box::new(fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?)
    };
    let mut text = String::new();
    let read = source.take(MAX_FILE_BYTES).read_to_string(&mut text);
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text)
}

/// The case files that paths name: themselves, or `tests/*.jsonl` of a bundle.
pub(super) fn case_files(paths: &[PathBuf]) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let tests = path.join("tests");
        let folder = if tests.is_dir() { &tests } else { path };
        let names =
            fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
        let mut found: Vec<PathBuf> = names
            .map(|name| name.map(|name| name.path()))
            .collect::<Result<_, _>>()?;
        found.retain(|file| file.extension().is_some_and(|ending| ending == "jsonl"));
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}
