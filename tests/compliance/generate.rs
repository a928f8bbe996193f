//! Random effective policies and taggings over few keys and values, so that they meet often.

use std::sync::Arc;

use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use tagwarden::model::catalog::{TagCapabilities, TagCapability};
use tagwarden::model::compliance::{Inheritance, TagHistory, TaggingOperation, TaggingQuestion};
use tagwarden::model::settings::{Settings, StrongVerification, UntagInterception};
use tagwarden::model::tag_policy::{
    AllowedValues, Correction, Corrections, Dialect, EffectivePolicy, EffectiveStatement, Fit,
    ScopeMember, Section, TagKeyOrigin, TypePattern, ValuePattern, ValueRegex,
};

/// One question with all that it is judged by.
#[derive(Debug, Clone)]
pub(crate) struct Random {
    pub(crate) policy: EffectivePolicy,
    pub(crate) settings: Settings,
    pub(crate) capabilities: TagCapabilities,
    pub(crate) question: TaggingQuestion,
}

const KEYS: [&str; 8] = [
    "Env",
    "env",
    "ENV",
    "Äpp",
    "äpp",
    "kind",
    "\u{212a}ind",
    "team",
];
const VALUES: [&str; 6] = ["", "a", "ab", "abba", "b", "A"];
const TYPES: [&str; 3] = ["ecs:instance", "ecs:disk", "oss:bucket"];
const LISTED: [&str; 6] = [
    "ecs:instance",
    "ECS:Instance",
    "ecs:*",
    "ecs:ALL_SUPPORTED",
    "oss:bucket",
    "ecs:disk",
];
const PATTERNS: [&str; 8] = ["a", "b", "ab", "*", "ab*", "*a", "ab*ba", ""];
const REGEXES: [&str; 5] = ["^[ab]+$", "a|ab", ".*", "b{2}", ""];

type Texts = &'static [&'static str];

pub(crate) fn random() -> impl Strategy<Value = Random> {
    random_of(&KEYS, &VALUES)
}

/// Random worlds over some keys, with tags of some values.
pub(crate) fn random_of(keys: Texts, values: Texts) -> impl Strategy<Value = Random> {
    let dialect = prop_oneof![
        4 => Just(Dialect::Alibaba),
        1 => Just(Dialect::Huawei),
        2 => Just(Dialect::Aws)
    ];
    (
        dialect,
        vec(statement(keys), 0..6),
        settings(keys),
        subsequence(TagCapability::ALL.to_vec(), 0..=5),
        any::<bool>(),
        question_of(keys, values),
    )
        .prop_map(
            |(dialect, statements, settings, some, all, question)| Random {
                policy: EffectivePolicy {
                    dialect,
                    statements: statements.into(),
                },
                settings,
                capabilities: if all {
                    TagCapabilities::ALL
                } else {
                    some.into_iter().collect()
                },
                question,
            },
        )
}

fn statement(keys: Texts) -> impl Strategy<Value = EffectiveStatement> {
    let section = prop_oneof![
        3 => Just(Section::Tags),
        1 => Just(Section::RgInherit),
        2 => Just(Section::MatchedTags)
    ];
    let written = prop_oneof![3 => Just(TagKeyOrigin::Written), 1 => Just(TagKeyOrigin::PolicyKey)];
    let fit = prop_oneof![9 => Just(Fit::Whole), 1 => Just(Fit::OverLimit)];
    let scopes = (
        rare(types()),
        rare(names(&["r1", "r2"])),
        rare(names(&["g1", "g2"])),
    );
    (
        section,
        select(keys),
        written,
        (option::of(texts(&PATTERNS)), option::of(texts(&REGEXES))),
        scopes,
        (types(), types()),
        option::weighted(0.8, corrections(keys)),
        fit,
    )
        .prop_map(
            |(section, key, tag_key_origin, values, scopes, types, correction, fit)| {
                EffectiveStatement {
                    section,
                    key: key.to_lowercase().into(),
                    tag_key: key.into(),
                    tag_key_origin,
                    values: allowed(section, values),
                    resource_type_scope: scopes.0,
                    region_scope: scopes.1,
                    rg_scope: scopes.2,
                    enforced_for: types.0,
                    report_required_tag_for: types.1,
                    correction,
                    fit,
                }
            },
        )
}

type Lists = (Option<Vec<&'static str>>, Option<Vec<&'static str>>);

fn allowed(section: Section, (patterns, regexes): Lists) -> AllowedValues {
    match section {
        Section::Tags => patterns.map_or(AllowedValues::Unset, |patterns| {
            let patterns = patterns.into_iter().map(Arc::<str>::from);
            AllowedValues::Listed(patterns.map(ValuePattern::from).collect())
        }),
        Section::MatchedTags => regexes.map_or(AllowedValues::Unset, |regexes| {
            let regexes = regexes
                .into_iter()
                .map(|text| ValueRegex::new(text).unwrap());
            AllowedValues::Matched(regexes.collect())
        }),
        Section::RgInherit => AllowedValues::Unset,
    }
}

fn rare<S: Strategy>(strategy: S) -> impl Strategy<Value = Option<S::Value>>
where
    S::Value: Clone,
{
    option::weighted(0.2, strategy)
}

fn texts(from: &'static [&'static str]) -> impl Strategy<Value = Vec<&'static str>> {
    subsequence(from, 0..=3)
}

fn types() -> impl Strategy<Value = Box<[TypePattern]>> {
    subsequence(&LISTED[..], 0..=3).prop_map(|types| {
        let types = types.into_iter().map(Arc::<str>::from);
        types.map(TypePattern::from).collect()
    })
}

fn names(from: &'static [&'static str]) -> impl Strategy<Value = Box<[Arc<str>]>> {
    subsequence(from, 0..=from.len()).prop_map(|names| names.into_iter().map(Arc::from).collect())
}

fn corrections(keys: Texts) -> impl Strategy<Value = Corrections> {
    let member = prop_oneof![
        1 => Just(ScopeMember::ResourceGroup),
        3 => select(keys).prop_map(|key| ScopeMember::Tag(key.into()))
    ];
    let asked = select(&["g1", "a", "b", "ab"][..]).prop_map(Arc::<str>::from);
    let scope = vec((member, asked), 0..2);
    let entry = (select(&VALUES[..]), scope);
    btree_map(select(&VALUES[..]), entry, 0..4).prop_map(|entries| {
        let entry = |(value, (_, scope)): (&str, (&str, _))| Correction {
            value: value.into(),
            scope,
        };
        Corrections(entries.into_iter().map(entry).collect())
    })
}

fn settings(keys: Texts) -> impl Strategy<Value = Settings> {
    let strong = select(vec![StrongVerification::Off, StrongVerification::On]);
    let untag = select(vec![
        UntagInterception::Strong,
        UntagInterception::Never,
        UntagInterception::Always,
    ]);
    let protected = rare(select(keys));
    (strong, untag, protected).prop_map(|(strong, untag, protected)| Settings {
        strong_verification: strong,
        untag_interception: untag,
        protected_tag_keys: protected.into_iter().map(Arc::from).collect(),
        ..Settings::default()
    })
}

type Pairs = Vec<(String, String)>;

fn tags(keys: Texts, values: Texts, most: usize) -> impl Strategy<Value = Pairs> {
    btree_map(select(keys), select(values), 0..=most).prop_map(|tags| {
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        tags.into_iter().map(owned).collect()
    })
}

pub(crate) fn question() -> impl Strategy<Value = TaggingQuestion> {
    question_of(&KEYS, &VALUES)
}

fn question_of(keys: Texts, values: Texts) -> impl Strategy<Value = TaggingQuestion> {
    let region = option::weighted(0.8, select(vec!["r1".to_owned(), "r2".to_owned()]));
    let group = option::weighted(
        0.8,
        option::weighted(0.8, select(vec!["g1".to_owned(), "g2".to_owned()])),
    );
    let inheritance = prop_oneof![
        1 => Just(Inheritance::Unknown),
        1 => Just(Inheritance::Excluded),
        4 => tags(keys, values, 3).prop_map(Inheritance::Group)
    ];
    let history = select(vec![TagHistory::Unknown, TagHistory::Tagged]);
    (
        select(&TYPES[..]),
        region,
        group,
        tags(keys, values, 5),
        operation(keys, values),
        inheritance,
        history,
    )
        .prop_map(
            |(kind, region, group, current, operation, inheritance, history)| TaggingQuestion {
                resource_type: kind.to_owned(),
                region,
                group,
                current: match operation {
                    TaggingOperation::Create(_) => Vec::new(),
                    TaggingOperation::Detect | TaggingOperation::Write { .. } => current,
                },
                operation,
                inheritance,
                history,
            },
        )
}

fn operation(keys: Texts, values: Texts) -> impl Strategy<Value = TaggingOperation> {
    let write =
        (tags(keys, values, 3), btree_set(select(keys), 0..3)).prop_map(|(set, removed)| {
            let free = |key: &&str| set.iter().all(|(taken, _)| taken != key);
            let removed = removed
                .into_iter()
                .filter(free)
                .map(str::to_owned)
                .collect();
            TaggingOperation::Write { set, removed }
        });
    prop_oneof![
        3 => Just(TaggingOperation::Detect),
        2 => tags(keys, values, 4).prop_map(TaggingOperation::Create),
        2 => write
    ]
}
