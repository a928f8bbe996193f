//! Changes by hand: where errors stand, what is copied, and what does not grow.

use tagwarden::compiler::change::{ChangeError, Changed, Extent, change};
use tagwarden::document::object::Memory;
use tagwarden::snapshot::Snapshot;
use tagwarden::snapshot::copied::Copied;

use super::generate::{Change, object, put};
use super::whole;

const POLICY: &str = r#"{"Version": "1", "Statement": [
  {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}]}"#;
const TAGS: &str =
    r#"{"dialect": "alibaba", "policy": {"tags": {"env": {"tag_value": {"@@assign": ["a"]}}}}}"#;

fn state() -> (Memory, Snapshot) {
    let trust = POLICY.replace("\"Resource\": \"*\"", "\"Principal\": \"*\"");
    let trust = format!(r#"{{"uid": "9", "trust": {trust}}}"#);
    let organization = r#"{"id": "rd-1", "management": "2", "root": {"name": "r",
      "tag": [{"policy": "root"}], "accounts": [{"account": "1", "tag": [{"policy": "own"}]}],
      "folders": [{"name": "f", "accounts": [{"account": "3"}]}]}}"#;
    let mut memory = Memory::default();
    memory.apply([
        put("accounts/1", "{}"),
        put("accounts/1/policies/Dev", POLICY),
        put("accounts/1/users/alice", r#"{"uid": "7"}"#),
        put("accounts/1/users/bob", "{}"),
        put("accounts/1/groups/ops", r#"{"users": ["alice"]}"#),
        put("accounts/1/roles/admin", &trust),
        put("accounts/1/attachments/group:ops/account/custom:Dev", "{}"),
        put("policies/tag/root", TAGS),
        put("policies/tag/own", TAGS),
        put("organizations/rd-1", organization),
    ]);
    let (_, snapshot) = whole(&memory).unwrap();
    (memory, snapshot)
}

fn refused(changes: impl IntoIterator<Item = Change>) -> String {
    let (mut memory, snapshot) = state();
    let touched = memory.apply(changes);
    match change(&snapshot, &memory, &touched) {
        Err(ChangeError::Refused(errors)) => errors.to_string(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn errors_stand_where_the_name_is_written() {
    let delete = |id| (object(id), None);
    let check = |changes: Vec<Change>, expected: &str| assert_eq!(refused(changes), expected);
    check(
        vec![put(
            "accounts/1/groups/ops",
            "{\"users\": [\"alice\",\n \"eve\"]}",
        )],
        "accounts/1/groups/ops:2:2: /users/1: no user `eve` in this account",
    );
    check(
        vec![delete("accounts/1/users/alice")],
        "accounts/1/groups/ops:1:12: /users/0: no user `alice` in this account",
    );
    check(
        vec![delete("accounts/1/policies/Dev")],
        "accounts/1/attachments/group:ops/account/custom:Dev:1:1: no policy `custom:Dev`",
    );
    check(
        vec![delete("accounts/1")],
        "accounts/1:1:1: the account is not there, but objects of it are",
    );
    check(
        vec![put("accounts/1/users/bob", r#"{"uid": "9"}"#)],
        "accounts/1/users/bob:1:1: uid `9` is given twice",
    );
    check(
        vec![put("policies/tag/own", &TAGS.replace("alibaba", "huawei"))],
        "organizations/rd-1:2:85: /root/accounts/0/tag/0/policy: a tag policy of dialect `huawei` \
         in an organization of dialect `alibaba`",
    );
    check(
        vec![put(
            "organizations/rd-2",
            r#"{"id": "rd-9", "management": "2", "root": {"name": "r", "accounts": [{"account": "1"}]}}"#,
        )],
        "organizations/rd-2:1:8: /id: the organization is `rd-9`, not as the object is named\n\
         organizations/rd-2:1:82: /root/accounts/0/account: account 1 is a member already, of \
         organization `rd-1`",
    );
}

#[test]
fn all_errors_of_a_change_are_told_at_once() {
    let told = refused([
        put("accounts/1/users/bob", r#"{"uid": 9}"#),
        put("accounts/1/policies/Dev", "{"),
        (object("policies/tag/own"), None),
    ]);
    let files: Vec<&str> = told
        .lines()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    let expected = [
        "organizations/rd-1",
        "accounts/1/policies/Dev",
        "accounts/1/users/bob",
    ];
    assert_eq!(files, expected, "{told}");
}

/// What a change copies.
fn copied(changes: impl IntoIterator<Item = Change>) -> Copied {
    let (mut memory, snapshot) = state();
    let touched = memory.apply(changes);
    let Changed {
        snapshot: next,
        extent,
        lints: _,
    } = change(&snapshot, &memory, &touched).unwrap();
    assert_eq!(extent, Extent::Touched);
    next.copied_from(&snapshot)
}

#[test]
fn what_no_change_touches_is_shared() {
    let nothing = Copied::default();
    let other = POLICY.replace("ecs:*", "oss:*");
    // A service that nobody named before is one more table.
    let policy = copied([put(
        "accounts/1/policies/Dev",
        &POLICY.replace("Allow", "Deny"),
    )]);
    assert_eq!(
        policy,
        Copied {
            policies: 1,
            ..nothing
        }
    );
    let added = copied([put(
        "accounts/1/policies/More",
        &other.replace("oss", "ecs"),
    )]);
    assert_eq!(
        added,
        Copied {
            policies: 1,
            names: 1,
            ..nothing
        }
    );
    let user = copied([put("accounts/1/users/carol", "{}")]);
    assert_eq!(
        user,
        Copied {
            principals: 1,
            ..nothing
        }
    );
    let group = copied([put(
        "accounts/1/groups/ops",
        r#"{"users": ["alice", "bob"]}"#,
    )]);
    assert_eq!(
        group,
        Copied {
            principals: 1,
            ..nothing
        }
    );
    let denied = POLICY.replace("\"Resource\": \"*\"", "\"Principal\": \"*\"");
    let denied = denied.replace("Allow", "Deny");
    let denied = format!(r#"{{"uid": "9", "trust": {denied}}}"#);
    let trust = copied([put("accounts/1/roles/admin", &denied)]);
    let expected = Copied {
        policies: 1,
        names: 1,
        principals: 1,
        attached: 1,
        ..nothing
    };
    assert_eq!(trust, expected);
    let callers = copied([put("callers", "{}")]);
    assert_eq!(callers, nothing);
    let routes = copied([put("routes", r#"{"routes": []}"#)]);
    assert_eq!(routes, nothing);
    // Of three accounts the one with a policy of its own has a new effective one.
    let own = copied([put("policies/tag/own", &TAGS.replace("[\"a\"]", "[\"b\"]"))]);
    assert_eq!(
        own,
        Copied {
            tables: 2,
            effective: 1,
            ..nothing
        }
    );
    let root = copied([put(
        "policies/tag/root",
        &TAGS.replace("[\"a\"]", "[\"b\"]"),
    )]);
    assert_eq!(
        root,
        Copied {
            tables: 2,
            effective: 3,
            ..nothing
        }
    );
}

#[test]
fn switches_and_catalogs_compile_everything() {
    let (mut memory, snapshot) = state();
    let touched = memory.apply([put("settings", r#"{"tag_key_case": "fold"}"#)]);
    let changed = change(&snapshot, &memory, &touched).unwrap();
    assert_eq!(changed.extent, Extent::Whole);
    assert_eq!(changed.lints, []);
}

#[test]
fn actions_that_nobody_names_any_more_are_forgotten() {
    let (mut memory, mut snapshot) = state();
    let (actions, policies) = (snapshot.actions.len(), snapshot.policies.len());
    for round in 0..1_500 {
        let named = (0..4).map(|place| format!("\"svc{round}:Do{place}\""));
        let named: Vec<String> = named.collect();
        let text = POLICY.replace("\"ecs:*\"", &format!("[{}]", named.join(", ")));
        let touched = memory.apply([put("accounts/1/policies/Dev", &text)]);
        snapshot = change(&snapshot, &memory, &touched).unwrap().snapshot;
        let most = 2 * actions + 1_024 + 10;
        assert!(
            snapshot.actions.len() <= most,
            "{round}: {}",
            snapshot.actions.len()
        );
    }
    assert_eq!(snapshot.policies.len(), policies);
    let (_, expected) = whole(&memory).unwrap();
    assert_eq!(expected.actions.len(), actions + 5);
}
