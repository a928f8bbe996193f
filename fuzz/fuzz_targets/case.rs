//! A line of a case file: engine and reference evaluator refuse it, or answer alike.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tagwarden::document::case::{World, read_cases};
use tagwarden::offline::verdict::{Shown, answer};
use tagwarden::reference::evaluate;

fuzz_target!(|line: &str| {
    let Ok(file) = read_cases("fuzz.jsonl", line) else {
        return;
    };
    for mut case in file.cases {
        case.request
            .current_time
            .get_or_insert("2026-01-01T00:00:00Z".to_owned());
        let World::Ready(bundle) = &case.world else {
            continue;
        };
        match (evaluate(bundle, &case.request), answer(&case)) {
            (Ok(told), Shown::Decided { outcome, .. }) => assert_eq!(told.outcome, outcome),
            (Err(reason), Shown::Refused(found)) => assert_eq!(reason.as_str(), found),
            (told, found) => panic!("{told:?}, {found:?}"),
        }
    }
});
