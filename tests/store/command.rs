//! The commands of the management channel, run as programs.

use std::fs;
use std::process::{Command, Output};

use super::*;
use crate::support::process::{PROGRAM, files, write};

impl World {
    fn run(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let manage = format!("unix:{}", self.process.manage_path().display());
        let output = Command::new(PROGRAM)
            .args(arguments)
            .env("TAGWARDEN_MANAGE", manage)
            .output();
        let Output {
            status,
            stdout,
            stderr,
        } = output.unwrap();
        let said = [stdout, stderr].concat();
        (status.code(), String::from_utf8(said).unwrap())
    }

    fn write(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    }
}

fn json(said: &str) -> serde_json::Value {
    serde_json::from_str(said.lines().last().unwrap()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_are_applied_read_and_deleted() {
    let world = World::new().await;
    let empty = world.write("empty.json", "{}");
    let account = format!("accounts/1={empty}");
    let alice = format!("accounts/1/users/alice={empty}");
    let dry = world.run(&["apply", &account, &alice, "--dry-run"]);
    assert_eq!(
        dry,
        (
            Some(0),
            "valid: 0 errors, 0 warnings, 2 objects\n".to_owned()
        )
    );
    let (code, said) = world.run(&["apply", &account, &alice, "-m", "alice comes"]);
    assert_eq!(code, Some(0), "{said}");
    let start = "published: 0 errors, 0 warnings, 2 objects, revision 1 (";
    assert!(said.starts_with(start), "{said}");
    assert_eq!(
        world.run(&["get", "accounts/1/users/alice"]),
        (Some(0), "{}\n".to_owned())
    );
    let listed = "accounts/1\naccounts/1/users/alice\n".to_owned();
    assert_eq!(world.run(&["list"]), (Some(0), listed));
    let listed = "{\"id\":\"accounts/1/users/alice\"}\n".to_owned();
    assert_eq!(
        world.run(&["list", "accounts/1/u", "-o", "json"]),
        (Some(0), listed)
    );

    let (code, said) = world.run(&["delete", "accounts/1/users/alice", "-o", "json"]);
    let deleted = json(&said);
    assert_eq!((code, &deleted["outcome"]), (Some(0), &"published".into()));
    assert_eq!(deleted["revision"]["number"], 2);
    let (code, said) = world.run(&["get", "accounts/1/users/alice"]);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("error: OBJECT_NOT_FOUND: "), "{said}");

    let source = deleted["revision"]["source"].as_str().unwrap();
    let stale = format!("{source}/1");
    let (code, said) = world.run(&["rollback", "1", "--expect", &stale]);
    assert_eq!(code, Some(1));
    assert!(said.starts_with("error: REVISION_CONFLICT: "), "{said}");
    let newest = format!("{source}/2");
    let (code, said) = world.run(&["rollback", "1", "--expect", &newest, "-o", "json"]);
    assert_eq!(
        (code, &json(&said)["revision"]["number"]),
        (Some(0), &3.into())
    );
    let (code, said) = world.run(&["get", "accounts/1/users/alice", "-o", "json"]);
    assert_eq!(
        (code, &json(&said)["document"]),
        (Some(0), &serde_json::json!({}))
    );

    let (code, said) = world.run(&["history", "--differences"]);
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("rollback to 1, 1 object"), "{said}");
    assert_eq!(lines[1], "  + accounts/1/users/alice");
    assert_eq!(lines[3], "  - accounts/1/users/alice");
    assert!(
        lines[4].ends_with("changes, 2 objects: alice comes"),
        "{said}"
    );
    let (code, said) = world.run(&["history", "-n", "1", "-o", "json"]);
    assert_eq!(
        (code, &json(&said)["revision"]["number"]),
        (Some(0), &3.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_documents_are_told_with_their_places() {
    let world = World::new().await;
    let bad = world.write("bad.json", "{\n  \"age\": 7\n}");
    let (code, said) = world.run(&["apply", &format!("accounts/1={bad}")]);
    assert_eq!(code, Some(3), "{said}");
    assert!(
        said.starts_with("accounts/1:2:3: /age: error: unknown member `age`\n"),
        "{said}"
    );
    assert!(said.ends_with("refused: 1 error, 0 warnings\n"), "{said}");
    let (code, said) = world.run(&["apply", &format!("nonsense={bad}")]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.starts_with("error: INVALID_REQUEST: operations[0].id: "),
        "{said}"
    );
    let (code, _) = world.run(&["rollback", "x"]);
    assert_eq!(code, Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_goes_there_and_back() {
    let world = World::new().await;
    let bundle = world.folder.path().join("bundle");
    write(&bundle, &files(&[("1", "Allow"), ("2", "Deny")]));
    let bundle = bundle.to_str().unwrap();
    let (code, said) = world.run(&["apply", bundle]);
    assert_eq!(code, Some(0), "{said}");
    let there = world.folder.path().join("there");
    let there = there.to_str().unwrap();
    let (code, said) = world.run(&["export", there]);
    assert_eq!((code, &*said), (Some(0), "5 files of revision 1\n"));
    let (code, said) = world.run(&["apply", there]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("unchanged: "), "{said}");
    let checked = Command::new(PROGRAM).args(["check", there]).status();
    assert!(checked.unwrap().success());
    let (code, said) = world.run(&["export", there]);
    assert_eq!(code, Some(1));
    assert!(said.contains("is not empty"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_not_serving() {
    for command in [
        ["get", "settings"],
        ["rollback", "1"],
        ["delete", "settings"],
    ] {
        let output = Command::new(PROGRAM)
            .args(command)
            .args(["--manage", "unix:/nonexistent/manage.sock"])
            .output();
        assert_eq!(output.unwrap().status.code(), Some(6), "{command:?}");
    }
}
