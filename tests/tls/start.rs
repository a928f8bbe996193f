//! What the program does not start with.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::certificate::{Authority, Files, Says, arg};
use crate::support::process::PROGRAM;

/// Runs `serve` to its end; it must not start.
fn refused(arguments: &[String]) -> (Option<i32>, String) {
    let output = Command::new(PROGRAM)
        .args(["serve", "--admin", "none"])
        .args(arguments)
        .env("RUST_LOG", "off")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), said)
}

fn check(arguments: &[String], code: i32, expected: &str) {
    let (found, said) = refused(arguments);
    assert_eq!(found, Some(code), "{arguments:?}: {said}");
    assert!(said.contains(expected), "{arguments:?}: {said}");
}

fn line(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

#[test]
fn half_configured_tls_does_not_start() {
    check(
        &line("--listen 127.0.0.1:0,tls --manage none --bundle nowhere"),
        2,
        "`127.0.0.1:0,tls` needs --tls-cert and --tls-key",
    );
    check(
        &line("--listen 127.0.0.1:0 --manage 127.0.0.1:0"),
        2,
        "the management channel on `127.0.0.1:0` needs TLS",
    );
    check(
        &line("--listen 127.0.0.1:0 --manage none --bundle nowhere --tls-cert a --tls-key b"),
        2,
        "no data address ends in `,tls`",
    );
}

#[test]
fn certificates_that_cannot_be_served_with_do_not_start() {
    let authority = Authority::new();
    let (good, other) = (
        authority.issue(Says::server()),
        authority.issue(Says::server()),
    );
    let files = Files::new(&good, "no PEM");
    let arguments = |ca: &str| {
        let (certificate, key) = (files.arg("tls.crt"), files.arg("tls.key"));
        line(&format!(
            "--listen 127.0.0.1:0,tls --manage none --bundle nowhere --tls-cert {certificate} \
             --tls-key {key} {ca}"
        ))
    };
    let ca = format!("--tls-client-ca {}", files.arg("ca.pem"));
    check(&arguments(&ca), 1, "ca.pem has no certificate");
    files.write("tls.key", &other.key);
    check(&arguments(""), 1, "keys may not be consistent");
    files.replace(&authority.issue(Says::server().days(-2, -1)));
    check(&arguments(""), 1, "is valid from");
    files.replace(&good);
    fs::remove_file(files.path("tls.key")).unwrap();
    check(&arguments(""), 1, "cannot read");
    fs::create_dir(files.path("tls.key")).unwrap();
    check(&arguments(""), 1, "is no plain file");
}

#[test]
fn tokens_that_others_may_read_do_not_start() {
    let authority = Authority::new();
    let files = Files::new(&authority.issue(Says::server()), &authority.pem);
    let (certificate, key) = (files.arg("tls.crt"), files.arg("tls.key"));
    let with = |names: &[&str]| {
        let mut arguments = line(&format!(
            "--listen 127.0.0.1:0 --manage 127.0.0.1:0,tls --manage-tls-cert {certificate} \
             --manage-tls-key {key}"
        ));
        for name in names {
            let file = format!("{name}={}", arg(&files.path(name)));
            arguments.extend(["--manage-token-file".to_owned(), file]);
        }
        arguments
    };
    let write = |name: &str, content: &str, mode: u32| {
        files.write(name, content);
        fs::set_permissions(files.path(name), Permissions::from_mode(mode)).unwrap();
    };
    let token = "t".repeat(32);
    for mode in [0o644, 0o640, 0o602, 0o601] {
        write("ops", &token, mode);
        check(
            &with(&["ops"]),
            1,
            &format!("its mode is {mode:04o}, not 0600 or 0400"),
        );
    }
    for content in [
        "",
        &token[1..],
        &format!("{token}\n{token}"),
        &format!("{token} "),
        "é",
    ] {
        write("ops", content, 0o600);
        check(
            &with(&["ops"]),
            1,
            "does not hold one line of 32 to 4096 visible",
        );
    }
    write("ops", &format!("{token}\n"), 0o600);
    write("same", &token, 0o400);
    check(
        &with(&["ops", "same"]),
        1,
        "has the name or the token of another",
    );
}
