//! Tag policies, each of a node below the one before, divided by U+001E: refused, or merged and
//! judged alike by engine and reference.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tagwarden::compiler::effective::{Regexes, merge};
use tagwarden::document::tag_policy::{canonical, read_tag_policy};
use tagwarden::engine::compliance::Rules;
use tagwarden::model::catalog::TagCapabilities;
use tagwarden::model::compliance::{Inheritance, TagHistory, TaggingOperation, TaggingQuestion};
use tagwarden::model::settings::Settings;
use tagwarden::model::tag_policy::{Dialect, Fit, TagPolicy};
use tagwarden::offline::comply::comply_by;
use tagwarden::reference::compliance::{TagRules, comply};
use tagwarden::reference::tag_policy::effective;

fuzz_target!(|text: &str| {
    for dialect in Dialect::ALL {
        let read = |text| read_tag_policy(text, Some(dialect)).map(|read| read.value);
        let policies: Result<Vec<TagPolicy>, _> = text.split('\u{1e}').map(read).collect();
        let Ok(policies) = policies else { continue };
        let levels: Vec<_> = policies
            .iter()
            .map(|policy| vec![("p".into(), policy)])
            .collect();
        let Ok(merged) = merge(dialect, &levels, &mut Regexes::default()) else {
            continue;
        };
        let policy = &*merged.policy;
        // The reference knows no limits.
        if policy.statements.iter().all(|one| one.fit == Fit::Whole) {
            let chain: Vec<_> = policies.iter().map(|policy| vec![policy]).collect();
            assert_eq!(canonical(policy), effective(dialect, &chain));
        }
        let (settings, capabilities) = (&Settings::default(), TagCapabilities::ALL);
        let tags: Vec<_> = policy
            .statements
            .iter()
            .take(10)
            .map(|one| (one.tag_key.to_string(), one.key.to_string()))
            .collect();
        for operation in [
            TaggingOperation::Detect,
            TaggingOperation::Create(tags.clone()),
        ] {
            let question = TaggingQuestion {
                resource_type: "ecs:instance".to_owned(),
                region: Some("cn-hangzhou".to_owned()),
                group: Some(Some("rg-1".to_owned())),
                current: tags.clone(),
                operation,
                inheritance: Inheritance::Group(tags.clone()),
                history: TagHistory::Tagged,
            };
            let found = comply_by(
                &Rules {
                    policy,
                    settings,
                    capabilities,
                },
                &question,
            );
            let told = comply(
                &TagRules {
                    policy,
                    settings,
                    capabilities,
                },
                &question,
            );
            assert_eq!(found.unwrap(), told);
        }
    }
});
