//! Effective policies of 50 keys, and 20 tags that comply with them or do not.

use std::sync::Arc;

use tagwarden::engine::compliance::Rules;
use tagwarden::engine::request::KnownGroup;
use tagwarden::engine::tagging::{Inheritance, Operation, Question, Tags};
use tagwarden::model::catalog::TagCapabilities;
use tagwarden::model::compliance::TagHistory;
use tagwarden::model::settings::Settings;
use tagwarden::model::tag::TagRef;
use tagwarden::model::tag_policy::{
    AllowedValues, Dialect, EffectivePolicy, EffectiveStatement, Fit, Section, TagKeyOrigin,
    TypePattern, ValuePattern,
};

/// How many keys the policy names, and how many tags are sent.
const KEYS: usize = 50;
const TAGS: usize = 20;

/// A policy and the tags that are sent.
pub(crate) struct Case {
    policy: EffectivePolicy,
    settings: Settings,
    tags: Vec<(String, String)>,
}

impl Case {
    /// Tags that comply. Alibaba asks for every key of a statement that applies: there the 30 keys
    /// that are not sent are asked for in another region.
    pub(crate) fn compliant(dialect: Dialect) -> Self {
        let tags = (0..TAGS).map(|place| (key(sent(place)), format!("value-{}", place % 5)));
        let mut statements: Box<[_]> = (0..KEYS).map(|place| statement(dialect, place)).collect();
        for (place, statement) in statements.iter_mut().enumerate() {
            let is_sent = (0..TAGS).any(|tag| sent(tag) == place);
            if dialect == Dialect::Alibaba {
                let region = if is_sent { "cn-hangzhou" } else { "cn-beijing" };
                statement.region_scope = Some([Arc::from(region)].into());
            }
        }
        Self {
            policy: EffectivePolicy {
                dialect,
                statements,
            },
            settings: Settings::default(),
            tags: tags.collect(),
        }
    }

    /// Every fourth value is wrong.
    pub(crate) fn wrong(dialect: Dialect) -> Self {
        let mut case = Self::compliant(dialect);
        for (_, value) in case.tags.iter_mut().step_by(4) {
            value.push('!');
        }
        case
    }

    pub(crate) fn sent(&self) -> Vec<TagRef<'_>> {
        let tags = self.tags.iter();
        tags.map(|(key, value)| TagRef { key, value }).collect()
    }

    pub(crate) fn question<'a>(sent: &'a [TagRef<'a>]) -> Question<'a> {
        Question {
            resource_type: "ecs:instance",
            region: Some("cn-hangzhou"),
            group: KnownGroup::Some("rg-1"),
            current: Tags::Sent(&[]),
            operation: Operation::Create(sent),
            inheritance: Inheritance::Unknown,
            history: TagHistory::Unknown,
        }
    }

    pub(crate) fn rules(&self) -> Rules<'_> {
        Rules {
            policy: &self.policy,
            settings: &self.settings,
            capabilities: TagCapabilities::ALL,
        }
    }
}

/// The place of the key of a tag among the keys of the policy.
fn sent(tag: usize) -> usize {
    tag * 2
}

fn key(place: usize) -> String {
    let names = ["CostCenter", "Environment", "Owner", "Project", "Team"];
    format!("{}{place}", names.get(place % 5).unwrap_or(&"Key"))
}

fn statement(dialect: Dialect, place: usize) -> EffectiveStatement {
    let key = key(place);
    let values = (0..5).map(|value| Arc::<str>::from(format!("value-{value}")));
    let kind = match dialect {
        Dialect::Alibaba => "ecs:instance",
        Dialect::Huawei => "ecs:*",
        Dialect::Aws => "ecs:ALL_SUPPORTED",
    };
    EffectiveStatement {
        section: Section::Tags,
        key: key.to_lowercase().into(),
        tag_key: key.into(),
        tag_key_origin: TagKeyOrigin::Written,
        values: AllowedValues::Listed(values.map(ValuePattern::from).collect()),
        resource_type_scope: None,
        region_scope: None,
        rg_scope: None,
        enforced_for: [TypePattern::from(Arc::<str>::from(kind))].into(),
        report_required_tag_for: Box::default(),
        correction: None,
        fit: Fit::Whole,
    }
}
