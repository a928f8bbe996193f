//! Engine and reference evaluator answer alike on random small worlds.
//!
//! `TAGWARDEN_CASES` tells how many; failures are shrunk and saved beside this file.

pub(crate) mod edge;

use std::collections::BTreeSet;

use proptest::test_runner::{Config, FileFailurePersistence, TestCaseError, TestRunner};
use tagwarden::compiler::compile;
use tagwarden::engine::decision::{Decision, Verdicts};
use tagwarden::model::verdict::{DenyReason, Layer, OnDeny, Outcome, RefusalReason};
use tagwarden::reference::{DueObligations, ReferenceDecision, evaluate};

use crate::support::generate::{World, worlds};

/// What both must tell alike.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    outcome: Outcome,
    reason: Option<DenyReason>,
    on_deny: Option<OnDeny>,
    resources: Vec<Outcome>,
    layer: Option<Layer>,
}

fn by_reference(decision: &ReferenceDecision) -> Told {
    Told {
        outcome: decision.outcome,
        reason: decision.reason,
        on_deny: (decision.outcome != Outcome::Allow).then_some(decision.on_deny),
        resources: decision.resources.clone(),
        layer: denying_layer(decision.outcome, decision.layer),
    }
}

fn by_engine(decision: &Decision, verdicts: &Verdicts) -> Told {
    Told {
        outcome: decision.outcome,
        reason: decision.reason,
        on_deny: (decision.outcome != Outcome::Allow).then_some(decision.on_deny),
        resources: verdicts.iter().map(|verdict| verdict.outcome).collect(),
        layer: denying_layer(decision.outcome, decision.cause.layer),
    }
}

/// Which layer granted, or did not, is told freely; an explicit deny has its place.
fn denying_layer(outcome: Outcome, layer: Option<Layer>) -> Option<Layer> {
    match (outcome, layer) {
        (Outcome::ExplicitDeny, Some(Layer::Control { .. })) => Some(Layer::Control { level: 0 }),
        (Outcome::ExplicitDeny, Some(Layer::Session)) => Some(Layer::Session),
        (_, _) => None,
    }
}

fn obligations(decision: &Decision, set: Option<&[(String, String)]>) -> DueObligations {
    let tags = set.unwrap_or_default();
    let named = |bits: u32| -> BTreeSet<String> {
        let places = tags.iter().enumerate();
        places
            .filter(|(place, _)| bits & (1 << place) != 0)
            .map(|(_, (key, _))| key.clone())
            .collect()
    };
    DueObligations {
        filter_tags: decision.obligations.filter_tags.map(named),
        filter_results: decision.obligations.filter_results,
    }
}

/// A difference between the two, or nothing.
fn difference(world: &World) -> Option<String> {
    let World { bundle, request } = world;
    let snapshot = match compile(bundle) {
        Ok(snapshot) => snapshot,
        Err(errors) => return Some(format!("refused by the compiler: {errors:?}")),
    };
    let expected = evaluate(bundle, request);
    let mut verdicts = Verdicts::new();
    let found = edge::ask(&snapshot, bundle, request, &mut verdicts);
    match (&expected, &found) {
        (Err(expected), Err(found)) if expected == found => None,
        (Ok(expected), Ok(found)) => {
            let due = obligations(found, request.tags.set.as_deref());
            let alike = by_reference(expected) == by_engine(found, &verdicts);
            let permitted = expected.obligations.contains(&due);
            (!alike || !permitted).then(|| {
                format!(
                    "reference {:?} {:?}\nengine {:?} {due:?}",
                    by_reference(expected),
                    expected.obligations,
                    by_engine(found, &verdicts)
                )
            })
        }
        (Ok(_) | Err(_), Ok(_) | Err(_)) => {
            let short = |answer: Result<Outcome, RefusalReason>| format!("{answer:?}");
            let reference = short(expected.map(|decision| decision.outcome));
            let engine = short(found.map(|decision| decision.outcome));
            Some(format!("reference {reference}, engine {engine}"))
        }
    }
}

#[test]
fn engine_and_reference_answer_alike() {
    let cases = std::env::var("TAGWARDEN_CASES");
    let cases = cases
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(20_000);
    let saved = "tests/differential.regressions.txt";
    let config = Config {
        cases,
        max_shrink_iters: 200_000,
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(saved))),
        ..Config::default()
    };
    let result = TestRunner::new(config).run(&worlds(), |world| match difference(&world) {
        None => Ok(()),
        Some(difference) => Err(TestCaseError::fail(difference)),
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
