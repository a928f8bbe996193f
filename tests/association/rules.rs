//! The shipped rules are those of the vendor's table.

use std::fs;
use std::path::Path;

use tagwarden::document::shipped::inheritance_rules;
use tagwarden::model::inheritance::{ExistingSupport, OnAssociate, OnDissociate, RuleId};

#[test]
fn seventeen_rules_are_shipped_as_the_table_has_them() {
    let rules = inheritance_rules();
    assert_eq!(rules.len(), 17);
    let table =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/conformance/assoc_rules.jsonl");
    let Ok(table) = fs::read_to_string(&table) else {
        println!("skipped: {} is not here", table.display());
        return;
    };
    for line in table.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let id = row["setting_name"].as_str().unwrap();
        let rule = &rules[&RuleId::try_from(id).unwrap()];
        assert_eq!(row["primary"], *rule.primary, "{id}");
        assert_eq!(row["associated"], *rule.associated, "{id}");
        let inherits = rule.on_associate == OnAssociate::Inherit;
        assert_eq!(row["inherit_on"].is_string(), inherits, "{id}");
        let deletes = rule.on_dissociate == OnDissociate::Delete;
        assert_eq!(row["delete_inherited_on"].is_string(), deletes, "{id}");
        let fills = rule.existing == ExistingSupport::Supported;
        assert_eq!(row["applies_to_existing"], fills, "{id}");
    }
}
