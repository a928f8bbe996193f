//! The JSON Schema of the file, for editors and for checks before a roll-out.

use serde_json::{Map, Value, json};

use super::setting::{Kind, SECTIONS, SETTINGS, Setting};

/// The schema, in the form of 2020-12.
pub fn schema() -> Value {
    let mut sections = Map::new();
    let at = json!({"type": "string", "description": "Where editors find this schema."});
    sections.insert("$schema".to_owned(), at);
    for (name, heading) in SECTIONS {
        let settings = SETTINGS.into_iter();
        let settings = settings.filter(|setting| setting.section == name);
        let members: Map<String, Value> = settings
            .map(|setting| (setting.key.to_owned(), member(setting)))
            .collect();
        let section = json!({
            "type": "object",
            "description": format!("{heading}."),
            "additionalProperties": false,
            "properties": members,
        });
        sections.insert(name.to_owned(), section);
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The configuration of tagwarden serve",
        "type": "object",
        "additionalProperties": false,
        "properties": sections,
    })
}

fn member(setting: &Setting) -> Value {
    let mut member = match setting.kind {
        Kind::Text => json!({"type": "string"}),
        Kind::List => json!({"type": "array", "items": {"type": "string"}}),
        Kind::Whole { least, most } => {
            json!({"type": "integer", "minimum": least, "maximum": most})
        }
        Kind::Word(words) => json!({"enum": words}),
    };
    if let Value::Object(members) = &mut member {
        let (flag, variable) = (setting.flag, setting.variable());
        let said = format!("{}. Flag --{flag}, variable {variable}.", setting.help);
        members.insert("description".to_owned(), said.into());
        if let Some(default) = setting.default {
            members.insert("default".to_owned(), value(setting.kind, default));
        }
    }
    member
}

fn value(kind: Kind, text: &str) -> Value {
    match kind {
        Kind::Text | Kind::Word(_) => text.into(),
        Kind::List => vec![text].into(),
        Kind::Whole { .. } => text.parse::<u64>().map_or(Value::Null, Value::from),
    }
}
