//! Bad documents with the text of their errors and warnings, positions included.
//!
//! `UPDATE_GOLDEN=1 cargo test --test main golden` writes what is found as what is expected.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tagwarden::document::routes::{MAX_ROUTES_BYTES, routes};
use tagwarden::document::{
    DocumentErrors, Parsed, PolicyOptions, Source, read, read_policy, shipped,
};
use tagwarden::model::catalog::Catalog;
use tagwarden::model::settings::{NotResource, Operators, Settings, UnknownKeys};
use tagwarden::model::statement::DocumentLayer;

/// The folders of `golden/errors`, and how the documents in each are read.
fn folders() -> [(&'static str, DocumentLayer, Settings); 6] {
    let plain = Settings::default();
    let warn = Settings {
        unknown_keys: UnknownKeys::Warn,
        not_resource: NotResource::Aws,
        ..plain.clone()
    };
    let documented = Settings {
        operators: Operators::Documented,
        ..plain.clone()
    };
    [
        ("identity", DocumentLayer::Identity, plain.clone()),
        ("session", DocumentLayer::Session, plain.clone()),
        ("resource", DocumentLayer::Resource, plain.clone()),
        ("trust", DocumentLayer::Trust, plain),
        ("warn", DocumentLayer::Identity, warn),
        ("documented", DocumentLayer::Identity, documented),
    ]
}

#[test]
fn errors_and_warnings_of_documents() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/errors");
    let mut count = 0;
    for (folder, layer, settings) in folders() {
        let options = PolicyOptions {
            layer,
            settings: &settings,
            catalog: &Catalog::default(),
        };
        for path in documents(&root.join(folder)) {
            check(&path, |text| read_policy(text, &options));
            count += 1;
        }
    }
    assert!(count > 0, "no document in {}", root.display());
}

#[test]
fn errors_and_warnings_of_routes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/errors/routes");
    for path in documents(&root) {
        check(&path, |text| {
            read(Source::new(text), MAX_ROUTES_BYTES, |at, sink| {
                routes(at, shipped::catalog(), sink)
            })
        });
    }
}

/// Holds what is told of a document against the file beside it.
fn check<T>(path: &Path, read: impl FnOnce(&str) -> Result<Parsed<T>, DocumentErrors>) {
    let found = told(&fs::read_to_string(path).unwrap(), read);
    let expected = path.with_extension("txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&expected, &found).unwrap();
    }
    let expected = fs::read_to_string(&expected).unwrap_or_default();
    assert_eq!(found, expected, "{}", path.display());
}

fn documents(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.sort();
    assert!(!paths.is_empty(), "no document in {}", folder.display());
    paths
}

/// What is told of a document, a line each, with the code of each.
fn told<T>(text: &str, read: impl FnOnce(&str) -> Result<Parsed<T>, DocumentErrors>) -> String {
    let mut lines = String::new();
    match read(text) {
        Ok(parsed) => {
            for lint in &parsed.lints {
                writeln!(lines, "{} {lint}", lint.kind.code()).unwrap();
            }
        }
        Err(errors) => {
            for error in errors.iter() {
                writeln!(lines, "{} {error}", error.kind.code()).unwrap();
            }
            if errors.omitted() > 0 {
                writeln!(lines, "and {} more", errors.omitted()).unwrap();
            }
        }
    }
    lines
}
