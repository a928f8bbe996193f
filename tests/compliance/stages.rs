//! Stages of enforcement (security 6.3): random chains whose attachments report, warn or enforce,
//! through compiler and engine and through the reference.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use tagwarden::compiler::compile;
use tagwarden::document::cursor;
use tagwarden::document::position::Source;
use tagwarden::document::tag_policy::{effective_policy, read_tag_policy};
use tagwarden::engine::compliance::Staged;
use tagwarden::model::account::Name;
use tagwarden::model::arn::AccountId;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::catalog::TagCapabilities;
use tagwarden::model::compliance::{StagedAnswer, TaggingQuestion};
use tagwarden::model::organization::{Member, Node, Organization, TagAttachment, TagMode};
use tagwarden::model::settings::{Settings, StrongVerification};
use tagwarden::model::tag_policy::{Dialect, EffectivePolicy, TagPolicy};
use tagwarden::offline::comply::comply_staged;
use tagwarden::reference::compliance::{TagRules, comply_staged as refer};
use tagwarden::reference::tag_policy::effective;
use tagwarden::snapshot::tags::StagedPolicies;

use super::generate;

/// Policies that tighten and loosen one another.
const POLICIES: [&str; 9] = [
    r#"{"tags": {"env": {"tag_key": {"@@assign": "Env"}, "tag_value": {"@@assign": ["a"]}, "enforced_for": {"@@assign": ["ecs:instance", "ecs:disk"]}}}}"#,
    r#"{"tags": {"env": {"tag_value": {"@@assign": ["*"]}}}}"#,
    r#"{"tags": {"env": {"tag_value": {"@@append": ["b", "ab"]}}}}"#,
    r#"{"tags": {"env": {"tag_key": {"@@assign": "ENV"}}}}"#,
    r#"{"tags": {"env": {"enforced_for": {"@@assign": []}}}}"#,
    r#"{"tags": {"env": {"tag_value": {"@@operators_allowed_for_child_policies": ["@@none"]}}}}"#,
    r#"{"tags": {"team": {"tag_value": {"@@assign": ["b"]}, "enforced_for": {"@@append": ["ecs:instance"]}, "region_scope": {"@@assign": ["r1"]}}}}"#,
    r#"{"matched_tags": {"kind": {"tag_value": {"@@assign": ["[ab]+"]}}}}"#,
    r#"{"tags": {"kind": {"tag_value": {"@@assign": ["a", "b"], "@@remove": ["b"]}, "enforced_for": {"@@assign": ["oss:bucket", "ecs:disk"]}}}}"#,
];
const MODES: [TagMode; 3] = [TagMode::Report, TagMode::Warn, TagMode::Enforce];

/// The attachments of Root and member: places of policies, and modes.
type Chain = [Vec<(usize, TagMode)>; 2];

fn level() -> impl Strategy<Value = Vec<(usize, TagMode)>> {
    let attachments = vec((0..POLICIES.len(), select(&MODES[..])), 0..5);
    attachments.prop_map(|attachments| {
        // tag-policy 7, rule 53: no policy stands twice at one node.
        let unique: BTreeMap<usize, TagMode> = attachments.into_iter().collect();
        unique.into_iter().collect()
    })
}

fn name(place: usize) -> Name {
    Name::try_from(&*format!("p{place}")).unwrap()
}

fn policies() -> Vec<TagPolicy> {
    let read = |text: &&str| read_tag_policy(text, Some(Dialect::Alibaba)).unwrap().value;
    POLICIES.iter().map(read).collect()
}

/// What the compiler makes of the chain.
fn compiled(policies: &[TagPolicy], chain: &Chain) -> Arc<StagedPolicies> {
    let tag = |level: &[(usize, TagMode)]| -> Vec<TagAttachment> {
        let level = level.iter();
        level
            .map(|(place, mode)| TagAttachment {
                policy: name(*place),
                mode: *mode,
            })
            .collect()
    };
    let account = |text: &str| AccountId::try_from(text).unwrap();
    let bundle = Bundle {
        tag_policies: policies
            .iter()
            .enumerate()
            .map(|(place, policy)| (name(place), policy.clone()))
            .collect(),
        organizations: vec![Organization {
            id: "rd".to_owned(),
            management: account("1"),
            dialect: Dialect::Alibaba,
            root: Node {
                name: "Root".to_owned(),
                control: Vec::new(),
                tag: tag(&chain[0]),
                folders: Vec::new(),
                members: vec![Member {
                    account: account("7"),
                    control: Vec::new(),
                    tag: tag(&chain[1]),
                }],
            },
        }],
        ..Bundle::default()
    };
    let snapshot = compile(&bundle).unwrap();
    Arc::clone(&snapshot.tags.account("7").unwrap().policies)
}

/// What the reference makes of one stage, through the canonical form.
fn merged(policies: &[TagPolicy], chain: &Chain, stage: TagMode) -> EffectivePolicy {
    let levels: Vec<Vec<&TagPolicy>> = chain
        .iter()
        .map(|level| {
            let level = level.iter().filter(|(_, mode)| *mode >= stage);
            level.map(|(place, _)| &policies[*place]).collect()
        })
        .collect();
    let text = effective(Dialect::Alibaba, &levels).to_string();
    let read = cursor::read(Source::new(&text), 1 << 20, |at, sink| {
        effective_policy(at, Dialect::Alibaba, sink)
    });
    read.unwrap().value
}

fn engine(
    policies: &[TagPolicy],
    chain: &Chain,
    settings: &Settings,
    question: &TaggingQuestion,
) -> StagedAnswer {
    let node = compiled(policies, chain);
    let staged = Staged {
        enforce: &node.enforce.policy,
        warn: &node.warn.policy,
        report: &node.report.policy,
        settings,
        capabilities: TagCapabilities::ALL,
    };
    comply_staged(&staged, question).unwrap()
}

fn reference(
    policies: &[TagPolicy],
    chain: &Chain,
    settings: &Settings,
    question: &TaggingQuestion,
) -> StagedAnswer {
    let stages = [TagMode::Enforce, TagMode::Warn, TagMode::Report];
    let merged = stages.map(|stage| merged(policies, chain, stage));
    let rules = [&merged[0], &merged[1], &merged[2]].map(|policy| TagRules {
        policy,
        settings,
        capabilities: TagCapabilities::ALL,
    });
    refer(rules, question)
}

#[test]
fn what_only_reports_never_loosens_what_enforces() {
    let policies = policies();
    let mut runner = TestRunner::new(Config {
        cases: 2_000,
        failure_persistence: None,
        ..Config::default()
    });
    let drawn = (level(), level(), generate::question(), any::<bool>());
    let seen = std::cell::RefCell::new([0_u32; 5]);
    runner
        .run(&drawn, |(root, member, question, strong)| {
            let settings = Settings {
                strong_verification: if strong {
                    StrongVerification::On
                } else {
                    StrongVerification::Off
                },
                ..Settings::default()
            };
            let chain = [root, member];
            let found = engine(&policies, &chain, &settings, &question);
            prop_assert_eq!(&found, &reference(&policies, &chain, &settings, &question));
            let enforcing = chain.clone().map(|level| {
                let level = level.into_iter();
                level
                    .filter(|(_, mode)| *mode == TagMode::Enforce)
                    .collect()
            });
            let alone = engine(&policies, &enforcing, &settings, &question);
            prop_assert_eq!(found.intercepted, alone.intercepted);
            prop_assert_eq!(&found.corrected, &alone.corrected);
            let enforced = |answer: &StagedAnswer| {
                let mut found = answer.violations.clone();
                found.retain(|_, mode| *mode == TagMode::Enforce);
                found
            };
            prop_assert_eq!(enforced(&found), enforced(&alone));
            let mut seen = seen.borrow_mut();
            for mode in found.violations.values() {
                seen[*mode as usize] += 1;
            }
            seen[3] += u32::from(found.intercepted);
            seen[4] += u32::from(found.violations.is_empty());
            Ok(())
        })
        .unwrap();
    let seen = seen.into_inner();
    assert!(seen.iter().all(|count| *count >= 20), "{seen:?}");
}
