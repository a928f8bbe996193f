//! Every case of `conformance/tag_policy`, by compiler and by reference.

use std::fs;
use std::path::Path;

use tagwarden::document::case::{Admission, TagPolicyCase, TagPolicyQuestion, read_cases};
use tagwarden::model::tag_policy::TagPolicy;
use tagwarden::reference::tag_policy::effective;

use super::compiled;

/// Every case of the two forms.
pub(crate) fn cases() -> Vec<TagPolicyCase> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/tag_policy");
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let file = read_cases(&path.display().to_string(), &text);
        let file = file.unwrap_or_else(|errors| panic!("{errors}"));
        cases.extend(file.tag_policies);
    }
    cases
}

#[test]
fn every_case_by_compiler_and_reference() {
    let cases = cases();
    for case in &cases {
        check(&case.id, &case.question);
    }
    assert!(cases.len() >= 309, "{} cases", cases.len());
}

fn check(id: &str, question: &TagPolicyQuestion) {
    match question {
        TagPolicyQuestion::Effective {
            dialect,
            chain,
            expected,
        } => {
            let nodes = chain
                .as_ref()
                .unwrap_or_else(|errors| panic!("{id}: {errors}"));
            let chain: Vec<Vec<&TagPolicy>> = nodes
                .iter()
                .map(|node| node.policies.iter().collect())
                .collect();
            assert_eq!(compiled(*dialect, &chain).unwrap(), *expected, "{id}");
            assert_eq!(effective(*dialect, &chain), *expected, "{id}: reference");
        }
        TagPolicyQuestion::Admission { refused, expected } => {
            let found = match refused {
                None => Admission::Accept,
                Some(_) => Admission::Reject,
            };
            assert_eq!(found, *expected, "{id}: {refused:?}");
        }
    }
}
