//! A small random world: what governs it, and what happens in it.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use tagwarden::compiler::compile;
use tagwarden::document::shipped;
use tagwarden::document::tag_policy::read_tag_policy;
use tagwarden::model::account::Name;
use tagwarden::model::arn::AccountId;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::inheritance::{
    AccountInheritance, ApplyToExisting, Authority, ExistingSupport, Inheritance, OnAssociate,
    OnDissociate, RuleDefinition, RuleId, RuleSetting, Status, TagScope,
};
use tagwarden::model::organization::{Member, Node, Organization, TagAttachment, TagMode};
use tagwarden::model::settings::{ReserveTags, Settings, TagLimits, TypeLimits};
use tagwarden::model::tag_policy::Dialect;
use tagwarden::snapshot::Snapshot;

pub(super) const RESOURCES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
pub(super) const RULES: [&str; 3] = ["r:edit", "r:keep", "r:usual"];
pub(super) const GROUPS: [&str; 2] = ["g1", "g2"];
pub(super) const KIND: &str = "ecs:instance";
const KEYS: [&str; 6] = ["Env", "a", "b", "c", "env", "z"];
const VALUES: [&str; 3] = ["1", "2", "bad"];

/// Policies that intercept, repair and inherit.
const POLICIES: [&str; 4] = [
    r#"{"tags": {"env": {"tag_key": {"@@assign": "env"}, "tag_value": {"@@assign": ["1", "2"]},
        "enforced_for": {"@@assign": ["ecs:instance"]}}}}"#,
    r#"{"rg_inherit": {"env": {"tag_key": {"@@assign": "env"}}, "c": {"tag_key": {"@@assign": "c"},
        "rg_scope": {"@@assign": ["g1"]}}}}"#,
    r#"{"tags": {"a": {"tag_key": {"@@assign": "a"}, "tag_value": {"@@assign": ["1", "2"]},
        "tag_value_correction": {"@@assign": {
            "1": {"value_type": "Tag", "value_scope": {"b": "1"}},
            "2": {"value_type": "Tag", "value_scope": {"acs:rm:rgId": "g2"}}}}}}}"#,
    r#"{"tags": {"env": {"tag_key": {"@@assign": "env"}, "tag_value": {"@@assign": ["1"]},
            "enforced_for": {"@@assign": ["ecs:instance"]},
            "tag_value_correction": {"@@assign": {"1": {"value_type": "Tag", "value_scope": {}}}}}},
        "rg_inherit": {"env": {"tag_key": {"@@assign": "env"}},
            "b": {"tag_key": {"@@assign": "b"}}},
        "matched_tags": {"b": {"tag_key": {"@@assign": "b"}, "tag_value": {"@@assign": ["[0-9]"]},
            "tag_value_correction": {"@@assign": {"2": {"value_type": "Tag",
                "value_scope": {"env": "1"}}}}}}}"#,
];

/// A snapshot without tag policies, and one for each policy.
pub(super) static SNAPSHOTS: LazyLock<Vec<Snapshot>> = LazyLock::new(|| {
    let with = POLICIES.into_iter().map(Some);
    std::iter::once(None).chain(with).map(snapshot).collect()
});

fn snapshot(policy: Option<&str>) -> Snapshot {
    let account = |text: &str| AccountId::try_from(text).unwrap();
    let name = Name::try_from("p").unwrap();
    let read = |text| read_tag_policy(text, Some(Dialect::Alibaba)).unwrap().value;
    let attached = TagAttachment {
        policy: name.clone(),
        mode: TagMode::Enforce,
    };
    let organization = Organization {
        id: "rd".to_owned(),
        management: account("9"),
        dialect: Dialect::Alibaba,
        root: Node {
            name: "Root".to_owned(),
            control: Vec::new(),
            tag: vec![attached],
            folders: Vec::new(),
            members: vec![Member {
                account: account("1"),
                control: Vec::new(),
                tag: Vec::new(),
            }],
        },
    };
    let bundle = Bundle {
        catalog: shipped::catalog().clone(),
        control_policies: shipped::control_policies().clone(),
        system_policies: shipped::system_policies().clone(),
        tag_policies: policy
            .into_iter()
            .map(|text| (name.clone(), read(text)))
            .collect(),
        organizations: policy.map(|_| organization).into_iter().collect(),
        ..Bundle::default()
    };
    compile(&bundle).unwrap()
}

/// Everything that a run starts with, and what happens.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) snapshot: usize,
    pub(super) settings: Settings,
    pub(super) closed: Vec<&'static str>,
    pub(super) groups: Vec<BTreeMap<String, String>>,
    pub(super) events: Vec<(Happening, Forgetting)>,
}

/// When what is to be forgotten is forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forgetting {
    Now,
    Later,
}

#[derive(Debug, Clone)]
pub(super) enum Happening {
    Put(&'static str, Option<&'static str>, Tags),
    Remove(&'static str),
    Move(&'static str, Option<&'static str>),
    Tag(&'static str, Tags),
    Untag(&'static str, Option<Vec<&'static str>>),
    Associate(&'static str, &'static str, &'static str),
    Dissociate(&'static str, &'static str, &'static str),
    Remediate(&'static str),
    Feature(Status),
    Rule(&'static str, RuleSetting),
}

pub(super) type Tags = BTreeMap<String, String>;

/// The rules of the world, all between resources of one type, so that there are cycles.
pub(super) fn inheritance() -> Inheritance {
    let definition = |on_associate, on_dissociate, existing| RuleDefinition {
        primary: KIND.into(),
        associated: KIND.into(),
        on_associate,
        on_dissociate,
        existing,
    };
    let (fills, does_not) = (ExistingSupport::Supported, ExistingSupport::Unsupported);
    let definitions = [
        definition(OnAssociate::Nothing, OnDissociate::Delete, fills),
        definition(OnAssociate::Inherit, OnDissociate::Keep, does_not),
        definition(OnAssociate::Inherit, OnDissociate::Delete, fills),
    ];
    let ids = RULES.map(|id| RuleId::try_from(id).unwrap());
    let own = AccountInheritance {
        feature: Status::Enabled,
        ..AccountInheritance::default()
    };
    let account = AccountId::try_from("1").unwrap();
    Inheritance {
        definitions: ids.into_iter().zip(definitions).collect(),
        accounts: [(account, Arc::new(own))].into(),
    }
}

pub(super) fn worlds() -> impl Strategy<Value = World> {
    (
        0..SNAPSHOTS.len(),
        settings(),
        subsequence(&RESOURCES[..], 0..=1),
        vec(tags(3), GROUPS.len()),
        start(),
        vec((happening(), forgetting()), 4..20),
    )
        .prop_map(
            |(snapshot, settings, closed, groups, start, events)| World {
                snapshot,
                settings,
                closed,
                groups,
                events: start.into_iter().chain(events).collect(),
            },
        )
}

/// What most worlds need before anything can be carried: resources, and a rule that is enabled.
fn start() -> impl Strategy<Value = Vec<(Happening, Forgetting)>> {
    let put = vec(tags(3), RESOURCES.len() - 1).prop_map(|tags| {
        let puts = RESOURCES.into_iter().zip(tags);
        let puts = puts.map(|(id, tags)| (Happening::Put(id, None, tags), Forgetting::Now));
        puts.collect::<Vec<_>>()
    });
    let rule = (select(&RULES[..]), setting()).prop_map(|(rule, setting)| {
        let status = Status::Enabled;
        let setting = RuleSetting { status, ..setting };
        (Happening::Rule(rule, setting), Forgetting::Now)
    });
    let links = vec(link(), 0..4).prop_map(|links| {
        let links = links.into_iter();
        let links = links.map(|(p, a, r)| (Happening::Associate(p, a, r), Forgetting::Now));
        links.collect::<Vec<_>>()
    });
    (put, rule, links).prop_map(|(mut events, rule, links)| {
        events.push(rule);
        events.extend(links);
        events
    })
}

fn forgetting() -> impl Strategy<Value = Forgetting> {
    prop_oneof![Just(Forgetting::Now), Just(Forgetting::Later)]
}

fn settings() -> impl Strategy<Value = Settings> {
    let limits = option::of(2..6_usize).prop_map(|most| {
        let limits = most.map(|tags| TypeLimits {
            tags,
            ..TypeLimits::default()
        });
        TagLimits(
            limits
                .into_iter()
                .map(|limits| (KIND.into(), limits))
                .collect(),
        )
    });
    let protected = option::weighted(0.3, select(&KEYS[..]));
    (limits, protected, 0..3_usize).prop_map(|(tag_limits, protected, reserve)| Settings {
        tag_limits,
        protected_tag_keys: protected.into_iter().map(Arc::from).collect(),
        reserve_tags: ReserveTags(reserve),
        ..Settings::default()
    })
}

fn tags(most: usize) -> impl Strategy<Value = Tags> {
    btree_map(select(&KEYS[..]), select(&VALUES[..]), 0..=most).prop_map(|tags| {
        let owned = |(key, value): (&str, &str)| (key.to_owned(), value.to_owned());
        tags.into_iter().map(owned).collect()
    })
}

fn some_tags() -> impl Strategy<Value = Tags> {
    tags(2).prop_filter("a call names a tag", |tags| !tags.is_empty())
}

fn setting() -> impl Strategy<Value = RuleSetting> {
    let status = prop_oneof![3 => Just(Status::Enabled), 1 => Just(Status::Disabled)];
    let scope = prop_oneof![
        2 => Just(TagScope::All),
        1 => subsequence(&KEYS[..], 1..4).prop_map(|keys| TagScope::new(keys).unwrap())
    ];
    let existing = select(vec![ApplyToExisting::Yes, ApplyToExisting::No]);
    let authority = prop_oneof![
        3 => Just(Authority::ServiceRole),
        1 => Just(Authority::Principal)
    ];
    (status, scope, existing, authority).prop_map(|(status, scope, existing, authority)| {
        RuleSetting {
            status,
            scope,
            existing,
            authority,
        }
    })
}

fn id() -> impl Strategy<Value = &'static str> {
    select(&RESOURCES[..])
}

fn group() -> impl Strategy<Value = Option<&'static str>> {
    option::weighted(0.7, select(&GROUPS[..]))
}

/// Two different resources, and a rule.
fn link() -> impl Strategy<Value = (&'static str, &'static str, &'static str)> {
    let two = subsequence(&RESOURCES[..], 2).prop_shuffle();
    (two, select(&RULES[..])).prop_map(|(two, rule)| (two[0], two[1], rule))
}

fn happening() -> impl Strategy<Value = Happening> {
    let keys = option::weighted(0.8, subsequence(&KEYS[..], 1..3));
    prop_oneof![
        2 => (id(), group(), tags(4)).prop_map(|(id, group, tags)| Happening::Put(id, group, tags)),
        1 => id().prop_map(Happening::Remove),
        2 => (id(), group()).prop_map(|(id, group)| Happening::Move(id, group)),
        5 => (id(), some_tags()).prop_map(|(id, tags)| Happening::Tag(id, tags)),
        4 => (id(), keys).prop_map(|(id, keys)| Happening::Untag(id, keys)),
        5 => link().prop_map(|(p, a, r)| Happening::Associate(p, a, r)),
        3 => link().prop_map(|(p, a, r)| Happening::Dissociate(p, a, r)),
        2 => id().prop_map(Happening::Remediate),
        1 => select(vec![Status::Enabled, Status::Disabled]).prop_map(Happening::Feature),
        3 => (select(&RULES[..]), setting()).prop_map(|(rule, to)| Happening::Rule(rule, to))
    ]
}
