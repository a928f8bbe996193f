//! Files of a bundle, each its path and its content, divided by U+001E: refused or compiled.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tagwarden::compiler::compile;
use tagwarden::document::bundle::{BundleFiles, Strictness, read_bundle};

fuzz_target!(|text: &str| {
    let mut files = BundleFiles::default();
    for (path, content) in text
        .split('\u{1e}')
        .filter_map(|file| file.split_once('\n'))
    {
        files.insert(path, content);
    }
    for strictness in [Strictness::Strict, Strictness::Quarantine] {
        let _told = read_bundle(&files, strictness).map(|loaded| compile(&loaded.bundle));
    }
});
