//! What is in force, as a file that says the same.

use serde_json::{Map, Value};

use super::setting::{Kind, SECTIONS, SETTINGS};
use super::{Configured, Given};

/// A file that tells what all layers together tell, defaults too. What has neither a value nor a
/// default is left out.
pub fn shown(configured: &Configured) -> Value {
    let mut whole = Map::new();
    for (section, _) in SECTIONS {
        let settings = SETTINGS.into_iter();
        let settings = settings.filter(|setting| setting.section == section);
        let members: Map<String, Value> = settings
            .filter_map(|setting| configured.find(setting))
            .map(|given| (given.setting.key.to_owned(), value(given)))
            .collect();
        if !members.is_empty() {
            whole.insert(section.to_owned(), members.into());
        }
    }
    whole.into()
}

fn value(given: Given) -> Value {
    let Given { setting, texts } = given;
    let mut texts = texts.into_iter().map(|text| text.text);
    match setting.kind {
        Kind::List => texts.collect(),
        Kind::Text | Kind::Word(_) => texts.next().into(),
        Kind::Whole { .. } => {
            let text = texts.next().unwrap_or_default();
            text.parse::<u64>().map_or(Value::String(text), Value::from)
        }
    }
}
