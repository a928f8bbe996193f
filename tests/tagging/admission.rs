//! Every case of admission through the management channel: the document as it is, in a bundle that
//! is checked and not put into force.

use std::fs;
use std::path::Path;

use serde::Deserialize;
use tagwarden::wire::v1;

use crate::support::process::{Process, files};
use crate::support::server::within;

#[derive(Deserialize)]
struct Case {
    id: String,
    dialect: String,
    document: String,
    recommended: String,
}

fn cases() -> Vec<Case> {
    let path = "tests/conformance/tag_policy/policy_validation.jsonl";
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_over_grpc() {
    const FILE: &str = "policies/tag/case.json";
    let mut process = Process::start(&[]);
    process.said("listening for metrics and probes").await;
    let mut manage = process.manage().await;
    let (mut complaints, mut refused) = (Vec::new(), 0);
    let cases = cases();
    for case in &cases {
        let document = format!(
            r#"{{"dialect": "{}", "policy": {}}}"#,
            case.dialect, case.document
        );
        let mut files = files(&[]);
        files.push((FILE.to_owned(), document));
        let files = files.into_iter().map(|(path, content)| v1::BundleFile {
            path,
            content: content.into_bytes(),
        });
        let request = v1::ApplyBundleRequest {
            files: files.collect(),
            dry_run: true,
            options: None,
        };
        let answer = within(manage.apply_bundle(request)).await.unwrap();
        let answer = answer.into_inner();
        let found = match answer.outcome() {
            v1::ApplyOutcome::Valid => "accept",
            v1::ApplyOutcome::Refused => "reject",
            other @ (v1::ApplyOutcome::Unspecified
            | v1::ApplyOutcome::Published
            | v1::ApplyOutcome::Unchanged) => panic!("{}: {other:?}", case.id),
        };
        if found != case.recommended {
            complaints.push(format!("{}: {found}: {:?}", case.id, answer.findings));
        }
        let errors = answer.findings.iter();
        for error in errors.filter(|one| one.severity() == v1::Severity::Error) {
            assert_eq!(error.file, FILE, "{}", case.id);
            assert!(error.line > 0 && error.column > 0, "{}", case.id);
            refused += 1;
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(cases.len() >= 67 && refused >= 20, "{refused}");
}
