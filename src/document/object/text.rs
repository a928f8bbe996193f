//! Documents taken apart and put together as text, so that what is inside keeps every byte.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// The members of an object: name and text.
pub(super) type Members<'t> = BTreeMap<String, &'t RawValue>;

/// The members of an object.
pub(super) fn members(text: &str) -> serde_json::Result<Members<'_>> {
    serde_json::from_str(text)
}

/// The elements of an array that may be missing.
pub(super) fn items<'t>(array: Option<&&'t RawValue>) -> serde_json::Result<Vec<&'t RawValue>> {
    array.map_or(Ok(Vec::new()), |array| serde_json::from_str(array.get()))
}

/// The text of a string that must be there.
pub(super) fn string(value: Option<&RawValue>) -> serde_json::Result<String> {
    serde_json::from_str(value.map_or("null", RawValue::get))
}

/// An object of these members, in their order, on one line but for what stands inside.
pub(super) fn object<'t>(members: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
    let mut text = String::from("{");
    for (place, (name, value)) in members.into_iter().enumerate() {
        if place > 0 {
            text.push_str(", ");
        }
        text.push_str(&quoted(name));
        text.push_str(": ");
        text.push_str(value);
    }
    text.push('}');
    text
}

/// A string as JSON.
pub(super) fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
