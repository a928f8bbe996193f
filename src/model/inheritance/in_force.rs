//! The rules that act in an account: what a change of rules is told by.
//!
//! A rule that is defined, enabled, and of an account whose feature is on acts; everything else that
//! is authored of it stands for nothing here, so that two states in which the same rules act alike
//! are equal.

use std::collections::BTreeMap;

use super::{ApplyToExisting, ExistingSupport, Inheritance, RuleId, RuleSetting, Status, TagScope};
use crate::model::arn::AccountId;

/// The rules that act in an account whose feature is on; there may be none.
pub type RulesInForce = BTreeMap<RuleId, RuleInForce>;

/// A rule that acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleInForce {
    /// Which keys it carries.
    pub scope: TagScope,
    /// Whether associations that are older than it are filled: it was asked to, and it can.
    pub fills: ApplyToExisting,
}

impl Inheritance {
    /// The rules that act in an account; `None`: its feature is off.
    pub fn rules_in_force(&self, account: &AccountId) -> Option<RulesInForce> {
        let own = self.accounts.get(account)?;
        let rules = own.rules.iter();
        let rules = rules.filter_map(|(id, setting)| Some((id.clone(), self.rule(id, setting)?)));
        (own.feature == Status::Enabled).then(|| rules.collect())
    }

    fn rule(&self, id: &RuleId, setting: &RuleSetting) -> Option<RuleInForce> {
        let definition = self.definitions.get(id)?;
        let rule = RuleInForce {
            scope: setting.scope.clone(),
            fills: match definition.existing {
                ExistingSupport::Supported => setting.existing,
                ExistingSupport::Unsupported => ApplyToExisting::No,
            },
        };
        (setting.status == Status::Enabled).then_some(rule)
    }
}
