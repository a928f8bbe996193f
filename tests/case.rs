//! Case files: every shared case is read, and what is no case is refused where it stands.

use std::path::Path;

use tagwarden::document::case::{CaseFile, Expected, World, read_cases};
use tagwarden::model::catalog::OperationKind;
use tagwarden::model::request::SessionClaim;
use tagwarden::model::verdict::RefusalReason;

const RAM_FILES: [&str; 3] = ["ram.jsonl", "ram_attacks.jsonl", "ram_generated.jsonl"];
const OTHER_FILES: [&str; 6] = [
    "assoc.jsonl",
    "compliance.jsonl",
    "effective.jsonl",
    "effective_generated.jsonl",
    "policy_validation.jsonl",
    "ram.jsonl",
];

fn shared(name: &str) -> Option<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance");
    let text = std::fs::read_to_string(path.join(name)).ok();
    if text.is_none() {
        println!("skipped: {name} is not here");
    }
    text
}

fn read(name: &str, text: &str) -> CaseFile {
    read_cases(name, text).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn every_shared_case_is_read() {
    let files: Vec<CaseFile> = RAM_FILES
        .into_iter()
        .filter_map(|name| shared(name).map(|text| read(name, &text)))
        .collect();
    if files.len() < RAM_FILES.len() {
        return;
    }
    let cases: Vec<_> = files.iter().flat_map(|file| &file.cases).collect();
    assert_eq!(cases.len(), 821);
    for case in cases {
        let refused = matches!(case.world, World::Refused(_));
        let expected = case.expectation.expected == Expected::Error(RefusalReason::InvalidDocument);
        assert_eq!(refused, expected, "{}: {:?}", case.id, case.world);
    }
}

#[test]
fn the_cases_of_the_project_are_the_shared_ones() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/ram");
    for name in RAM_FILES {
        let Some(text) = shared(name) else {
            return;
        };
        let copied = std::fs::read_to_string(own.join(name)).unwrap();
        assert!(copied == text, "{name} differs");
    }
}

#[test]
fn the_members_that_only_some_cases_need_are_read() {
    let alice = r#"{"type": "user", "arn": "acs:ram::12:user/alice", "unknown": "identity"}"#;
    let text = format!(
        r#"{{"id": "x", "expect": "ALLOW", "policies": [{{"layer": "control", "doc": {ALLOW}}}],
        "unknown_resources": ["acs:ecs:*:13:disk/d-1"],
        "organization": {{"member": "13", "management": "12"}},
        "request": {{"principal": {alice}, "action": "ecs:DescribeDisks",
            "resources": ["acs:ecs:*:13:disk/d-1"], "stated_kind": "other",
            "tag_write": "remove_all", "understands_obligations": false,
            "resource_tags": {{"acs:ecs:*:13:disk/d-1": {{"env": "a"}}}},
            "resource_groups": {{"acs:ecs:*:13:disk/d-1": null}}}}}}"#
    );
    let file = read("x", &text.replace('\n', " "));
    let case = &file.cases[0];
    let World::Ready(bundle) = &case.world else {
        panic!("{:?}", case.world)
    };
    assert!(bundle.accounts[0].users.is_empty());
    assert!(bundle.resources.is_empty());
    let organization = &bundle.organizations[0];
    assert_eq!(organization.management.as_str(), "12");
    assert!(organization.chain(&"13".try_into().unwrap()).is_some());
    let request = &case.request;
    assert_eq!(request.kind, Some(OperationKind::Other));
    assert!(request.tags.remove_all && !request.understands_obligations);
    let sent = &request.resources[0];
    let tag = ("env".to_owned(), "a".to_owned());
    assert_eq!(sent.tags.as_deref(), Some([tag].as_slice()));
    assert_eq!(sent.group, Some(None));
}

#[test]
fn each_form_is_told_from_the_others() {
    for name in OTHER_FILES {
        let Some(text) = shared(name) else {
            return;
        };
        let file = read(name, &text);
        let lines = text.lines().count();
        let expected = match name {
            "ram.jsonl" => (0, 0, lines),
            "effective.jsonl" | "effective_generated.jsonl" | "policy_validation.jsonl" => {
                (0, lines, 0)
            }
            "compliance.jsonl" => (0, 0, 0),
            _ => (lines, 0, 0),
        };
        let found = (
            file.associations.len(),
            file.tag_policies.len(),
            file.cases.len(),
        );
        assert_eq!(found, expected, "{name}");
        let judged = if name == "compliance.jsonl" { lines } else { 0 };
        assert_eq!(file.compliance.len(), judged, "{name}");
    }
}

/// A case with the members that are given, after those that every case needs.
fn case(request: &str, rest: &str) -> String {
    let principal = r#"{"type": "role", "arn": "acs:ram::12:role/ops/s", "account": "12"}"#;
    format!(
        r#"{{"id": "x", "expect": "ALLOW", "request": {{"principal": {principal}, {request}}}, {rest}}}"#
    )
}

const ASKED: &str = r#""action": "ecs:DescribeDisks", "resources": ["acs:ecs:*:12:disk/d-1", "acs:ecs:*:12:disk/*"]"#;
const ALLOW: &str =
    r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}"#;

#[test]
fn a_case_becomes_a_bundle_and_a_request() {
    let request = format!(
        r#"{ASKED}, "kind": "query", "request_tags": {{}}, "resource_tags": {{"acs:ecs:*:12:disk/d-1": {{"env": "a"}}}},
        "resource_groups": {{"acs:ecs:*:12:disk/*": "rg-1"}},
        "context": {{"acs:currenttime": "2026-01-01T00:00:00Z", "ecs:Types": ["a", "b"]}}"#
    )
    .replace('\n', " ");
    let policies = format!(
        r#""policies": [{{"layer": "identity", "via": "role", "scope": "rg:rg-1", "doc": {ALLOW}}},
        {{"layer": "control", "level": 2, "doc": {ALLOW}}}, {{"layer": "session", "doc": {ALLOW}}}],
        "catalog": {{"ecs:DescribeDisks": {{"filterable": false}}}}"#
    )
    .replace('\n', " ");
    let file = read("x", &case(&request, &policies));
    let case = &file.cases[0];
    let World::Ready(bundle) = &case.world else {
        panic!("{:?}", case.world)
    };
    let account = &bundle.accounts[0];
    assert_eq!(account.roles[0].name, "ops");
    assert_eq!(account.attachments.len(), 1);
    let chain = bundle.organizations[0].chain(&account.id).unwrap();
    let lengths: Vec<usize> = chain.iter().map(|level| level.len()).collect();
    assert_eq!(lengths, [0, 0, 1]);
    assert_eq!(bundle.resources.len(), 1);
    assert_eq!(bundle.resources[0].tags.get("env"), Some("a"));
    let facts = &bundle.catalog.actions["ecs:describedisks"];
    assert_eq!(facts.kind, OperationKind::Query);
    assert!(facts.list && !facts.filterable);
    assert!(matches!(case.request.session, SessionClaim::Policy(_)));
    assert_eq!(case.request.tags.set, Some(Vec::new()));
    assert_eq!(
        case.request.current_time.as_deref(),
        Some("2026-01-01T00:00:00Z")
    );
    assert_eq!(case.request.context.len(), 1);
    let open = &case.request.resources[1];
    assert_eq!(open.group, Some(Some("rg-1".to_owned())));
    assert_eq!(case.request.resources[0].tags, None);
}

#[test]
fn what_is_no_case_is_refused_with_its_line() {
    let check = |text: &str, expected: &str| {
        let errors = read_cases("f.jsonl", text).unwrap_err();
        assert_eq!(errors.to_string(), expected, "{text}");
    };
    check("\n{}", "f.jsonl:2:1: member `request` is missing");
    check(
        &case(ASKED, r#""policies": [], "expects": 1"#),
        "f.jsonl:1:236: /expects: unknown member `expects`",
    );
    let open = format!(r#"{ASKED}, "resource_tags": {{"acs:ecs:*:12:disk/d-2": {{}}}}"#);
    check(
        &case(&open, r#""policies": []"#),
        "f.jsonl:1:43: /request: `acs:ecs:*:12:disk/d-2` is not among the resources that are asked about",
    );
    let policies =
        format!(r#""policies": [{{"layer": "session", "via": "user", "doc": {ALLOW}}}]"#);
    check(
        &case(ASKED, &policies),
        "f.jsonl:1:254: /policies/0/via: policies of this layer do not have this member",
    );
}

#[test]
fn contradictions_of_a_case_are_refused() {
    let check = |text: &str, expected: &str| {
        let errors = read_cases("f.jsonl", text).unwrap_err().to_string();
        assert!(errors.contains(expected), "{errors}");
    };
    let none = r#""policies": []"#;
    let manages = r#""organization": {"member": "12", "management": "12"}, "policies": []"#;
    check(&case(ASKED, manages), "manages the organization");
    let never = format!(r#"{ASKED}, "context": {{"acs:CurrentTime": "tomorrow"}}"#);
    check(&case(&never, none), "`acs:CurrentTime` needs exactly one");
    let policies = format!(r#""policies": [{{"layer": "identity", "doc": {ALLOW}}}]"#);
    let unknown =
        case(ASKED, &policies).replacen(r#""type""#, r#""unknown": "account", "type""#, 1);
    check(&unknown, "an unknown principal has no identity policies");
}

#[test]
fn a_refused_policy_is_the_outcome_of_its_case() {
    let policies =
        r#""policies": [{"layer": "identity", "doc": {"Version": "2", "Statement": []}}]"#;
    let file = read("x", &case(ASKED, policies));
    assert!(matches!(&file.cases[0].world, World::Refused(_)));
}
