//! The reference evaluator against every worked case of the RAM form.

use std::fs;
use std::path::Path;

use tagwarden::document::case::{World, read_cases};
use tagwarden::model::verdict::{ObligationKind, OnDeny, Outcome, RefusalReason};
use tagwarden::reference::{ReferenceDecision, evaluate};

use crate::support::case::{self, Case};

fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allow => "ALLOW",
        Outcome::ImplicitDeny => "IMPLICIT_DENY",
        Outcome::ExplicitDeny => "EXPLICIT_DENY",
    }
}

/// Every text that the answer may be told as: result, decision behind it, reason, obligations.
fn told(case: &Case) -> (String, Option<String>, Option<String>, Vec<Vec<String>>) {
    let Some((bundle, request)) = &case.question else {
        return (
            "ERROR".into(),
            None,
            Some("INVALID_DOCUMENT".into()),
            Vec::new(),
        );
    };
    match evaluate(bundle, request) {
        Err(reason) => ("ERROR".into(), None, Some(reason.to_string()), Vec::new()),
        Ok(decision) => {
            let behind = outcome(decision.outcome).to_owned();
            let shown = match decision.on_deny {
                OnDeny::EmptyResult => "EMPTY_RESULT".to_owned(),
                OnDeny::Error => behind.clone(),
            };
            (shown, Some(behind), None, obligations(&decision))
        }
    }
}

fn obligations(decision: &ReferenceDecision) -> Vec<Vec<String>> {
    let name = |kind: ObligationKind| kind.as_str().to_owned();
    let names = decision.obligations.iter().map(|due| {
        let tags = due
            .filter_tags
            .as_ref()
            .map(|_| name(ObligationKind::MustFilterTags));
        let results = due
            .filter_results
            .then(|| name(ObligationKind::FilterResults));
        tags.into_iter().chain(results).collect()
    });
    names.collect()
}

fn complaint(case: &Case) -> Option<String> {
    let (shown, behind, error, obligations) = told(case);
    let wanted = case.obligations.clone().unwrap_or_default();
    let decision = case
        .decision
        .as_ref()
        .is_none_or(|wanted| Some(wanted) == behind.as_ref());
    let error_told = case.error.is_none() || case.error == error;
    let held = wanted.is_empty()
        || obligations
            .iter()
            .any(|held| wanted.iter().all(|name| held.contains(name)));
    if shown == case.expect && decision && error_told && held {
        None
    } else {
        Some(format!(
            "{}: expected {} {:?} {:?} {wanted:?}, found {shown} {behind:?} {error:?} \
             {obligations:?}: {}",
            case.id, case.expect, case.decision, case.error, case.why
        ))
    }
}

#[test]
fn every_case_of_the_ram_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut complaints = Vec::new();
    let mut seen = 0;
    for folder in ["ram", "ram_extended"] {
        for entry in fs::read_dir(root.join(folder)).into_iter().flatten() {
            let text = fs::read_to_string(entry.unwrap().path()).unwrap();
            for line in text.lines() {
                seen += 1;
                complaints.extend(complaint(&case::read(line)));
            }
        }
    }
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert!(seen >= 821, "only {seen} cases");
}

/// The crate's own reader takes every shipped case, and comes to the same questions.
#[test]
fn the_crates_reader_tells_the_same_questions() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/ram");
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let file = read_cases(&path.display().to_string(), &text);
        let file = file.unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(file.cases.len(), text.lines().count());
        for (case, line) in file.cases.iter().zip(text.lines()) {
            let mut request = case.request.clone();
            request.current_time.get_or_insert(case::NOW.to_owned());
            let read = match &case.world {
                World::Ready(bundle) => evaluate(bundle, &request).map(|told| told.outcome),
                World::Refused(_) => Err(RefusalReason::InvalidDocument),
            };
            let own = case::read(line).question;
            let own = own.map_or(Err(RefusalReason::InvalidDocument), |(bundle, request)| {
                evaluate(&bundle, &request).map(|told| told.outcome)
            });
            if read != own {
                wrong.push(format!("{}: {read:?}, {own:?}", case.id));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
