//! What `serve` is told, from outside: flags over the environment over the file over defaults.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};
use tagwarden::config::{schema, setting};

use crate::support::process::PROGRAM;

fn serve(variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(PROGRAM);
    command.arg("serve").args(arguments);
    command.env_clear().envs(variables.iter().copied());
    command.output().unwrap()
}

fn printed(output: &Output) -> Value {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(output.stdout, b"");
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A folder with a configuration.
fn written(config: &Value) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tagwarden.json");
    std::fs::write(&path, config.to_string()).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn flags_stand_over_variables_over_the_file() {
    let (_folder, path) = written(&json!({
        "source": {"bundle": "/file", "poll": 7},
        "server": {"listen": ["127.0.0.1:1"], "drain": 8},
    }));
    let variables = [
        ("TAGWARDEN_CONFIG", &*path),
        ("TAGWARDEN_SOURCE__BUNDLE", "/variable"),
        ("TAGWARDEN_SERVER__LISTEN", "127.0.0.1:2 127.0.0.1:3"),
    ];
    let arguments = ["--print-config", "--bundle", "/flag"];
    let found = printed(&serve(&variables, &arguments));
    assert_eq!(
        found,
        json!({
            "source": {"bundle": "/flag", "history_changes": 10_000, "history_days": 90, "poll": 7},
            "server": {"listen": ["127.0.0.1:2", "127.0.0.1:3"], "connections": 4_096,
                "lame_duck": 0, "drain": 8},
            "admin": {"listen": "127.0.0.1:4771"},
            "http": {"listen": "none"},
        })
    );
    let (_folder, path) = written(&found);
    let again = serve(&[], &["--print-config", "--config", &path]);
    assert_eq!(printed(&again), found);
}

#[test]
fn everything_wrong_is_told_at_once_and_nothing_is_served() {
    let (_folder, path) = written(&json!({"server": {"workers": 0, "listen": ["nowhere"]}}));
    let variables = [("TAGWARDEN_ADMIN__LISTEN", "here")];
    for ask in ["--check-config", "--print-config", "--bundle=x"] {
        let told = refused(&serve(&variables, &[ask, "--config", &path]));
        for expected in [
            "tagwarden.json:1:22: /server/listen/0: `nowhere` is neither",
            "tagwarden.json:1:43: /server/workers: expected a whole number from 1 to 1024, found `0`",
            "TAGWARDEN_ADMIN__LISTEN: `here` is neither `none` nor an address: invalid",
        ] {
            assert!(told.contains(expected), "{told}");
        }
        assert_eq!(told.lines().count(), 3, "{told}");
    }
    let unknown = [("TAGWARDEN_SERVER__PORT", "1")];
    let told = refused(&serve(&unknown, &["--check-config"]));
    assert_eq!(told, "error: unknown variable `TAGWARDEN_SERVER__PORT`\n");
    let (_folder, path) = written(&json!({"server": {"port": 1}}));
    let told = refused(&serve(&[], &["--check-config", "--config", &path]));
    assert!(
        told.contains(":1:12: /server/port: unknown member `port`"),
        "{told}"
    );
    let told = refused(&serve(&[], &["--check-config", "--manage", "none"]));
    assert_eq!(
        told,
        "error: without --bundle and --data the management channel is needed\n"
    );
}

#[test]
fn a_check_reads_the_files_of_tls() {
    let told = serve(&[], &["--check-config", "--bundle", "/b"]);
    assert_eq!(told.stdout, b"the configuration is good\n");
    let arguments = "--check-config --bundle /b --listen 127.0.0.1:0,tls --tls-cert /nowhere/c \
                     --tls-key /nowhere/k";
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let told = serve(&[], &arguments);
    assert_eq!(told.status.code(), Some(1));
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains("/nowhere/c"), "{told}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn the_schema_in_the_tree_is_the_one_that_is_made() {
    let path = root().join("deploy/tagwarden.schema.json");
    let made = format!("{:#}\n", schema());
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap();
    assert_eq!(kept, made, "UPDATE_GOLDEN=1 renews it");
}

#[test]
fn every_setting_is_documented() {
    let operations = std::fs::read_to_string(root().join("docs/configuration.md")).unwrap();
    for setting in setting::SETTINGS {
        let row = format!(
            "| `--{}` | `{}.{}` |",
            setting.flag, setting.section, setting.key
        );
        assert!(operations.contains(&row), "no row {row}");
    }
}
