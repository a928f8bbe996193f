//! Bundles: the examples are read without errors, and what is wrong is told with file and position.
//!
//! A directory below `golden/bundles` holds a bundle and `expected.txt`: each line an error, or
//! `quarantined` with its account and its errors, or a warning. Set `UPDATE_GOLDEN` to write them
//! anew.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use tagwarden::document::bundle::{
    BundleFiles, FileLint, Loaded, Quarantined, Strictness, read_bundle,
};
use tagwarden::document::case::read_cases;
use tagwarden::source::files::read_directory;

fn below(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn directories(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).unwrap();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.is_dir());
    found.sort();
    assert!(!found.is_empty(), "{}", path.display());
    found
}

#[test]
fn examples_are_bundles_without_errors_or_warnings() {
    let mut bundles = directories(&below("examples"));
    bundles.retain(|directory| directory.join("bundle.json").exists());
    for directory in bundles {
        let files = read_directory(&directory).unwrap();
        let loaded = read_bundle(&files, Strictness::Strict);
        let loaded = loaded.unwrap_or_else(|errors| panic!("{}:\n{errors}", directory.display()));
        let lints: Vec<String> = loaded.lints.iter().map(FileLint::to_string).collect();
        assert_eq!(lints, Vec::<String>::new(), "{}", directory.display());
        for entry in fs::read_dir(directory.join("tests")).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let cases = read_cases(&path.to_string_lossy(), &text);
            let cases = cases.unwrap_or_else(|errors| panic!("{errors}"));
            assert!(!cases.cases.is_empty() || !cases.compliance.is_empty());
        }
    }
}

#[test]
fn the_example_organization_says_what_its_files_say() {
    let files = read_directory(&below("examples/organization")).unwrap();
    let Loaded { bundle, .. } = read_bundle(&files, Strictness::Strict).unwrap();
    assert_eq!(bundle.accounts.len(), 2);
    let production = &bundle.accounts[0];
    assert_eq!(production.policies.len(), 2);
    assert_eq!(production.roles.len(), 3);
    assert_eq!(production.attachments.len(), 5);
    let chain = bundle.organizations[0].chain(&production.id).unwrap();
    let lengths: Vec<usize> = chain.iter().map(|level| level.len()).collect();
    assert_eq!(lengths, [0, 2, 2]);
    assert_eq!(bundle.resource_policies.len(), 1);
    assert_eq!(bundle.resources.len(), 6);
    assert!(bundle.catalog.actions["shop:listorders"].filterable);
    assert!(bundle.catalog.services.contains_key("shop"));
    assert!(bundle.catalog.services.contains_key("ecs"));
}

fn told(files: &BundleFiles) -> String {
    let mut text = String::new();
    match read_bundle(files, Strictness::Quarantine) {
        Err(errors) => text = errors.to_string(),
        Ok(loaded) => {
            for Quarantined { account, errors } in &loaded.quarantined {
                let _infallible = writeln!(text, "quarantined {account}:\n{errors}");
            }
            for lint in &loaded.lints {
                let _infallible = writeln!(text, "{lint}");
            }
        }
    }
    format!("{}\n", text.trim_end())
}

/// The files of a golden bundle; `expected.txt` is none of it.
fn golden_files(directory: &Path) -> BundleFiles {
    fn add(directory: &Path, prefix: &str, files: &mut BundleFiles) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                add(&path, &format!("{prefix}{name}/"), files);
            } else if name != "expected.txt" {
                files.insert(format!("{prefix}{name}"), fs::read(&path).unwrap());
            }
        }
    }
    let mut files = BundleFiles::default();
    add(directory, "", &mut files);
    files
}

#[test]
fn errors_of_bundles_are_as_written_down() {
    for directory in directories(&below("tests/golden/bundles")) {
        let found = told(&golden_files(&directory));
        let path = directory.join("expected.txt");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&path, &found).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap();
        assert_eq!(found, expected, "{}", directory.display());
    }
}

#[test]
fn a_strict_reader_refuses_what_quarantine_sets_apart() {
    let files = golden_files(&below("tests/golden/bundles/quarantine"));
    let loaded = read_bundle(&files, Strictness::Quarantine).unwrap();
    let errors = read_bundle(&files, Strictness::Strict).unwrap_err();
    let apart = loaded.quarantined.iter().map(|one| one.errors.iter().len());
    assert_eq!(errors.iter().len(), apart.sum::<usize>());
    let absent = &loaded.quarantined[0].account;
    assert!(
        loaded
            .bundle
            .accounts
            .iter()
            .all(|known| known.id != *absent)
    );
    assert!(!loaded.bundle.accounts.is_empty());
}

#[test]
fn any_bytes_are_refused_and_never_panic() {
    let files = read_directory(&below("examples/organization")).unwrap();
    for (path, content) in files.iter() {
        for cut in (0..content.len()).step_by(content.len() / 24 + 1) {
            let mut changed = files.clone();
            changed.insert(path, &content[..cut]);
            let _any = read_bundle(&changed, Strictness::Quarantine);
            let mut noise = content.to_vec();
            noise[cut] ^= 0xa5;
            changed.insert(path, noise);
            let _any = read_bundle(&changed, Strictness::Strict);
        }
    }
}
