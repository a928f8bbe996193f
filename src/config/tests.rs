use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};

use super::setting::{Kind, SECTIONS, SETTINGS};
use super::*;

/// A folder with a file of configuration.
fn written(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tagwarden.json");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn refused(text: &str) -> Vec<String> {
    let (folder, path) = written(text);
    let folder = format!("{}/", folder.path().display());
    let error = file(&path).unwrap_err().to_string();
    error
        .lines()
        .map(|line| line.replace(&folder, ""))
        .collect()
}

fn variables(pairs: &[(&str, &str)]) -> Result<Layer, Vec<String>> {
    let pairs = pairs.iter();
    let pairs = pairs.map(|(name, value)| (OsString::from(name), OsString::from(value)));
    environment(pairs).map_err(|errors| errors.iter().map(ToString::to_string).collect())
}

fn flags(line: &str) -> Layer {
    use clap::{Args as _, FromArgMatches as _};
    let command = Flags::augment_args(clap::Command::new("x"));
    let words = std::iter::once("x").chain(line.split_whitespace());
    let matches = command.try_get_matches_from(words).unwrap();
    Flags::from_arg_matches(&matches).unwrap().0
}

fn texts(configured: &Configured, setting: &'static setting::Setting) -> Vec<String> {
    Read::new(configured).all(setting)
}

#[test]
fn the_highest_layer_that_names_a_setting_has_it() {
    let (_folder, path) = written(
        r#"{"$schema": "s", "server": {"listen": ["1.1.1.1:1", "2.2.2.2:2"], "workers": 3, "drain": 4},
            "admin": {"listen": "none"}}"#,
    );
    let layers = [
        flags("--listen 5.5.5.5:5 --listen 6.6.6.6:6"),
        variables(&[
            ("TAGWARDEN_SERVER__LISTEN", "3.3.3.3:3 4.4.4.4:4"),
            ("TAGWARDEN_SERVER__WORKERS", "7"),
        ])
        .unwrap(),
        file(&path).unwrap(),
    ];
    let check = |skipped: usize, listen: &[&str], workers: &[&str], drain: &[&str]| {
        let configured = Configured::new(layers[skipped..].to_vec());
        assert_eq!(texts(&configured, &setting::LISTEN), listen);
        assert_eq!(texts(&configured, &setting::WORKERS), workers);
        assert_eq!(texts(&configured, &setting::DRAIN), drain);
    };
    check(0, &["5.5.5.5:5", "6.6.6.6:6"], &["7"], &["4"]);
    check(1, &["3.3.3.3:3", "4.4.4.4:4"], &["7"], &["4"]);
    check(2, &["1.1.1.1:1", "2.2.2.2:2"], &["3"], &["4"]);
    check(3, &["127.0.0.1:4770"], &[], &["10"]);
}

#[test]
fn what_the_file_cannot_say_is_refused_with_its_place() {
    let text = "{\n  \"server\": {\"listen\": \"x\", \"port\": 1, \"drain\": \"10\"},\n  \"x\": {},\n  \
                \"tls\": {\"cert\": 1, \"cert\": 2},\n  \"admin\": []\n}";
    assert_eq!(
        refused(text),
        [
            "tagwarden.json:2:24: /server/listen: expected an array, found a string",
            "tagwarden.json:2:29: /server/port: unknown member `port`",
            "tagwarden.json:2:49: /server/drain: expected a whole number, found a string",
            "tagwarden.json:3:3: /x: unknown member `x`",
            "tagwarden.json:4:19: /tls/cert: expected a string, found a number",
            "tagwarden.json:4:22: /tls/cert: member `cert` is given twice",
            "tagwarden.json:5:12: /admin: expected an object, found an array",
        ]
    );
    assert_eq!(
        refused("{"),
        ["tagwarden.json:1:1: not JSON: EOF while parsing an object"]
    );
    let long = format!("{{}}{}", " ".repeat(MAX_FILE_BYTES));
    assert_eq!(
        refused(&long),
        ["tagwarden.json:1:1: longer than 1048576 bytes"]
    );
    let missing = file(Path::new("/nowhere/x.json")).unwrap_err().to_string();
    assert!(missing.starts_with("/nowhere/x.json: "), "{missing}");
}

#[test]
fn variables_of_ours_are_known_or_refused() {
    let foreign = [
        ("TAGWARDEN_SERVICE_HOST", "10.0.0.1"),
        ("TAGWARDEN_MANAGE", "unix:/m"),
        ("OTHER__KEY", "x"),
    ];
    assert_eq!(variables(&foreign), Ok(Layer::default()));
    let wrong = [
        ("TAGWARDEN_SERVER__PORT", "1"),
        ("TAGWARDEN_TLS_CERT", "c"),
        ("TAGWARDEN_SERVER__LISTEN", "127.0.0.1:1"),
    ];
    let expected = [
        "unknown variable `TAGWARDEN_SERVER__PORT`",
        "unknown variable `TAGWARDEN_TLS_CERT`: it is `TAGWARDEN_TLS__CERT`",
    ];
    assert_eq!(variables(&wrong), Err(expected.map(str::to_owned).into()));
    let name = OsString::from("TAGWARDEN_TLS__KEY");
    let errors = environment([(name, OsString::from_vec(vec![0xff]))].into_iter());
    assert_eq!(
        errors.unwrap_err()[0].to_string(),
        "TAGWARDEN_TLS__KEY: not UTF-8"
    );
}

#[test]
fn values_are_refused_where_they_were_told() {
    let (_folder, path) = written(r#"{"server": {"workers": 0}}"#);
    let layers = vec![
        flags("--admin nowhere --drain 99999999999999999999"),
        variables(&[("TAGWARDEN_TLS__CLIENT_AUTH", "maybe")]).unwrap(),
        file(&path).unwrap(),
    ];
    let configured = Configured::new(layers);
    let mut read = Read::new(&configured);
    assert_eq!(read.one::<std::net::IpAddr>(&setting::ADMIN), None);
    assert_eq!(read.whole::<u64>(&setting::DRAIN), None);
    assert_eq!(read.one::<u8>(&setting::TLS_CLIENT_AUTH), None);
    assert_eq!(read.whole::<u64>(&setting::WORKERS), None);
    let errors = read.finish(()).unwrap_err();
    let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let folder = format!("{}:1:24: /server/workers: ", path.display());
    assert_eq!(
        told,
        [
            "--admin: invalid IP address syntax",
            "--drain: expected a whole number from 0 to 86400, found `99999999999999999999`",
            "TAGWARDEN_TLS__CLIENT_AUTH: invalid digit found in string",
            &*format!("{folder}expected a whole number from 1 to 1024, found `0`"),
        ]
    );
}

#[test]
fn what_is_shown_says_the_same() {
    let layers = vec![
        flags("--bundle /b --workers 2 --tls-spiffe spiffe://d/a --tls-spiffe spiffe://d/b"),
        variables(&[("TAGWARDEN_ADMIN__LISTEN", "none")]).unwrap(),
    ];
    let first = shown(&Configured::new(layers));
    let (_folder, path) = written(&first.to_string());
    let second = shown(&Configured::new(vec![file(&path).unwrap()]));
    assert_eq!(first, second);
    assert_eq!(first["source"]["bundle"], "/b");
    assert_eq!(first["server"]["workers"], 2);
    assert_eq!(first["tls"]["spiffe"][1], "spiffe://d/b");
    assert_eq!(first["server"]["listen"][0], "127.0.0.1:4770");
    assert_eq!(first["admin"]["listen"], "none");
    assert_eq!(first["manage"], serde_json::Value::Null);
}

#[test]
fn the_table_is_sound() {
    for (number, setting) in SETTINGS.into_iter().enumerate() {
        let section = SECTIONS.iter().any(|(name, _)| *name == setting.section);
        assert!(section, "{setting:?}");
        let is_name = |text: &str| !text.is_empty() && !text.contains("__");
        assert!(is_name(setting.key) && is_name(setting.flag) && is_name(setting.value));
        assert!(!setting.help.is_empty() && !setting.help.ends_with('.'));
        for other in &SETTINGS[..number] {
            assert_ne!(setting.variable(), other.variable());
            assert_ne!(setting.flag, other.flag);
        }
        if let (Kind::Whole { least, most }, Some(default)) = (setting.kind, setting.default) {
            assert!((least..=most).contains(&default.parse().unwrap()));
        }
    }
}
