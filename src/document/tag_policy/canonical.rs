//! An effective policy as JSON, in the canonical form (tag-policy 6).
//!
//! Policy keys in lower case; `tag_key` always; `tag_value` always in `tags`, `["*"]` if it was never
//! set; `enforced_for` and `report_required_tag_for` only with something in them; other emptied
//! lists stay.

use serde_json::{Map, Value, json};

use crate::model::tag_policy::{
    AllowedValues, Corrections, EffectivePolicy, EffectiveStatement, ListSetting, ScopeMember,
    Section, Setting, TypePattern, ValuePattern, ValueRegex,
};

/// The canonical form.
pub fn canonical(policy: &EffectivePolicy) -> Value {
    let mut sections: Map<String, Value> = Map::new();
    for statement in &policy.statements {
        let section = sections
            .entry(statement.section.as_str())
            .or_insert_with(|| json!({}));
        if let Value::Object(section) = section {
            section.insert(statement.key.to_string(), self::statement(statement));
        }
    }
    Value::Object(sections)
}

fn statement(statement: &EffectiveStatement) -> Value {
    let mut members = Map::new();
    let mut put = |setting: Setting, value: Option<Value>| {
        if let Some(value) = value {
            members.insert(setting.as_str().to_owned(), value);
        }
    };
    let list = Setting::List;
    put(Setting::TagKey, Some(json!(&*statement.tag_key)));
    put(list(ListSetting::TagValue), values(statement));
    let types = |list: &[TypePattern]| texts(list.iter().map(TypePattern::as_str));
    let names = |list: &[_]| texts(list.iter().map(|name: &std::sync::Arc<str>| &**name));
    let scope = statement.resource_type_scope.as_deref().map(types);
    put(list(ListSetting::ResourceTypeScope), scope);
    let scope = statement.region_scope.as_deref().map(names);
    put(list(ListSetting::RegionScope), scope);
    let scope = statement.rg_scope.as_deref().map(names);
    put(list(ListSetting::RgScope), scope);
    let some = |list: &[TypePattern]| (!list.is_empty()).then(|| types(list));
    put(
        list(ListSetting::EnforcedFor),
        some(&statement.enforced_for),
    );
    let reported = some(&statement.report_required_tag_for);
    put(list(ListSetting::ReportRequiredTagFor), reported);
    let correction = statement.correction.as_ref().map(corrections);
    put(Setting::TagValueCorrection, correction);
    Value::Object(members)
}

fn values(statement: &EffectiveStatement) -> Option<Value> {
    match &statement.values {
        AllowedValues::Unset => match statement.section {
            Section::Tags => Some(json!(["*"])),
            Section::RgInherit | Section::MatchedTags => None,
        },
        AllowedValues::Listed(list) => Some(texts(list.iter().map(ValuePattern::as_str))),
        AllowedValues::Matched(list) => Some(texts(list.iter().map(ValueRegex::as_str))),
    }
}

fn texts<'a>(texts: impl Iterator<Item = &'a str>) -> Value {
    texts.map(Value::from).collect()
}

fn corrections(corrections: &Corrections) -> Value {
    let mut values = Map::new();
    for one in &corrections.0 {
        let mut scope = Map::new();
        for (member, value) in &one.scope {
            let name = match member {
                ScopeMember::ResourceGroup => ScopeMember::RESOURCE_GROUP,
                ScopeMember::Tag(key) => key,
            };
            scope.insert(name.to_owned(), json!(&**value));
        }
        let entry = json!({"value_type": "Tag", "value_scope": scope});
        values.insert(one.value.to_string(), entry);
    }
    Value::Object(values)
}
