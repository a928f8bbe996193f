//! Steps of a case that change the rules, or the feature.

use crate::document::case::Step;
use crate::model::inheritance::{AccountInheritance, Authority, RuleId, RuleSetting, Status};

/// What a step makes of the settings of the account.
pub(super) fn govern(own: &mut AccountInheritance, step: &Step) -> Result<(), String> {
    match step {
        Step::EnableFeature => own.feature = Status::Enabled,
        Step::DisableFeature => own.feature = Status::Disabled,
        Step::Enable {
            rule,
            scope,
            existing,
        } => {
            let setting = RuleSetting {
                status: Status::Enabled,
                scope: scope.clone(),
                existing: *existing,
                authority: Authority::ServiceRole,
            };
            own.rules.insert(rule.clone(), setting);
        }
        Step::Update {
            rule,
            scope,
            existing,
        } => {
            let setting = known(own, rule)?;
            setting.scope = scope.clone();
            setting.existing = existing.unwrap_or(setting.existing);
        }
        Step::Disable { rule } => known(own, rule)?.status = Status::Disabled,
        Step::Resource { .. }
        | Step::Remove { .. }
        | Step::Group { .. }
        | Step::Move { .. }
        | Step::Link(_)
        | Step::Unlink(_)
        | Step::Tag { .. }
        | Step::Untag { .. }
        | Step::Remediate { .. } => {}
    }
    Ok(())
}

fn known<'o>(
    own: &'o mut AccountInheritance,
    rule: &RuleId,
) -> Result<&'o mut RuleSetting, String> {
    let setting = own.rules.get_mut(rule);
    setting.ok_or_else(|| format!("rule `{rule}` was never enabled"))
}
