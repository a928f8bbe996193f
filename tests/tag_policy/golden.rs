//! Tag policies with the text of their errors and warnings, and trees of effective policies.
//!
//! A folder of `golden/tag_policy` is named by the dialect in which its documents are read. A
//! bundle of `golden/effective` has two texts beside it: the tree of every node at every stage, and
//! the warnings of its chains.
//! `UPDATE_GOLDEN=1 cargo test --test main golden` writes what is found as what is expected.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tagwarden::document::bundle::Strictness;
use tagwarden::document::tag_policy::{canonical, read_tag_policy};
use tagwarden::management::load::load;
use tagwarden::model::organization::TagMode;
use tagwarden::model::tag_policy::Dialect;
use tagwarden::offline::effective::{notes, tree};
use tagwarden::snapshot::tags::TagNode;

fn below(folder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(folder)
}

fn children(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn check(path: &Path, found: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(path, found).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert_eq!(found, expected, "{}", path.display());
}

#[test]
fn errors_and_warnings_of_tag_policies() {
    let mut count = 0;
    for dialect in Dialect::ALL {
        for path in children(&below("tag_policy").join(dialect.as_str())) {
            if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                let text = fs::read_to_string(&path).unwrap();
                check(&path.with_extension("txt"), &told(&text, dialect));
                count += 1;
            }
        }
    }
    assert!(count > 0);
}

fn told(text: &str, dialect: Dialect) -> String {
    let mut lines = String::new();
    match read_tag_policy(text, Some(dialect)) {
        Ok(parsed) => {
            for lint in &parsed.lints {
                writeln!(lines, "{} {lint}", lint.kind.code()).unwrap();
            }
        }
        Err(errors) => {
            for error in errors.iter() {
                writeln!(lines, "{} {error}", error.kind.code()).unwrap();
            }
        }
    }
    lines
}

#[test]
fn trees_of_effective_policies() {
    let bundles = children(&below("effective")).into_iter();
    for bundle in bundles.filter(|path| path.is_dir()) {
        let loaded = load(&bundle, Strictness::Strict);
        let snapshot = loaded.unwrap_or_else(|error| panic!("{error}")).snapshot;
        let mut nodes: Vec<&TagNode> = snapshot.tags.accounts().map(|node| &**node).collect();
        nodes.sort_by_key(|node| (node.organization.clone(), node.path().join("/")));
        let mut found = String::new();
        for node in nodes {
            for mode in [TagMode::Enforce, TagMode::Warn, TagMode::Report] {
                writeln!(found, "{}", tree(node, mode).trim_end()).unwrap();
                let policy = &node.policies.of(mode).policy;
                writeln!(found, "  = {}\n", canonical(policy)).unwrap();
            }
        }
        check(&bundle.with_extension("txt"), &found);
        // What `check` warns of beside the documents.
        let mut warnings = String::new();
        for (code, line) in notes(&snapshot.tags) {
            writeln!(warnings, "{code} {line}").unwrap();
        }
        check(&bundle.with_extension("warnings.txt"), &warnings);
    }
}
