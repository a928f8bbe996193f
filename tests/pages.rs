//! Pages of `docs/` that repeat the code are held against it.

mod limits;

use std::fs;
use std::path::Path;

use tagwarden::document::settings::{NAMES, settings};
use tagwarden::document::{Source, read};
use tagwarden::model::settings::Settings;

fn page(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    fs::read_to_string(docs.join(name)).unwrap()
}

/// What is written between back-ticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The switches of the page with their values, as its first table tells them.
fn told(page: &str) -> Vec<(String, Vec<String>)> {
    let mut switches: Vec<(String, Vec<String>)> = Vec::new();
    let (first, _) = page.split_once("\n## ").unwrap();
    for line in first.lines().filter(|line| line.starts_with('|')).skip(2) {
        let cells: Vec<&str> = line.split('|').collect();
        if let [name] = quoted(cells[1])[..] {
            switches.push((name.to_owned(), Vec::new()));
        }
        let value = quoted(cells[2])[0].to_owned();
        switches.last_mut().unwrap().1.push(value);
    }
    switches
}

fn read_switch(name: &str, value: &str) -> Result<Settings, String> {
    let text = format!(r#"{{"{name}": "{value}"}}"#);
    let read = read(Source::new(&text), 1_000, settings);
    read.map(|read| read.value)
        .map_err(|errors| errors.to_string())
}

#[test]
fn every_switch_and_value_is_on_its_page() {
    let told = told(&page("settings.md"));
    let names: Vec<&str> = told.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, NAMES);
    for (name, values) in &told {
        let error = read_switch(name, "?").unwrap_err();
        let expected = error.split("expected").nth(1).unwrap();
        let expected = expected.split("found").next().unwrap();
        assert_eq!(*values, quoted(expected), "{name}");
        for (place, value) in values.iter().enumerate() {
            let is_default = read_switch(name, value) == Ok(Settings::default());
            assert_eq!(is_default, place == 0, "{name} = {value}");
        }
    }
}
