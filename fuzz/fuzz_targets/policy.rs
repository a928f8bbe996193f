//! Bytes to a RAM policy: refused or taken, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tagwarden::document::{PolicyOptions, read_policy};
use tagwarden::model::{catalog::Catalog, settings::Settings, statement::DocumentLayer};

fuzz_target!(|text: &str| {
    let (settings, catalog) = (&Settings::default(), &Catalog::default());
    for layer in [DocumentLayer::Identity, DocumentLayer::Trust] {
        let _told = read_policy(
            text,
            &PolicyOptions {
                layer,
                settings,
                catalog,
            },
        );
    }
});
