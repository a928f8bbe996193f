//! Compliance: every worked case, and engine against reference on random policies and taggings.

mod coverage;
mod edits;
mod generate;
mod kinds;
mod stages;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, TestRunner};
use tagwarden::document::case::{ComplianceCase, read_cases};
use tagwarden::document::shipped;
use tagwarden::engine::compliance::{Rules, capabilities};
use tagwarden::model::catalog::TagCapabilities;
use tagwarden::model::compliance::{TaggingAnswer, TaggingOperation, TaggingQuestion};
use tagwarden::offline::comply::{comply, comply_by};
use tagwarden::offline::verdict::tagging_complaint;
use tagwarden::reference::compliance::{TagRules, comply as refer};

/// Every case of the form, the project's own among them.
pub(crate) fn cases() -> Vec<ComplianceCase> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/compliance");
    let mut cases = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let file = read_cases(&path.display().to_string(), &text);
        let file = file.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(file.compliance.len(), text.lines().count());
        cases.extend(file.compliance);
    }
    cases
}

#[test]
fn every_case_by_engine_and_reference() {
    let catalog = shipped::catalog();
    let mut complaints = Vec::new();
    for case in cases() {
        let kind = case.question.resource_type.to_ascii_lowercase();
        let known = capabilities(catalog, &case.policy, &kind);
        let rules = TagRules {
            policy: &case.policy,
            settings: &case.settings,
            capabilities: known.unwrap_or(TagCapabilities::ALL),
        };
        let found = [
            comply(catalog, &case.policy, &case.settings, &case.question).unwrap(),
            refer(&rules, &case.question),
        ];
        for (who, found) in ["engine", "reference"].into_iter().zip(&found) {
            if let Some(complaint) = tagging_complaint(&case.expected, found) {
                complaints.push(format!("{} ({who}): {complaint}", case.id));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(cases().len() >= 77, "only {} cases", cases().len());
}

fn both(random: &generate::Random) -> (TaggingAnswer, TaggingAnswer) {
    let generate::Random {
        policy,
        settings,
        capabilities,
        question,
    } = random;
    let rules = Rules {
        policy,
        settings,
        capabilities: *capabilities,
    };
    let other = TagRules {
        policy,
        settings,
        capabilities: *capabilities,
    };
    (
        comply_by(&rules, question).unwrap(),
        refer(&other, question),
    )
}

/// The question after the repair that an answer tells.
fn repaired(question: &TaggingQuestion, answer: &TaggingAnswer) -> TaggingQuestion {
    let mut question = question.clone();
    for (key, value) in &answer.corrected {
        question.current.retain(|(known, _)| known != key);
        question
            .current
            .extend(value.iter().map(|value| (key.clone(), value.clone())));
    }
    question
}

#[test]
fn engine_equals_reference() {
    let cases = std::env::var("TAGWARDEN_CASES")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000);
    let mut runner = TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    });
    let mut seen = [0_u32; 4];
    runner
        .run(&generate::random(), |random| {
            let (engine, reference) = both(&random);
            prop_assert_eq!(&engine, &reference);
            // security 5.3: "`Remediate` twice writes nothing the second time".
            if random.question.operation == TaggingOperation::Detect {
                let mut again = random.clone();
                again.question = repaired(&random.question, &engine);
                prop_assert!(both(&again).0.corrected.is_empty());
            }
            Ok(())
        })
        .unwrap();
    // What is drawn reaches every sort of answer.
    let mut runner = TestRunner::deterministic();
    for _ in 0..8_000 {
        let tree = generate::random().new_tree(&mut runner).unwrap();
        let answer = both(&tree.current()).0;
        seen[0] += u32::from(answer.intercepted);
        seen[1] += u32::from(answer.violations.is_empty() && answer.evaluated);
        seen[2] += u32::from(answer.corrected.values().any(Option::is_some));
        seen[3] += u32::from(answer.corrected.values().any(Option::is_none));
    }
    assert!(seen.iter().all(|count| *count >= 10), "{seen:?}");
}
