//! Associated inheritance: every case of `conformance/assoc` through the state machine.

mod differential;
mod documents;
mod rules;
mod served;
mod steps;
mod world;

use std::fs;
use std::path::Path;

use tagwarden::document::case::{AssociationCase, read_cases};
use tagwarden::offline::associate::association_complaint;

/// Every case.
fn cases() -> Vec<AssociationCase> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/assoc");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let file = read_cases(&path.display().to_string(), &text);
        cases.extend(
            file.unwrap_or_else(|errors| panic!("{errors}"))
                .associations,
        );
    }
    cases
}

#[test]
fn every_case_by_the_state_machine() {
    let cases = cases();
    let complaints = cases.iter().filter_map(|case| {
        let complaint = association_complaint(case)?;
        Some(format!("{}: {complaint}", case.id))
    });
    let complaints: Vec<String> = complaints.collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(cases.len() >= 14, "{} cases", cases.len());
}

#[test]
fn a_wrong_expectation_is_told() {
    let text = r#"{"id": "x", "steps": [{"op": "resource", "id": "i", "tags": {"a": "1"}}],
        "expect": {"i": {"a": "2"}}}"#
        .replace('\n', " ");
    let file = read_cases("x", &text).unwrap();
    let complaint = association_complaint(&file.associations[0]).unwrap();
    assert!(complaint.contains("expected i with"), "{complaint}");
    let text = text.replace(
        r#"{"a": "2"}}"#,
        r#"{"a": "1"}}, "expect_failed": [["i", "a"]]"#,
    );
    let file = read_cases("x", &text).unwrap();
    let complaint = association_complaint(&file.associations[0]).unwrap();
    assert!(complaint.contains("expected failures"), "{complaint}");
}
