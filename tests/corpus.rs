//! Policies that people published: each loads, or is refused at a position.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tagwarden::document::{DocumentErrors, PolicyOptions, read_policy};
use tagwarden::model::catalog::Catalog;
use tagwarden::model::settings::Settings;
use tagwarden::model::statement::DocumentLayer;

/// The fewest documents that must load; the others hold placeholders in a closing place, principals
/// that are no principals, or break the grammar.
const LOADED: usize = 444;

#[derive(Deserialize)]
struct Entry {
    file: String,
    kind: String,
}

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/ram");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is not here", folder.display());
    None
}

fn read(text: &str, layer: DocumentLayer) -> Result<usize, DocumentErrors> {
    let options = PolicyOptions {
        layer,
        settings: &Settings::default(),
        catalog: &Catalog::default(),
    };
    read_policy(text, &options).map(|parsed| parsed.lints.len())
}

fn layer(kind: &str) -> DocumentLayer {
    match kind {
        "identity" => DocumentLayer::Identity,
        "control" => DocumentLayer::Control,
        "resource" => DocumentLayer::Resource,
        "trust" => DocumentLayer::Trust,
        other => panic!("kind {other}"),
    }
}

#[test]
fn published_policies_load_or_are_refused_at_a_position() {
    let Some(folder) = folder() else { return };
    let index = fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let (mut loaded, mut lints) = (0, 0);
    let mut refused: BTreeMap<&str, usize> = BTreeMap::new();
    for line in index.lines() {
        let entry: Entry = serde_json::from_str(line).unwrap();
        let text = fs::read_to_string(folder.join(&entry.file)).unwrap();
        match read(&text, layer(&entry.kind)) {
            Ok(found) => {
                loaded += 1;
                lints += found;
            }
            Err(errors) => {
                println!("{}", errors.in_file(&entry.file));
                let first = errors.first();
                assert!(first.at.line > 0 && first.at.column > 0, "{}", entry.file);
                *refused.entry(first.kind.code()).or_default() += 1;
            }
        }
    }
    println!("loaded {loaded} with {lints} warnings, refused {refused:?}");
    assert!(loaded >= LOADED, "{loaded} loaded");
}

#[test]
fn malformed_policies_are_refused() {
    let Some(folder) = folder() else { return };
    let mut count = 0;
    for entry in fs::read_dir(folder.join("malformed")).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_some_and(|extension| extension == "jsonl")
        {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let layers = [DocumentLayer::Identity, DocumentLayer::Trust];
        for layer in layers {
            assert!(
                read(&text, layer).is_err(),
                "{} as {layer:?}",
                path.display()
            );
        }
        count += 1;
    }
    println!("refused {count} malformed documents");
    assert!(count > 0);
}
