//! Bytes that are nearly a policy: refused or taken, never a panic, positions inside the text.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use tagwarden::document::{PolicyOptions, read_policy};
use tagwarden::model::catalog::Catalog;
use tagwarden::model::settings::Settings;
use tagwarden::model::statement::DocumentLayer;

const LAYERS: [DocumentLayer; 3] = [
    DocumentLayer::Identity,
    DocumentLayer::Resource,
    DocumentLayer::Trust,
];

/// The documents of the golden tests: every element stands in one of them.
fn seeds() -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/errors/identity");
    let names = [
        "conditions",
        "elements",
        "warnings",
        "pointers",
        "tag_write",
    ];
    let read = |name: &str| fs::read(folder.join(name).with_extension("json")).unwrap();
    names.into_iter().map(read).collect()
}

/// A seed with some bytes changed, cut short at some place.
fn mutated() -> impl Strategy<Value = String> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
    let cut = prop_oneof![Just(None), any::<prop::sample::Index>().prop_map(Some)];
    (prop::sample::select(seeds()), changes, cut).prop_map(|(mut bytes, changes, cut)| {
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn check(text: &str) {
    for layer in LAYERS {
        let options = PolicyOptions {
            layer,
            settings: &Settings::default(),
            catalog: &Catalog::default(),
        };
        let Err(errors) = read_policy(text, &options) else {
            continue;
        };
        for error in errors.iter() {
            let line = text
                .split('\n')
                .nth(error.at.line - 1)
                .expect("a line of the text");
            assert!(error.at.column <= line.chars().count() + 1, "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mutated_documents_never_panic(text in mutated()) {
        check(&text);
    }

    #[test]
    fn arbitrary_text_never_panics(text in any::<String>()) {
        check(&text);
    }
}
