//! A module imports only from modules above it in `src/lib.rs`, so the import graph has no cycle.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The modules, in the order of `lib.rs`.
fn order() -> Vec<String> {
    let text = fs::read_to_string(root().join("lib.rs")).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_suffix(';'));
    let named = lines.filter_map(|line| line.split_once("mod "));
    named.map(|(_, name)| name.to_owned()).collect()
}

/// The files below a folder.
fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The modules that the code of a file names: `crate::<module>`, and the groups of `crate::{…}`.
fn named(text: &str) -> Vec<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let code: Vec<&str> = code.collect();
    let code = code.join("\n");
    assert!(!code.contains("crate::{"), "one `use` for each module");
    let paths = code.match_indices("crate::");
    let after = paths.map(|(place, path)| &code[place + path.len()..]);
    let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
    after
        .map(|rest| {
            rest.split(|letter| !is_part(letter))
                .next()
                .unwrap()
                .to_owned()
        })
        .collect()
}

#[test]
fn modules_import_from_above_only() {
    let order = order();
    let place = |name: &str| order.iter().position(|known| known == name);
    let mut found = Vec::new();
    files(&root(), &mut found);
    let mut imports = 0;
    for path in found {
        let inside = path.strip_prefix(root()).unwrap().with_extension("");
        let module = inside.iter().next().unwrap().to_str().unwrap();
        let Some(own) = place(module) else {
            assert!(
                matches!(module, "lib" | "main"),
                "{module} is not in lib.rs"
            );
            continue;
        };
        for name in named(&fs::read_to_string(&path).unwrap()) {
            let other = place(&name);
            let allowed = other.is_some_and(|other| other <= own);
            assert!(allowed, "{} names crate::{name}", path.display());
            imports += 1;
        }
    }
    assert!(imports > 300, "only {imports} imports");
}
