//! A bundle directory and its objects say the same.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::any;
use tagwarden::document::bundle::{BundleFiles, Strictness, read_bundle};
use tagwarden::document::object::{Document, Memory, Objects, join, read_objects, split};
use tagwarden::model::bundle::Bundle;
use tagwarden::model::object::{AccountObject, ObjectId, SharedPolicy};
use tagwarden::source::files::read_directory;

use super::{generate, run};
use crate::support::generate::Tape;

fn read(files: &BundleFiles) -> Bundle {
    read_bundle(files, Strictness::Strict).unwrap().bundle
}

/// The directory form with all policies of a directory as lines of one file.
fn as_lines(files: &BundleFiles) -> BundleFiles {
    let mut lines: BTreeMap<String, String> = BTreeMap::new();
    let mut made = BundleFiles::default();
    for (path, content) in files.iter() {
        let (directory, file) = path.rsplit_once('/').unwrap_or(("", path));
        let name = file.strip_suffix(".json").unwrap_or(file);
        let text = std::str::from_utf8(content).unwrap().replace('\n', " ");
        let line = match directory.rsplit('/').next() {
            Some("policies" | "system" | "control") => {
                format!("{{\"name\": \"{name}\", \"policy\": {text}}}\n")
            }
            Some("tag" | "resource") => {
                format!("{{\"name\": \"{name}\", {}\n", text.trim_start_matches('{'))
            }
            _ => {
                made.insert(path, content);
                continue;
            }
        };
        let all = lines.entry(format!("{directory}/all.jsonl")).or_default();
        all.push_str(&line);
    }
    for (path, text) in lines {
        made.insert(path, text);
    }
    made
}

/// The objects whose text is a policy's own.
fn policies(objects: &Objects) -> Objects {
    let is_policy = |id: &ObjectId| {
        let shared = [SharedPolicy::System, SharedPolicy::Control];
        match id {
            ObjectId::Shared(sort, _) => shared.contains(sort),
            ObjectId::Account(_, object) => matches!(object, AccountObject::Policy(_)),
            ObjectId::Settings
            | ObjectId::Callers
            | ObjectId::Routes
            | ObjectId::Catalog(_)
            | ObjectId::Organization(_)
            | ObjectId::Resources => false,
        }
    };
    let found = objects.iter().filter(|(id, _)| is_policy(id));
    found.map(|(id, text)| (id.clone(), text.clone())).collect()
}

fn check(objects: &Objects) {
    let bundle = read_objects(objects).unwrap().bundle;
    let files = join(objects).unwrap();
    assert_eq!(read(&files), bundle, "joined");
    let again = split(&files).unwrap();
    assert_eq!(read_objects(&again).unwrap().bundle, bundle, "split");
    assert_eq!(policies(&again), policies(objects), "byte for byte");
    assert_eq!(join(&again).unwrap(), files, "stable");
    let lines = as_lines(&files);
    assert_eq!(read(&lines), bundle, "lines");
    let again = split(&lines).unwrap();
    assert_eq!(read_objects(&again).unwrap().bundle, bundle, "split lines");
    let on_one_line = |(id, text): (_, Document)| {
        let text = std::str::from_utf8(&text).unwrap().replace('\n', " ");
        (id, Document::from(text.trim().as_bytes()))
    };
    let expected: Objects = policies(objects).into_iter().map(on_one_line).collect();
    assert_eq!(policies(&again), expected, "lines byte for byte");
}

#[test]
fn a_directory_and_its_objects_say_the_same() {
    let checked = std::cell::Cell::new(0);
    run(vec(any::<u16>(), 400..1_200), |tape| {
        let mut tape = Tape::new(tape);
        let mut memory = Memory::default();
        memory.apply(generate::start(&mut tape));
        for _ in 0..12 {
            let touched = memory.apply(generate::changes(&mut tape));
            if read_objects(&memory.objects()).is_err() {
                memory.revert(touched);
            }
        }
        let objects = memory.objects();
        if read_objects(&objects).is_ok() {
            checked.set(checked.get() + 1);
            check(&objects);
        }
        Ok(())
    });
    assert!(checked.get() > 5, "{checked:?}");
}

#[test]
fn the_examples_are_the_same_as_objects() {
    for name in ["eci", "organization", "tag-governance"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("examples")
            .join(name);
        let files = read_directory(&path).unwrap();
        let objects = split(&files).unwrap();
        assert_eq!(
            read_objects(&objects).unwrap().bundle,
            read(&files),
            "{name}"
        );
        check(&objects);
    }
}

#[test]
fn what_no_object_can_hold_is_refused() {
    let refused = |path: &str, content: &str| {
        let mut files = BundleFiles::default();
        files.insert("bundle.json", r#"{"format": 1}"#);
        files.insert(path, content);
        split(&files).unwrap_err().to_string()
    };
    let catalog = r#"{"source": "test", "actions": {}}"#;
    let expected =
        "catalog/a b.json:1:1: not a name of 1 to 128 letters, digits, `-`, `_`, `.` and `@`";
    assert_eq!(refused("catalog/a b.json", catalog), expected);
    let policy =
        r#"{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]"#;
    let line = format!(
        r#"{{"name": "long", "policy": {policy}{}}}}}"#,
        " ".repeat(70_000)
    );
    let expected = "policies/system/all.jsonl:2:1: longer than 65536 bytes";
    assert_eq!(
        refused("policies/system/all.jsonl", &format!("\n{line}\n")),
        expected
    );
}
