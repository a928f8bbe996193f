//! `docs/api.md` is what the protos say: every service, message, field and enum with its comment,
//! and every reason of an error with the places that name it.

mod markdown;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use prost::Message as _;
use prost_types::FileDescriptorSet;
use tagwarden::wire::DESCRIPTORS;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

#[test]
fn the_document_in_the_tree_is_the_one_that_is_made() {
    let descriptors = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let made = markdown::document(&descriptors, &made_of_sources());
    let path = root().join("docs/api.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &made).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap();
    assert!(kept == made, "UPDATE_GOLDEN=1 renews docs/api.md");
}

/// The reasons that sources make statuses of: texts in upper snake case.
fn reasons(text: &str) -> impl Iterator<Item = &str> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let texts = code.split('"').skip(1).step_by(2);
    texts.filter(|text| markdown::is_reason(text))
}

/// The reasons that statuses are made with.
fn made_of_sources() -> BTreeSet<String> {
    let mut files = vec![
        root().join("src/model/verdict.rs"),
        root().join("src/wire/status.rs"),
    ];
    for entry in fs::read_dir(root().join("src/wire/status")).unwrap() {
        files.push(entry.unwrap().path());
    }
    let texts = files.iter().map(|path| fs::read_to_string(path).unwrap());
    let found = texts.map(|text| reasons(&text).map(str::to_owned).collect::<Vec<_>>());
    found.flatten().collect()
}

#[test]
fn every_reason_is_named_in_the_protos() {
    let made = made_of_sources();
    assert!(made.len() > 40, "only {made:?}");
    let descriptors = FileDescriptorSet::decode(DESCRIPTORS).unwrap();
    let named = markdown::reasons(&descriptors);
    let missing: Vec<_> = made
        .iter()
        .filter(|reason| !named.contains_key(*reason))
        .collect();
    assert_eq!(missing, Vec::<&String>::new());
}
