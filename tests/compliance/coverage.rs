//! The random taggings reach everything: codes, dialects, operations, and each switch where it
//! changes the answer.

use std::collections::BTreeMap;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::TestRunner;
use tagwarden::model::compliance::{TaggingAnswer, TaggingOperation};
use tagwarden::model::settings::{Settings, StrongVerification, UntagInterception};
use tagwarden::model::tag_policy::Dialect;

use super::both;
use super::generate::{self, Random};

/// How often everything must occur.
const LEAST: usize = 3;
const TAGGINGS: usize = 12_000;

fn operation(random: &Random) -> &'static str {
    match &random.question.operation {
        TaggingOperation::Detect => "detect",
        TaggingOperation::Create(_) => "create",
        TaggingOperation::Write { set, .. } if set.is_empty() => "untag",
        TaggingOperation::Write { .. } => "tag",
    }
}

/// The answer under other switches.
fn under(random: &Random, settings: Settings) -> TaggingAnswer {
    let random = Random {
        settings,
        ..random.clone()
    };
    both(&random).0
}

fn seen(random: &Random) -> Vec<String> {
    let answer = both(random).0;
    let (dialect, operation) = (random.policy.dialect, operation(random));
    let mut seen = vec![format!("{dialect} {operation}")];
    seen.extend(answer.violations.iter().map(|(code, _)| code.to_string()));
    if answer.intercepted {
        seen.push(format!("{operation} intercepted"));
    }
    seen.extend((!answer.corrected.is_empty()).then(|| "corrected".to_owned()));
    let settings = &random.settings;
    let other = |strong_verification, untag_interception| Settings {
        strong_verification,
        untag_interception,
        ..settings.clone()
    };
    for (switch, strong) in [
        ("on", StrongVerification::On),
        ("off", StrongVerification::Off),
    ] {
        let flipped = match strong {
            StrongVerification::On => StrongVerification::Off,
            StrongVerification::Off => StrongVerification::On,
        };
        if settings.strong_verification == strong
            && under(random, other(flipped, settings.untag_interception)) != answer
        {
            seen.push(format!("strong_verification {switch}"));
        }
    }
    for (switch, untag) in [
        ("strong", UntagInterception::Strong),
        ("never", UntagInterception::Never),
        ("always", UntagInterception::Always),
    ] {
        let others = [
            UntagInterception::Strong,
            UntagInterception::Never,
            UntagInterception::Always,
        ];
        let strong = settings.strong_verification;
        if settings.untag_interception == untag
            && others
                .iter()
                .any(|one| under(random, other(strong, *one)) != answer)
        {
            seen.push(format!("untag_interception {switch}"));
        }
    }
    let open = Settings {
        protected_tag_keys: std::iter::empty().collect(),
        ..settings.clone()
    };
    if under(random, open) != answer {
        seen.push("protected_tag_keys".to_owned());
    }
    seen
}

fn wanted() -> Vec<String> {
    let mut all = Vec::new();
    for dialect in Dialect::ALL {
        for operation in ["detect", "create", "tag", "untag"] {
            all.push(format!("{dialect} {operation}"));
        }
    }
    let names = [
        "KEY_CASE",
        "MISSING",
        "OVER_LIMIT",
        "RG_TAG_NOT_INHERITED",
        "VALUE",
        "VALUE_REGEX",
        "create intercepted",
        "tag intercepted",
        "untag intercepted",
        "corrected",
        "strong_verification on",
        "strong_verification off",
        "untag_interception strong",
        "untag_interception never",
        "untag_interception always",
        "protected_tag_keys",
    ];
    all.extend(names.map(str::to_owned));
    all
}

#[test]
fn the_random_taggings_reach_everything() {
    let mut runner = TestRunner::deterministic();
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for _ in 0..TAGGINGS {
        let tree = generate::random().new_tree(&mut runner).unwrap();
        let mut seen = seen(&tree.current());
        seen.sort();
        seen.dedup();
        for name in seen {
            *counts.entry(name).or_default() += 1;
        }
    }
    let count = |name: &String| counts.get(name).copied().unwrap_or(0);
    let rare: Vec<String> = wanted()
        .into_iter()
        .filter(|name| count(name) < LEAST)
        .map(|name| format!("{name}: {}", count(&name)))
        .collect();
    assert!(rare.is_empty(), "occurs too seldom: {rare:#?}");
    assert!(!counts.contains_key("detect intercepted"));
}
