//! Changes: a snapshot that was changed answers as one that is compiled from the whole, and what is
//! refused is what the whole would be refused for.

mod answers;
mod by_hand;
mod directory;
mod generate;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any};
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tagwarden::compiler::change::{Changed, Extent, change};
use tagwarden::compiler::compile;
use tagwarden::document::bundle::Loaded;
use tagwarden::document::object::{Memory, Objects, Touched, read_objects};
use tagwarden::model::request::AccessRequest;
use tagwarden::snapshot::Snapshot;

use crate::support::generate::{Tape, question};

/// What the whole state comes to.
fn whole(memory: &Memory) -> Result<(Loaded, Snapshot), String> {
    let objects: Objects = memory.objects();
    let loaded = read_objects(&objects).map_err(|errors| errors.to_string())?;
    let snapshot = compile(&loaded.bundle).map_err(|errors| errors.to_string())?;
    Ok((loaded, snapshot))
}

/// What a run did, so that a generator that makes nothing does not pass.
#[derive(Debug, Default)]
struct Seen {
    accepted: usize,
    refused: usize,
    parts: usize,
}

/// Applies one change in both ways.
fn step(
    memory: &mut Memory,
    snapshot: &mut Snapshot,
    touched: Vec<Touched>,
    questions: &[AccessRequest],
    seen: &mut Seen,
) -> Result<(), String> {
    let changed = change(snapshot, memory, &touched);
    match (changed, whole(memory)) {
        (Err(_), Err(_)) => {
            memory.revert(touched);
            seen.refused += 1;
            Ok(())
        }
        (Ok(changed), Ok((loaded, expected))) => {
            let Changed {
                snapshot: next,
                extent,
                lints: _,
            } = changed;
            seen.accepted += 1;
            seen.parts += usize::from(extent == Extent::Touched);
            let found = answers::difference(&loaded.bundle, [&expected, &next], questions);
            *snapshot = next;
            found.map_or(Ok(()), |found| Err(format!("{touched:?}\n{found}")))
        }
        (Ok(_), Err(errors)) => Err(format!("{touched:?}\naccepted, but the whole: {errors}")),
        (Err(errors), Ok(_)) => Err(format!("{touched:?}\nthe whole is accepted: {errors}")),
    }
}

/// A sequence of changes from a state, and then to another state in one change.
fn sequence(tape: &[u16], seen: &mut Seen) -> Result<(), String> {
    let mut tape = Tape::new(tape);
    let questions: Vec<AccessRequest> = (0..12).map(|_| question(&mut tape)).collect();
    let mut memory = Memory::default();
    memory.apply(generate::start(&mut tape));
    let Ok((_, mut snapshot)) = whole(&memory) else {
        return Ok(());
    };
    for _ in 0..10 {
        let touched = memory.apply(generate::changes(&mut tape));
        step(&mut memory, &mut snapshot, touched, &questions, seen)?;
    }
    // Load A, then B.
    let mut other = Memory::default();
    other.apply(generate::start(&mut tape));
    other.apply(generate::changes(&mut tape));
    let gone = memory.objects().into_keys().map(|id| (id, None));
    let there = other.objects().into_iter();
    let there = there.map(|(id, document)| (id, Some(document)));
    let touched = memory.apply(gone.chain(there));
    step(&mut memory, &mut snapshot, touched, &questions, seen)
}

fn run(strategy: impl Strategy<Value = Vec<u16>>, test: impl Fn(&[u16]) -> Result<(), String>) {
    let cases = std::env::var("TAGWARDEN_CHANGES");
    let cases = cases.ok().and_then(|text| text.parse().ok()).unwrap_or(30);
    let config = Config {
        cases,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..Config::default()
    };
    let result =
        TestRunner::new(config).run(&strategy, |tape| test(&tape).map_err(TestCaseError::fail));
    if let Err(failure) = result {
        panic!("{failure}");
    }
}

#[test]
fn a_changed_snapshot_answers_as_one_that_is_compiled_from_the_whole() {
    let seen = std::cell::RefCell::new(Seen::default());
    run(vec(any::<u16>(), 600..2_400), |tape| {
        sequence(tape, &mut seen.borrow_mut())
    });
    let seen = seen.into_inner();
    println!("changes: {seen:?}");
    let all = seen.accepted + seen.refused;
    assert!(seen.parts * 4 > all && seen.refused * 10 > all, "{seen:?}");
}
