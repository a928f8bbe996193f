//! Rules and the feature are set anew: what was inherited forgets or stays, and what is there
//! already inherits.

use super::{Directory, Event, Failures, Source, setting};
use crate::model::inheritance::{
    ApplyToExisting, ExistingSupport, Inheritance, RuleId, RuleSetting,
};

impl Directory<'_> {
    /// The rules, or the feature, are set anew.
    pub fn govern(&mut self, next: &Inheritance) -> Failures {
        let before = std::mem::replace(&mut self.inheritance, next.clone());
        self.forget(&before);
        let mut failures = Failures::new();
        for rule in before.definitions.keys() {
            failures.extend(self.fill_existing(&before, rule));
        }
        failures
    }

    /// tag-policy 7, rule 44: "rule scope narrowed, rule or feature disabled: tags stay and lose
    /// provenance".
    fn forget(&mut self, before: &Inheritance) {
        let after = self.inheritance.clone();
        for resource in self.resources.values_mut() {
            for (key, (_, source)) in &mut resource.tags {
                let Source::Primary(_, rule) = &*source else {
                    continue;
                };
                let was = setting(before, &resource.account, rule);
                let is = setting(&after, &resource.account, rule);
                let carried = |setting: Option<&RuleSetting>| {
                    setting.is_some_and(|setting| setting.scope.holds(key))
                };
                if was.is_some() && !carried(is) {
                    *source = Source::Own;
                }
            }
        }
    }

    /// tag-policy 4.2: "ExistingStatus for existing resources".
    fn fill_existing(&mut self, before: &Inheritance, rule: &RuleId) -> Failures {
        let mut failures = Failures::new();
        let links: Vec<(String, String)> = self
            .links()
            .into_iter()
            .filter(|(_, _, of)| of == rule.as_str())
            .map(|(primary, associated, _)| (primary, associated))
            .collect();
        for (primary, associated) in links {
            let Some(resource) = self.resources.get(&associated) else {
                continue;
            };
            let was = setting(before, &resource.account, rule.as_str());
            let is = setting(&self.inheritance, &resource.account, rule.as_str());
            let supported = self
                .definition(rule.as_str())
                .is_some_and(|rule| rule.existing == ExistingSupport::Supported);
            let Some(is) = is.filter(|is| supported && is.existing == ApplyToExisting::Yes) else {
                continue;
            };
            let changed =
                was.is_none_or(|was| was.scope != is.scope || was.existing != is.existing);
            if changed {
                let mut event = Event::default();
                self.fill(&primary, &associated, rule.as_str(), &mut event);
                failures.extend(self.carry(event));
            }
        }
        failures
    }
}
