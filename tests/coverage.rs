//! The random worlds reach everything: what is counted here is what the differential test checks.

use std::collections::BTreeMap;

use tagwarden::model::action::ActionRef;
use tagwarden::model::arn::PrincipalRef;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::condition::{Comparison, Condition, ConditionKey, Quantifier, Test};
use tagwarden::model::request::SessionClaim;
use tagwarden::model::settings::Settings;
use tagwarden::model::statement::Policy;
use tagwarden::model::verdict::{Layer, RefusalReason};
use tagwarden::reference::{ReferenceDecision, evaluate};

use crate::support::generate::{World, world};

/// How often everything must occur.
const LEAST: usize = 3;
const WORLDS: u64 = 12_000;

/// What cannot occur, and why.
const EXEMPT: [(&str, &str); 2] = [
    (
        "refused InvalidDocument",
        "a document is refused where it is read, before there is a world",
    ),
    (
        "refused AccountQuarantined",
        "an account is quarantined where files are read, and a world has none",
    ),
];

const STRING: [&str; 6] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
];
const ORDERS: [&str; 6] = [
    "Equals",
    "NotEquals",
    "LessThan",
    "LessThanEquals",
    "GreaterThan",
    "GreaterThanEquals",
];

/// Everything that must occur.
fn wanted() -> Vec<String> {
    let mut all: Vec<String> = RefusalReason::ALL
        .iter()
        .map(|reason| format!("refused {reason:?}"))
        .collect();
    let typed = ["Numeric", "Date"].into_iter();
    let mut operators: Vec<String> = typed
        .flat_map(|kind| ORDERS.iter().map(move |order| format!("{kind}{order}")))
        .collect();
    operators.extend(STRING.map(str::to_owned));
    operators.extend(["Bool", "IpAddress", "NotIpAddress"].map(str::to_owned));
    for operator in operators {
        for prefix in ["", "ForAnyValue:", "ForAllValues:"] {
            all.push(format!("{prefix}{operator}"));
        }
        all.push(format!("{operator}IfExists"));
    }
    all.extend(
        [
            "Null true",
            "Null false",
            "layer Control",
            "layer Session",
            "layer Identity",
            "layer ResourceGroup",
            "layer ResourceBased",
            "layer AccountOwner",
            "Allow",
            "ImplicitDeny",
            "ExplicitDeny",
            "reason PrincipalUnknown",
            "reason ObligationRequired",
            "reason ResourceUnknown",
            "on_deny EmptyResult",
            "on_deny Error",
            "must_filter_tags",
            "filter_results",
            "principal root",
            "principal user",
            "principal role",
            "principal session",
            "principal federated",
            "principal service",
            "sends tags {}",
            "replaces",
            "removes keys",
            "removes all",
            "family Resource",
            "family Request",
            "family Either",
            "family Resource of a service",
            "family Request of a service",
            "family Either of a service",
        ]
        .into_iter()
        .filter(|name| *name != "family Either")
        .map(str::to_owned),
    );
    for kind in ["Create", "Query", "Update", "Other"] {
        all.push(format!("kind {kind}"));
    }
    for effect in ["None", "NewResource", "Target", "Replace", "Remove"] {
        all.push(format!("tags {effect}"));
    }
    for flag in [
        "list",
        "filterable",
        "all_resources",
        "upsert",
        "required_keys",
    ] {
        all.push(flag.to_owned());
    }
    for (switch, values) in [
        ("rg_deny", &["Always", "DocumentedOrder"][..]),
        ("query_denied", &["Empty", "Error", "ErrorOnExplicit"]),
        ("query_unfiltered", &["Obligation", "Deny"]),
        ("tag_key_case", &["Guarded", "Exact", "Fold"]),
        ("absent_family", &["Fail", "Aws"]),
        ("update_extra_tags", &["Class", "Named"]),
        ("missing_required", &["Refuse", "AsAbsent"]),
        ("control_scope", &["Owner", "OwnerAndPrincipal"]),
        ("operators", &["Extended", "Documented"]),
        ("forall_absent", &["False", "Aws"]),
        ("unknown_keys", &["Refuse", "Warn"]),
        ("not_resource", &["Refuse", "Aws"]),
    ] {
        all.extend(values.iter().map(|value| format!("{switch} {value}")));
    }
    all
}

fn switches(settings: &Settings) -> Vec<String> {
    let Settings {
        rg_deny,
        query_denied,
        query_unfiltered,
        tag_key_case,
        absent_family,
        update_extra_tags,
        missing_required,
        control_scope,
        operators,
        forall_absent,
        unknown_keys,
        not_resource,
        strong_verification: _,
        untag_interception: _,
        protected_tag_keys: _,
        reserve_tags: _,
        tag_limits: _,
        on_stale: _,
    } = settings;
    vec![
        format!("rg_deny {rg_deny:?}"),
        format!("query_denied {query_denied:?}"),
        format!("query_unfiltered {query_unfiltered:?}"),
        format!("tag_key_case {tag_key_case:?}"),
        format!("absent_family {absent_family:?}"),
        format!("update_extra_tags {update_extra_tags:?}"),
        format!("missing_required {missing_required:?}"),
        format!("control_scope {control_scope:?}"),
        format!("operators {operators:?}"),
        format!("forall_absent {forall_absent:?}"),
        format!("unknown_keys {unknown_keys:?}"),
        format!("not_resource {not_resource:?}"),
    ]
}

fn policies(bundle: &Bundle) -> impl Iterator<Item = &Policy> {
    let of_accounts = bundle.accounts.iter().flat_map(|account| {
        let trust = account.roles.iter().filter_map(|role| role.trust.as_ref());
        account.policies.values().chain(trust)
    });
    let attached = bundle
        .resource_policies
        .iter()
        .map(|document| &document.policy);
    of_accounts
        .chain(bundle.control_policies.values())
        .chain(attached)
}

fn operator(condition: &Condition) -> String {
    let not = |negated: bool| if negated { "Not" } else { "" };
    let order = |comparison: &Comparison| format!("{comparison:?}");
    let name = match &condition.test {
        Test::Equals { negated, .. } => format!("String{}Equals", not(*negated)),
        Test::EqualsIgnoreCase { negated, .. } => {
            format!("String{}EqualsIgnoreCase", not(*negated))
        }
        Test::Like { negated, .. } => format!("String{}Like", not(*negated)),
        Test::Numeric { comparison, .. } => format!("Numeric{}", order(comparison)),
        Test::Date { comparison, .. } => format!("Date{}", order(comparison)),
        Test::Bool { .. } => "Bool".to_owned(),
        Test::Ip { negated, .. } => format!("{}IpAddress", not(*negated)),
        Test::Null { absent } => format!("Null {absent}"),
    };
    match (condition.quantifier, condition.if_exists) {
        (Quantifier::Single, false) => name,
        (Quantifier::Single, true) => format!("{name}IfExists"),
        (Quantifier::ForAnyValue, _) => format!("ForAnyValue:{name}"),
        (Quantifier::ForAllValues, _) => format!("ForAllValues:{name}"),
    }
}

fn seen_in_bundle(bundle: &Bundle) -> Vec<String> {
    let mut seen = switches(&bundle.settings);
    for statement in policies(bundle).flat_map(|policy| &policy.statements) {
        for condition in &statement.conditions {
            seen.push(operator(condition));
            if let ConditionKey::Tag(key) = &condition.key {
                let service = if key.service.is_some() {
                    " of a service"
                } else {
                    ""
                };
                seen.push(format!("family {:?}{service}", key.family));
            }
        }
    }
    seen
}

fn seen_in_request(world: &World) -> Vec<String> {
    let World { bundle, request } = world;
    let mut seen = Vec::new();
    if let Ok(principal) = PrincipalRef::parse(&request.principal) {
        let kind = match principal {
            PrincipalRef::Root { .. } => "root",
            PrincipalRef::User { .. } => "user",
            PrincipalRef::Role { session: None, .. } => "role",
            PrincipalRef::Role { .. } => "session",
            PrincipalRef::Federated { .. } => "federated",
            PrincipalRef::Service { .. } => "service",
        };
        seen.push(format!("principal {kind}"));
    }
    if let Ok(action) = ActionRef::parse(&request.action) {
        let facts = bundle.catalog.facts(action);
        seen.push(format!("kind {:?}", facts.kind));
        seen.push(format!("tags {:?}", facts.tags));
        let flags = [
            ("list", facts.list),
            ("filterable", facts.filterable),
            ("all_resources", facts.all_resources),
            ("upsert", facts.upsert),
            ("required_keys", !facts.required_keys.is_empty()),
            (
                "sends tags {}",
                request.tags.set.as_ref().is_some_and(Vec::is_empty),
            ),
            ("replaces", request.tags.replace),
            ("removes keys", !request.tags.remove_keys.is_empty()),
            ("removes all", request.tags.remove_all),
            (
                "carries a policy",
                matches!(request.session, SessionClaim::Policy(_)),
            ),
        ];
        seen.extend(
            flags
                .iter()
                .filter(|(_, on)| *on)
                .map(|(name, _)| (*name).to_owned()),
        );
    }
    seen
}

fn seen_in_answer(answer: &Result<ReferenceDecision, RefusalReason>) -> Vec<String> {
    let decision = match answer {
        Err(reason) => return vec![format!("refused {reason:?}")],
        Ok(decision) => decision,
    };
    let mut seen = vec![
        format!("{:?}", decision.outcome),
        format!("on_deny {:?}", decision.on_deny),
    ];
    seen.extend(decision.reason.map(|reason| format!("reason {reason:?}")));
    seen.extend(decision.layer.map(|layer| match layer {
        Layer::Control { .. } => "layer Control".to_owned(),
        Layer::Session
        | Layer::Identity
        | Layer::ResourceGroup
        | Layer::ResourceBased
        | Layer::AccountOwner => format!("layer {layer:?}"),
    }));
    for due in &decision.obligations {
        seen.extend(
            due.filter_tags
                .as_ref()
                .map(|_| "must_filter_tags".to_owned()),
        );
        seen.extend(due.filter_results.then(|| "filter_results".to_owned()));
    }
    seen
}

/// Tapes that are the same in every run.
fn tapes() -> impl Iterator<Item = Vec<u16>> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    (0..WORLDS).map(move |round| {
        let length = 40 + round % 860;
        let next = |_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            u16::try_from(state >> 48).unwrap()
        };
        (0..length).map(next).collect()
    })
}

#[test]
fn the_random_worlds_reach_everything() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for tape in tapes() {
        let world = world(&tape);
        let answer = evaluate(&world.bundle, &world.request);
        let mut seen = seen_in_bundle(&world.bundle);
        seen.extend(seen_in_request(&world));
        seen.extend(seen_in_answer(&answer));
        seen.sort();
        seen.dedup();
        for name in seen {
            *counts.entry(name).or_default() += 1;
        }
    }
    let count = |name: &str| counts.get(name).copied().unwrap_or(0);
    let exempt = |name: &str| EXEMPT.iter().any(|(exempt, _)| *exempt == name);
    let rare: Vec<String> = wanted()
        .into_iter()
        .filter(|name| count(name) < LEAST && !exempt(name))
        .map(|name| format!("{name}: {}", count(&name)))
        .collect();
    assert!(rare.is_empty(), "occurs too seldom: {rare:#?}");
    let needless: Vec<_> = EXEMPT
        .iter()
        .filter(|(name, _)| count(name) >= LEAST)
        .collect();
    assert!(needless.is_empty(), "needless: {needless:?}");
}
