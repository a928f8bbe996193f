//! Edits that make a write comply: complete ones do, and by brute force no smaller set does.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use tagwarden::engine::compliance::{Rules, validate};
use tagwarden::engine::edits::{Edit, Edited, Replacing, Target, Value, fix};
use tagwarden::engine::tagging::Tagging;
use tagwarden::model::compliance::{Inheritance, TaggingOperation, TaggingQuestion};
use tagwarden::model::tag_policy::AllowedValues;
use tagwarden::model::text::eq_fold;
use tagwarden::offline::comply::with_tagging;

use super::generate::{self, Random};

/// Keys and values of the worlds that are searched; few, so that every set can be tried.
const KEYS: [&str; 4] = ["Env", "env", "kind", "Kind"];
const VALUES: [&str; 4] = ["a", "ab", "b", ""];

/// Whether the tags of a target comply after edits.
fn comply(target: &Target<'_, '_>, edits: &[Edit<'_>]) -> bool {
    let asked = target.tagging.question();
    let edited = Edited::new(asked, target.replacing, edits);
    let after = Tagging::new(edited.question(asked)).unwrap();
    validate(&target.rules, &after).is_compliant()
}

/// The values that an edit can write. No value is made up to match a regular expression: one that is
/// sent under the key must do.
fn values<'a>(target: &Target<'_, 'a>, key: &str) -> Vec<&'a str> {
    let mut statements = target.rules.policy.statements.iter();
    if statements.all(|one| !matches!(one.values, AllowedValues::Matched(_))) {
        return VALUES.to_vec();
    }
    let sent = target.tagging.question().operation.set().iter();
    let own = sent.filter(|tag| eq_fold(tag.key, key));
    own.map(|tag| tag.value).collect()
}

/// Every edit that a request can take.
fn all_edits<'a>(target: &Target<'_, 'a>) -> Vec<Edit<'a>> {
    let operation = &target.tagging.question().operation;
    let mut all = BTreeSet::new();
    for key in KEYS {
        all.insert(Edit::Remove { key });
        for value in values(target, key).into_iter().map(Value::This) {
            all.insert(Edit::Set { key, value });
            // A rename is another spelling of one key.
            let sent = operation.set().iter();
            for sent in sent.filter(|sent| eq_fold(sent.key, key)) {
                all.insert(Edit::Rename {
                    key: sent.key,
                    new_key: key,
                    value,
                });
            }
        }
    }
    all.extend(
        operation
            .set()
            .iter()
            .map(|tag| Edit::Drop { key: tag.key }),
    );
    all.extend(operation.removed().iter().map(|key| Edit::Keep { key }));
    all.into_iter().collect()
}

/// Whether fewer edits would do for all targets.
fn fewer(targets: &[Target<'_, '_>], count: usize) -> Option<String> {
    let right = |edits: &[Edit<'_>]| targets.iter().all(|target| comply(target, edits));
    let mut all: BTreeSet<Edit<'_>> = BTreeSet::new();
    for target in targets {
        all.extend(all_edits(target));
    }
    let all: Vec<Edit<'_>> = all.into_iter().collect();
    if count > 0 && right(&[]) {
        return Some("nothing".to_owned());
    }
    for (place, one) in all.iter().enumerate() {
        if count > 1 && right(&[*one]) {
            return Some(format!("{one:?}"));
        }
        let others = all[place + 1..].iter().filter(|_| count > 2);
        if let Some(other) = others.into_iter().find(|other| right(&[*one, **other])) {
            return Some(format!("{one:?}, {other:?}"));
        }
    }
    None
}

#[derive(Debug, Default)]
struct Seen {
    complete: [u32; 4],
    incomplete: u32,
    several: u32,
}

fn check(worlds: &[Random], replacing: Replacing, seen: &mut Seen) -> TestCaseResult {
    let [first, rest @ ..] = worlds else {
        return Ok(());
    };
    let questions: Vec<_> = std::iter::once(first.question.clone())
        .chain(rest.iter().map(|other| {
            // One request for several resources: what is done is the same.
            let mut question = other.question.clone();
            question.operation = first.question.operation.clone();
            question.inheritance = Inheritance::Unknown;
            if replacing == Replacing::All {
                replaced(&mut question);
            }
            question
        }))
        .collect();
    with_tagging(&questions[0], |one| {
        let Some(other) = questions.get(1) else {
            return judge(&[target(first, one, replacing)], seen);
        };
        with_tagging(other, |other| {
            let targets = [one, other].map(|tagging| target(first, tagging, replacing));
            judge(&targets, seen)
        })
        .unwrap()
    })
    .unwrap()
}

fn target<'v, 'a>(
    world: &'a Random,
    tagging: &'v Tagging<'a>,
    replacing: Replacing,
) -> Target<'v, 'a> {
    Target {
        rules: Rules {
            policy: &world.policy,
            settings: &world.settings,
            capabilities: world.capabilities,
        },
        tagging,
        replacing,
    }
}

fn judge(targets: &[Target<'_, '_>], seen: &mut Seen) -> TestCaseResult {
    let found = fix(targets);
    if !found.is_complete {
        seen.incomplete += 1;
        return Ok(());
    }
    let count = found.edits.len();
    seen.complete[count.min(3)] += 1;
    seen.several += u32::from(targets.len() > 1 && count > 0);
    for target in targets {
        prop_assert!(comply(target, &found.edits), "{:?}", found.edits);
    }
    // Sets of up to two edits are tried.
    let smaller = fewer(targets, count.min(3));
    prop_assert_eq!(smaller, None, "{:?}", found.edits);
    Ok(())
}

fn world() -> impl Strategy<Value = Random> {
    generate::random_of(&KEYS, &VALUES).prop_filter("a write", |world| {
        world.question.operation != TaggingOperation::Detect
    })
}

#[test]
fn no_smaller_set_of_edits_complies() {
    let mut runner = TestRunner::new(Config {
        cases: 2_000,
        failure_persistence: None,
        ..Config::default()
    });
    let drawn = (
        proptest::collection::vec(world(), 1..=2),
        select(vec![Replacing::Named, Replacing::All]),
    );
    let seen = std::cell::RefCell::new(Seen::default());
    runner
        .run(&drawn, |(mut worlds, replacing)| {
            for world in &mut worlds {
                world.question.inheritance = Inheritance::Unknown;
                if replacing == Replacing::All {
                    replaced(&mut world.question);
                }
            }
            check(&worlds, replacing, &mut seen.borrow_mut())
        })
        .unwrap();
    let seen = seen.into_inner();
    let enough = seen.complete.iter().all(|count| *count >= 5);
    assert!(
        enough && seen.incomplete >= 5 && seen.several >= 5,
        "{seen:?}"
    );
}

/// What a replacing write removes: all that it does not set.
fn replaced(question: &mut TaggingQuestion) {
    let current = question.current.clone();
    if let TaggingOperation::Write { set, removed } = &mut question.operation {
        let keys = current.into_iter().map(|(key, _)| key);
        let left = keys.filter(|key| !set.iter().any(|(new, _)| new == key));
        *removed = left.collect();
    }
}
