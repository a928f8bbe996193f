//! How errors and warnings of documents are told: one line each.

use std::path::Path;

use serde_json::json;

use super::output::Format;
use crate::document::finding::Finding;

/// A finding as a line; its file stands in `directory`.
pub(super) fn tell(finding: &Finding, directory: &Path, format: Format) -> String {
    let Finding {
        severity,
        file,
        at,
        code,
        message,
    } = finding;
    let severity = severity.as_str();
    let file = if file.is_empty() {
        directory.display().to_string()
    } else {
        directory.join(file).display().to_string()
    };
    match (format, at) {
        (Format::Text, Some(at)) => format!("{file}:{at}: {severity}: {message}"),
        (Format::Text, None) => format!("{file}: {severity}: {message}"),
        (Format::Json, at) => json!({
            "severity": severity,
            "file": file,
            "line": at.as_ref().map(|at| at.line),
            "column": at.as_ref().map(|at| at.column),
            "pointer": at.as_ref().map(|at| at.pointer.as_str()),
            "code": code,
            "message": message,
        })
        .to_string(),
    }
}
