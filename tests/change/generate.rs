//! Random objects and changes, from small pools of names so that they meet.

use tagwarden::document::object::Document;
use tagwarden::document::{PolicyOptions, read_policy};
use tagwarden::model::catalog::Catalog;
use tagwarden::model::object::ObjectId;
use tagwarden::model::settings::Settings;
use tagwarden::model::statement::DocumentLayer;

use crate::support::generate::{Names, Tape, policy_text};

/// A put or a delete.
pub(super) type Change = (ObjectId, Option<Document>);

pub(super) fn put(id: &str, text: &str) -> Change {
    (object(id), Some(Document::from(text.as_bytes())))
}

pub(super) fn object(id: &str) -> ObjectId {
    ObjectId::try_from(id).unwrap_or_else(|error| panic!("{error}"))
}

/// Names of users, groups and roles of an account, and of its policies.
const USERS: [&str; 3] = ["alice", "bob", "carol"];
const GROUPS: [&str; 2] = ["g", "h"];
const ROLES: [&str; 3] = ["ops", "linked", "sso"];
const CUSTOM: [&str; 3] = ["p0", "p1", "p2"];
/// One is shipped, so that a bundle's own stands in its place.
const SYSTEM: [&str; 3] = ["S0", "S1", "ReadOnlyAccess"];

/// One is shipped, the others have to be defined.
const RULES: [&str; 3] = [
    "rule:TagCluster:Cs-Cluster:Vpc-Eip",
    "rule:own",
    "rule:other",
];

/// What most states begin with.
pub(super) fn start(tape: &mut Tape<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for account in ["1", "2", "3"] {
        let mut add = |id: &str, text: &str| {
            changes.push(put(&format!("accounts/{account}{id}"), text));
        };
        add("", "{}");
        for user in USERS {
            add(&format!("/users/{user}"), "{}");
        }
        add("/groups/g", r#"{"users": ["alice", "bob"]}"#);
        for role in ["ops", "linked"] {
            add(&format!("/roles/{role}"), "{}");
        }
        for policy in CUSTOM {
            let text = accepted(tape);
            add(&format!("/policies/{policy}"), &text);
        }
        add("/attachments/user:alice/account/custom:p0", "{}");
        add("/attachments/group:g/account/custom:p1", "{}");
        add("/attachments/role:ops/rg:rg-1/custom:p2", "{}");
    }
    for name in ["c0", "c1"] {
        let text = accepted(tape);
        changes.push(put(&format!("policies/control/{name}"), &text));
    }
    for name in ["t0", "t1", "t2"] {
        changes.push(put(&format!("policies/tag/{name}"), &tag_policy(tape)));
    }
    changes.push(put("organizations/rd-1", &organization(tape, "rd-1")));
    changes
}

/// A policy that the switches of an empty bundle accept.
fn accepted(tape: &mut Tape<'_>) -> String {
    let text = policy_text(tape, Names::Nobody);
    let (settings, catalog) = (Settings::default(), Catalog::default());
    let options = PolicyOptions {
        layer: DocumentLayer::Identity,
        settings: &settings,
        catalog: &catalog,
    };
    match read_policy(&text, &options) {
        Ok(_) => text,
        Err(_) => ALL.to_owned(),
    }
}

const ALL: &str = r#"{"Version": "1", "Statement": [
    {"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;

/// One change of a few objects.
pub(super) fn changes(tape: &mut Tape<'_>) -> Vec<Change> {
    let count = tape.pick(&[1, 1, 1, 2, 3, 5]);
    (0..count).map(|_| change(tape)).collect()
}

fn change(tape: &mut Tape<'_>) -> Change {
    let id = id(tape);
    if tape.percent(25) {
        return (object(&id), None);
    }
    let text = if tape.percent(4) {
        tape.pick(&["", "{", "[]", r#"{"unknown": 1}"#, "{\"uid\": 7}"])
            .to_owned()
    } else {
        document(tape, &id)
    };
    put(&id, &text)
}

fn id(tape: &mut Tape<'_>) -> String {
    let account = tape.pick(&["1", "1", "1", "2", "2", "3", "4"]);
    match tape.below(39) {
        0..=3 => format!("accounts/{account}/policies/{}", tape.pick(&CUSTOM)),
        4..=6 => format!("accounts/{account}/users/{}", tape.pick(&USERS)),
        7..=9 => format!("accounts/{account}/groups/{}", tape.pick(&GROUPS)),
        10..=12 => format!("accounts/{account}/roles/{}", tape.pick(&ROLES)),
        13..=17 => format!("accounts/{account}/attachments/{}", attachment(tape)),
        18 => format!("accounts/{account}"),
        19 | 20 => format!("policies/system/{}", tape.pick(&SYSTEM)),
        21 | 22 => format!("policies/control/{}", tape.pick(&["c0", "c1", "c2"])),
        23 => "policies/control/FullAliyunAccess".to_owned(),
        24 | 25 => format!("policies/tag/{}", tape.pick(&["t0", "t1", "t2"])),
        26 | 27 => format!("policies/resource/{}", tape.pick(&["d0", "d1", "d2"])),
        28 | 29 => format!("organizations/{}", tape.pick(&["rd-1", "rd-2", "rd-0"])),
        30 => "callers".to_owned(),
        31 => tape
            .pick(&["resources", "catalog/a", "catalog/a-b"])
            .to_owned(),
        32 => "settings".to_owned(),
        33 => "inheritance".to_owned(),
        34 => format!("accounts/{account}/inheritance"),
        35 => "routes".to_owned(),
        _ => format!("accounts/{account}/inheritance/{}", tape.pick(&RULES)),
    }
}

fn attachment(tape: &mut Tape<'_>) -> String {
    let to = match tape.below(4) {
        0 | 1 => format!("user:{}", tape.pick(&USERS)),
        2 => format!("group:{}", tape.pick(&GROUPS)),
        _ => format!("role:{}", tape.pick(&ROLES)),
    };
    let scope = tape.pick(&["account", "account", "rg:rg-1", "rg:rg-2"]);
    let policy = if tape.percent(25) {
        format!("system:{}", tape.pick(&SYSTEM))
    } else {
        format!("custom:{}", tape.pick(&CUSTOM))
    };
    format!("{to}/{scope}/{policy}")
}

fn document(tape: &mut Tape<'_>, id: &str) -> String {
    let parts: Vec<&str> = id.split('/').collect();
    match parts.as_slice() {
        ["accounts", _, "users", _] => uid(tape, &[]),
        ["accounts", _, "roles", _] => role(tape),
        ["accounts", _, "groups", _] => {
            let users = USERS.into_iter().filter(|_| tape.percent(40));
            let users: Vec<String> = users.map(|user| format!("\"{user}\"")).collect();
            format!(r#"{{"users": [{}]}}"#, users.join(", "))
        }
        ["accounts", _, "inheritance"] => feature(tape),
        ["accounts", _, "inheritance", _] => rule(tape),
        ["inheritance"] => own_rules(tape),
        ["accounts", _] | ["accounts", _, "attachments", ..] => "{}".to_owned(),
        ["policies", "tag", _] => tag_policy(tape),
        ["policies", "resource", _] => resource_policy(tape),
        ["organizations", name] => organization(tape, name),
        ["callers"] => callers(tape),
        ["routes"] => routes(tape),
        ["settings"] => settings(tape),
        ["resources"] => resources(tape),
        ["catalog", _] => catalog(tape),
        _ => policy_text(tape, Names::Nobody),
    }
}

fn own_rules(tape: &mut Tape<'_>) -> String {
    let definition = |tape: &mut Tape<'_>, rule: &str| {
        let end = tape.pick(&["delete", "keep"]);
        format!(
            r#""{rule}": {{"primary": "ecs:instance", "associated": "ecs:image",
                "on_dissociate": "{end}"}}"#
        )
    };
    let rules = RULES.into_iter().filter(|rule| *rule != RULES[0]);
    let rules: Vec<&str> = rules.filter(|_| tape.percent(60)).collect();
    let rules = rules.into_iter().map(|rule| definition(tape, rule));
    let rules: Vec<String> = rules.collect();
    format!(r#"{{"rules": {{{}}}}}"#, rules.join(", "))
}

fn feature(tape: &mut Tape<'_>) -> String {
    tape.pick(&[
        "{}",
        r#"{"feature": "on"}"#,
        r#"{"feature": "on", "regions": ["cn-hangzhou"]}"#,
        r#"{"feature": "off", "excluded": ["acs:ecs:cn-hangzhou:1:instance/i-1"]}"#,
        r#"{"regions": ["nowhere"]}"#,
    ])
    .to_owned()
}

fn rule(tape: &mut Tape<'_>) -> String {
    let status = tape.pick(&["enabled", "disabled"]);
    let keys = tape.pick(&["", r#""env""#, r#""env", "team""#]);
    format!(r#"{{"status": "{status}", "tag_keys": [{keys}]}}"#)
}

fn uid(tape: &mut Tape<'_>, others: &[String]) -> String {
    let mut members = others.to_vec();
    if tape.percent(40) {
        let uid = tape.pick(&["101", "102", "201", "9"]);
        members.push(format!(r#""uid": "{uid}""#));
    }
    format!("{{{}}}", members.join(", "))
}

fn role(tape: &mut Tape<'_>) -> String {
    let mut members = Vec::new();
    let kind = tape.pick(&["", "", r#""service_linked": true"#, r#""sso": true"#]);
    if !kind.is_empty() {
        members.push(kind.to_owned());
    }
    if tape.percent(50) {
        let trust = policy_text(tape, Names::Principals);
        members.push(format!(r#""trust": {trust}"#));
    }
    uid(tape, &members)
}

fn resource_policy(tape: &mut Tape<'_>) -> String {
    let resource = tape.pick(&[
        "acs:ecs:cn-a:1:instance/i-1",
        "acs:ecs:*:1:instance",
        "acs:oss:*:1:bucket",
        "acs:oss:*:1:bucket/key",
        "acs:ecs::2:instance/i-1",
        "acs:ram:*:1:role/ops",
    ]);
    let policy = policy_text(tape, Names::Principals);
    format!(r#"{{"resource": "{resource}", "policy": {policy}}}"#)
}

fn tag_policy(tape: &mut Tape<'_>) -> String {
    let dialect = if tape.percent(6) { "huawei" } else { "alibaba" };
    let operator = tape.pick(&["@@assign", "@@append", "@@assign"]);
    let (key, value) = (tape.pick(&["env", "team"]), tape.pick(&["a", "b", "c"]));
    let text = format!(
        r#"{{"tags": {{"{key}": {{"tag_key": {{"@@assign": "{key}"}},
            "tag_value": {{"{operator}": ["{value}"]}}}}}}}}"#
    );
    format!(r#"{{"dialect": "{dialect}", "policy": {text}}}"#)
}

fn organization(tape: &mut Tape<'_>, id: &str) -> String {
    let management = tape.pick(&["3", "3", "5", "2"]);
    let mut folder = String::new();
    if tape.percent(60) {
        let member = node(tape, "\"account\": \"2\"");
        folder = node(tape, &format!("\"name\": \"f\", \"accounts\": [{member}]"));
    }
    let account = tape.pick(&["1", "1", "4", "6"]);
    let member = node(tape, &format!("\"account\": \"{account}\""));
    let inside = format!("\"name\": \"r\", \"accounts\": [{member}], \"folders\": [{folder}]");
    let root = node(tape, &inside);
    format!(r#"{{"id": "{id}", "management": "{management}", "root": {root}}}"#)
}

/// A node with what is attached to it.
fn node(tape: &mut Tape<'_>, inside: &str) -> String {
    let mut members = vec![inside.to_owned()];
    if tape.percent(40) {
        let policy = tape.pick(&["custom:c0", "custom:c1", "system:FullAliyunAccess"]);
        let scope = tape.pick(&["RAM", "All"]);
        members.push(format!(
            r#""control": [{{"policy": "{policy}", "effect_scope": "{scope}"}}]"#
        ));
    }
    let tags = ["t0", "t1", "t2"].into_iter().filter(|_| tape.percent(30));
    let tags: Vec<&str> = tags.collect();
    let tags: Vec<String> = tags
        .into_iter()
        .map(|name| {
            let mode = tape.pick(&["enforce", "warn", "report"]);
            format!(r#"{{"policy": "{name}", "mode": "{mode}"}}"#)
        })
        .collect();
    members.push(format!(r#""tag": [{}]"#, tags.join(", ")));
    format!("{{{}}}", members.join(", "))
}

fn callers(tape: &mut Tape<'_>) -> String {
    let rpc = tape.pick(&["Authorize", "BatchAuthorize"]);
    let uid = tape.pick(&["33", "34"]);
    format!(
        r#"{{"callers": [{{"name": "gateway", "peers": [{{"uid": {uid}}}], "rpcs": ["{rpc}"],
            "act_for": "*", "supply": ["context:*"], "disclosure": 2}}]}}"#
    )
}

/// Whether a kind is stricter depends on the catalog.
fn routes(tape: &mut Tape<'_>) -> String {
    let action = tape.pick(&[
        "ecs:RunInstances",
        "ecs:StopInstance",
        "ecs:DescribeInstances",
    ]);
    let kind = tape.pick(&["", r#""kind": "create","#, r#""kind": "other","#]);
    let path = tape.pick(&["/a", "/b/{x}"]);
    format!(
        r#"{{"principals": {{"p": {{"claim": ["sub"], "arn": "acs:ram::1:user/{{claim}}"}}}},
            "routes": [{{"name": "r", "http": {{"path": "{path}"}}, "principal": "p", {kind}
                "action": "{action}", "resources": ["acs:ecs:*:1:instance/i-1"]}}]}}"#
    )
}

fn settings(tape: &mut Tape<'_>) -> String {
    tape.pick(&[
        "{}",
        r#"{"tag_key_case": "fold"}"#,
        r#"{"rg_deny": "documented_order", "absent_family": "aws"}"#,
        r#"{"not_resource": "aws", "control_scope": "owner_and_principal"}"#,
        r#"{"operators": "documented"}"#,
    ])
    .to_owned()
}

fn resources(tape: &mut Tape<'_>) -> String {
    let value = tape.pick(&["a", "b"]);
    let line = format!(
        "{{\"arn\": \"acs:ecs:cn-a:1:instance/i-1\", \"tags\": {{\"env\": \"{value}\"}}}}\n"
    );
    line.repeat(tape.pick(&[1, 1, 1, 2]))
}

fn catalog(tape: &mut Tape<'_>) -> String {
    let action = tape.pick(&["ecs:StopInstance", "oss:PutObject"]);
    let kind = tape.pick(&["update", "other"]);
    format!(r#"{{"source": "test", "actions": {{"{action}": {{"kind": "{kind}"}}}}}}"#)
}
