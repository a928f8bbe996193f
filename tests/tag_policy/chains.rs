//! What a chain tells beside its values: limits, locks on scopes, stages and sharing.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use tagwarden::compiler::compile;
use tagwarden::compiler::effective::{Level, MergeError, Regexes, merge};
use tagwarden::document::tag_policy::{canonical, read_tag_policy};
use tagwarden::model::account::Name;
use tagwarden::model::arn::AccountId;
use tagwarden::model::bundle::Bundle;
use tagwarden::model::organization::{Member, Node, Organization, TagAttachment, TagMode};
use tagwarden::model::tag_policy::{Dialect, Fit, NoteKind, TagPolicy};
use tagwarden::snapshot::tags::Staged;

fn policy(text: &str) -> TagPolicy {
    read_tag_policy(text, Some(Dialect::Alibaba)).unwrap().value
}

fn chain(policies: &[&str]) -> Result<Staged, MergeError> {
    let policies: Vec<TagPolicy> = policies.iter().map(|text| policy(text)).collect();
    let level = |(number, policy)| vec![(Arc::from(format!("p{number}")), policy)];
    let levels: Vec<Level<'_>> = policies.iter().enumerate().map(level).collect();
    merge(Dialect::Alibaba, &levels, &mut Regexes::default())
}

fn groups(from: usize, count: usize) -> String {
    let names: Vec<String> = (from..from + count)
        .map(|number| format!("\"rg-{number}\""))
        .collect();
    format!(
        r#"{{"tags": {{"k": {{"rg_scope": {{"@@append": [{}]}}}}}}}}"#,
        names.join(", ")
    )
}

#[test]
fn over_a_limit_the_lowest_nodes_are_left_out() {
    let staged = chain(&[&groups(0, 15), &groups(15, 5), &groups(20, 1)]).unwrap();
    let statement = staged.policy.statements.first().unwrap();
    assert_eq!(statement.fit, Fit::OverLimit);
    assert_eq!(statement.rg_scope.as_ref().unwrap().len(), 20);
    let note = staged.provenance.notes.first().unwrap();
    let NoteKind::OverLimit { contributors, .. } = &note.kind else {
        panic!("{note:?}");
    };
    let names: Vec<&str> = contributors.iter().map(|by| &*by.policy).collect();
    assert_eq!(
        (&*note.by.as_ref().unwrap().policy, names),
        ("p2", vec!["p0", "p1", "p2"])
    );
    let fits = chain(&[&groups(0, 15), &groups(15, 5)]).unwrap();
    assert_eq!(fits.policy.statements.first().unwrap().fit, Fit::Whole);
}

#[test]
fn one_node_over_a_limit_refuses_the_bundle() {
    let (first, second) = (policy(&groups(0, 15)), policy(&groups(15, 15)));
    let levels = [vec![("one".into(), &first), ("two".into(), &second)]];
    let error = merge(Dialect::Alibaba, &levels, &mut Regexes::default()).unwrap_err();
    let expected =
        "`rg_scope` of `k` has more than 20 resource groups, contributed by `one`, `two`";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_locked_statement_takes_no_new_scope() {
    let locked = r#"{"tags": {"k": {
        "tag_value": {"@@assign": ["a"], "@@operators_allowed_for_child_policies": ["@@none"]},
        "rg_scope": {"@@assign": ["rg-1"]}
    }}}"#;
    let child = r#"{"tags": {"k": {
        "region_scope": {"@@assign": ["cn-1"]},
        "rg_scope": {"@@append": ["rg-2"]}
    }}}"#;
    let staged = chain(&[locked, child]).unwrap();
    let expected = r#"{"tags":{"k":{"rg_scope":["rg-1","rg-2"],"tag_key":"k","tag_value":["a"]}}}"#;
    assert_eq!(canonical(&staged.policy).to_string(), expected);
    let kinds: Vec<&str> = staged
        .provenance
        .notes
        .iter()
        .map(|note| note.kind.code())
        .collect();
    assert_eq!(kinds, ["SCOPE_UNDER_LOCK"]);
}

#[test]
fn a_type_has_at_most_fifty_required_keys() {
    let keys = |from: usize, count: usize| {
        let statement = |number| {
            format!(
                r#""k{number}": {{"report_required_tag_for": {{"@@assign": ["ec2:instance"]}}}}"#
            )
        };
        let all: Vec<String> = (from..from + count).map(statement).collect();
        let text = format!(r#"{{"tags": {{{}}}}}"#, all.join(", "));
        read_tag_policy(&text, Some(Dialect::Aws)).unwrap().value
    };
    let (root, child) = (keys(0, 30), keys(30, 25));
    let levels = [vec![("root".into(), &root)], vec![("child".into(), &child)]];
    let staged = merge(Dialect::Aws, &levels, &mut Regexes::default()).unwrap();
    let over = |fit| {
        staged
            .policy
            .statements
            .iter()
            .filter(|one| one.fit == fit)
            .count()
    };
    assert_eq!((over(Fit::Whole), over(Fit::OverLimit)), (30, 25));
}

/// Long lists are merged in time that grows with their length alone.
#[test]
fn long_lists_do_not_hang() {
    let list = |from: usize| {
        let values: Vec<String> = (from..from + 12_000)
            .map(|value| format!("\"{value}\""))
            .collect();
        let values = values.join(",");
        format!(r#"{{"tags": {{"k": {{"tag_value": {{"@@append": [{values}]}}}}}}}}"#)
    };
    let lists: Vec<String> = (0..8)
        .map(|number| list(10_000 + number * 12_000))
        .collect();
    let lists: Vec<&str> = lists.iter().map(String::as_str).collect();
    let start = Instant::now();
    assert!(chain(&lists).is_ok());
    assert!(start.elapsed().as_secs() < 20);
}

fn name(text: &str) -> Name {
    Name::try_from(text).unwrap()
}

fn attach(policy: &str, mode: TagMode) -> TagAttachment {
    TagAttachment {
        policy: name(policy),
        mode,
    }
}

fn organization(root: Node) -> Organization {
    Organization {
        id: "rd-1".to_owned(),
        management: AccountId::try_from("1").unwrap(),
        dialect: Dialect::Alibaba,
        root,
    }
}

fn member(account: usize) -> Member {
    Member {
        account: AccountId::try_from(&*account.to_string()).unwrap(),
        control: Vec::new(),
        tag: Vec::new(),
    }
}

/// Security 6.3: what only reports or warns changes nothing of what intercepts.
#[test]
fn a_policy_that_reports_loosens_nothing() {
    let tag = vec![
        attach("loose", TagMode::Report),
        attach("strict", TagMode::Enforce),
        attach("open", TagMode::Warn),
    ];
    let root = Node {
        name: "Root".to_owned(),
        control: Vec::new(),
        tag,
        folders: Vec::new(),
        members: vec![member(7)],
    };
    let values = |value: &str| {
        policy(&format!(
            r#"{{"tags": {{"k": {{"tag_value": {{"@@assign": ["{value}"]}}}}}}}}"#
        ))
    };
    let open = r#"{"tags": {"k": {"tag_value": {"@@append": ["b"]}}}}"#;
    let policies = [
        ("loose", values("*")),
        ("strict", values("a")),
        ("open", policy(open)),
    ];
    let bundle = Bundle {
        organizations: vec![organization(root)],
        tag_policies: policies.map(|(key, policy)| (name(key), policy)).into(),
        ..Bundle::default()
    };
    let snapshot = compile(&bundle).unwrap();
    let node = snapshot.tags.account("7").unwrap();
    let check = |mode, expected: &str| {
        let found = canonical(&node.policies.of(mode).policy).to_string();
        let whole = format!(r#"{{"tags":{{"k":{{"tag_key":"k","tag_value":{expected}}}}}}}"#);
        assert_eq!(found, whole, "{mode:?}");
    };
    check(TagMode::Enforce, r#"["a"]"#);
    check(TagMode::Warn, r#"["a","b"]"#);
    check(TagMode::Report, r#"["*","b"]"#);
}

/// Root, then folders of folders: 111 in 5 levels, 10 policies each, 10,000 accounts.
#[test]
fn accounts_with_one_chain_share_their_effective_policy() {
    let mut bundle = Bundle::default();
    for number in 0..10 {
        let text = format!(
            r#"{{"tags": {{
                "k{number}": {{"tag_value": {{"@@append": ["v"]}}}},
                "l": {{"tag_value": {{"@@append": ["v{number}"]}}}}
            }}}}"#
        );
        bundle
            .tag_policies
            .insert(name(&format!("p{number}")), policy(&text));
    }
    let tag: Vec<TagAttachment> = bundle
        .tag_policies
        .keys()
        .map(|policy| attach(policy.as_str(), TagMode::Enforce))
        .collect();
    let mut made = 0;
    let root = folder(&tag, 0, &mut made);
    assert_eq!(made, 111);
    bundle.organizations = vec![organization(root)];
    let start = Instant::now();
    let snapshot = compile(&bundle).unwrap();
    println!(
        "{} accounts in {:?}",
        snapshot.tags.accounts().len(),
        start.elapsed()
    );
    let mut shared: BTreeMap<Vec<String>, HashSet<usize>> = BTreeMap::new();
    for node in snapshot.tags.accounts() {
        let path = node.path().into_iter().map(str::to_owned);
        let mut path: Vec<String> = path.collect();
        path.pop();
        let address = Arc::as_ptr(&node.policies).addr();
        shared.entry(path).or_default().insert(address);
        assert!(Arc::ptr_eq(
            &node.policies.enforce.policy,
            &node.policies.report.policy
        ));
    }
    assert!(snapshot.tags.accounts().len() > 9_900);
    assert!(shared.values().all(|addresses| addresses.len() == 1));
}

fn folder(tag: &[TagAttachment], depth: usize, made: &mut usize) -> Node {
    let number = *made;
    *made += 1;
    let below = [10, 2, 2, 1, 0].get(depth).copied().unwrap_or(0);
    let folders = (0..below).map(|_| folder(tag, depth + 1, made)).collect();
    Node {
        name: format!("f{number}"),
        control: Vec::new(),
        tag: tag.to_vec(),
        folders,
        members: (0..90)
            .map(|account| member(1_000 + number * 90 + account))
            .collect(),
    }
}
