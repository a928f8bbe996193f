//! Properties of an entity: those that are ours are read, those of others passed over.

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize as _, Deserializer};
use serde_json::{Map, Value};

/// The properties of an entity that say something.
pub(super) trait Properties: DeserializeOwned {
    /// Their names.
    const NAMES: &'static [&'static str];
}

/// Reads the properties that are ours. A name that is nearly one of them is refused: to pass it over
/// would answer another question.
pub(super) fn ours<'de, D: Deserializer<'de>, P: Properties>(reader: D) -> Result<P, D::Error> {
    let sent = Map::deserialize(reader)?;
    for name in sent.keys() {
        if let Some(meant) = P::NAMES.iter().find(|ours| is_nearly(name, ours)) {
            let said = format!("the property `{name}` is not known: `{meant}` is");
            return Err(D::Error::custom(said));
        }
    }
    serde_json::from_value(Value::Object(sent)).map_err(D::Error::custom)
}

/// Whether two names differ, and only by case, by what parts their words or by a plural.
fn is_nearly(name: &str, ours: &str) -> bool {
    name != ours && bare(name) == bare(ours)
}

fn bare(name: &str) -> String {
    let letters = name.chars().filter(|letter| letter.is_alphanumeric());
    let mut bare: String = letters.flat_map(char::to_lowercase).collect();
    if bare.ends_with('s') {
        bare.pop();
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_nearly_ours_is_told_from_one_of_others() {
        for (name, ours, expected) in [
            ("tags", "tags", false),
            ("tag", "tags", true),
            ("Tags", "tags", true),
            ("tagWrite", "tag_write", true),
            ("resource-groups", "resource_group", true),
            ("department", "tags", false),
            ("", "kind", false),
        ] {
            assert_eq!(is_nearly(name, ours), expected, "{name}");
        }
    }
}
