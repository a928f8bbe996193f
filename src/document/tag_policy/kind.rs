//! What sort of policy a text holds, told by the names of its members (design, section 8).

use serde_json::{Map, Value};

use crate::model::tag_policy::Dialect;

/// The sorts of policy documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DocumentSort {
    /// A RAM policy: `Version` or `Statement`.
    RamPolicy,
    /// `{"dialect": …, "policy": …}`
    WrappedTagPolicy,
    /// A native tag policy, with the dialect that it is read in when none is named.
    TagPolicy(Dialect),
    /// Neither, or no JSON object.
    Unknown,
}

const SECTIONS: [&str; 3] = ["tags", "rg_inherit", "matched_tags"];
const ALIBABA_SECTIONS: [&str; 2] = ["rg_inherit", "matched_tags"];
const ALIBABA_SETTINGS: [&str; 4] = [
    "resource_type_scope",
    "region_scope",
    "rg_scope",
    "tag_value_correction",
];

/// Tells the sort of a text by the members at its root.
pub fn sort_of(text: &str) -> DocumentSort {
    let Some(root) = object(text) else {
        return DocumentSort::Unknown;
    };
    let has = |name: &str| root.contains_key(name);
    if has("Version") || has("Statement") {
        DocumentSort::RamPolicy
    } else if has("dialect") {
        DocumentSort::WrappedTagPolicy
    } else if SECTIONS.iter().any(|name| named(&root, name)) {
        DocumentSort::TagPolicy(dialect_in(&root))
    } else {
        DocumentSort::Unknown
    }
}

/// The dialect in which a native document is read when none is named: Alibaba where a section or
/// setting is Alibaba's own, else AWS.
pub(super) fn dialect_of(text: &str) -> Dialect {
    object(text).map_or(Dialect::Aws, |root| dialect_in(&root))
}

fn object(text: &str) -> Option<Map<String, Value>> {
    if text.len() > super::MAX_DOCUMENT_BYTES {
        return None;
    }
    serde_json::from_str(text).ok()
}

/// AWS takes the names of sections in any case.
fn named(root: &Map<String, Value>, name: &str) -> bool {
    root.keys().any(|key| key.eq_ignore_ascii_case(name))
}

fn dialect_in(root: &Map<String, Value>) -> Dialect {
    let mut statements = root.values().filter_map(Value::as_object).flatten();
    let own_setting = statements.any(|(_, statement)| {
        let has = |name| statement.get(name).is_some();
        ALIBABA_SETTINGS.into_iter().any(has)
    });
    if own_setting || ALIBABA_SECTIONS.iter().any(|name| root.contains_key(*name)) {
        Dialect::Alibaba
    } else {
        Dialect::Aws
    }
}
