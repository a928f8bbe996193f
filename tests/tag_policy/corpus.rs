//! Tag policies that people published: each loads, or is refused at a position.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tagwarden::document::tag_policy::read_tag_policy;
use tagwarden::model::tag_policy::Dialect;

#[derive(Deserialize)]
struct Entry {
    file: String,
    #[serde(default)]
    dialect: Option<String>,
}

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/corpus/tagpolicy");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: {} is not here", folder.display());
    None
}

fn entries(folder: &Path) -> Vec<Entry> {
    let index = fs::read_to_string(folder.join("index.jsonl")).unwrap();
    let lines = index.lines().filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn dialect(entry: &Entry) -> Option<Dialect> {
    let name = entry.dialect.as_deref()?;
    Dialect::ALL
        .into_iter()
        .find(|dialect| dialect.as_str() == name)
}

#[test]
fn published_tag_policies_load() {
    let Some(folder) = folder() else { return };
    let mut count = 0;
    for entry in entries(&folder) {
        let text = fs::read_to_string(folder.join(&entry.file)).unwrap();
        let read = read_tag_policy(&text, dialect(&entry));
        assert!(read.is_ok(), "{}: {}", entry.file, read.unwrap_err());
        count += 1;
    }
    println!("loaded {count}");
    assert!(count > 0);
}

#[test]
fn malformed_tag_policies_are_refused_at_a_position() {
    let Some(folder) = folder() else { return };
    let folder = folder.join("malformed");
    let mut count = 0;
    for entry in entries(&folder) {
        let text = fs::read_to_string(folder.join(&entry.file)).unwrap();
        for asked in [None, dialect(&entry)] {
            let errors = read_tag_policy(&text, asked).unwrap_err();
            println!("{}", errors.in_file(&entry.file));
            assert!(errors.first().at.line > 0, "{}", entry.file);
        }
        count += 1;
    }
    assert!(count > 0);
}
