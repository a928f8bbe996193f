//! The tags of one resource against a statement that applies: key, case, value and absence.

use crate::engine::compliance::scope::{is_enforced, names};
use crate::engine::compliance::{Interception, Rules, Verdict, Violation, is_alibaba};
use crate::engine::tagging::{Hand, Held, Operation, Tagging};
use crate::model::catalog::TagCapability;
use crate::model::compliance::ViolationCode;
use crate::model::settings::{StrongVerification, UntagInterception};
use crate::model::tag_policy::{Dialect, EffectiveStatement, Section, TagKeyOrigin};
use crate::model::text::eq_fold;

/// A statement that applies.
pub(super) struct Judge<'v, 'a> {
    rules: &'v Rules<'a>,
    tagging: &'v Tagging<'a>,
    statement: &'a EffectiveStatement,
    verdict: &'v mut Verdict<'a>,
}

impl<'v, 'a> Judge<'v, 'a> {
    pub(super) fn new(
        rules: &'v Rules<'a>,
        tagging: &'v Tagging<'a>,
        statement: &'a EffectiveStatement,
        verdict: &'v mut Verdict<'a>,
    ) -> Self {
        Self {
            rules,
            tagging,
            statement,
            verdict,
        }
    }

    pub(super) fn tags(&mut self) {
        let tagging = self.tagging;
        let mut found = Found::default();
        for held in tagging.near(&self.statement.tag_key) {
            if *held.tag.key == *self.statement.tag_key {
                found.exact = true;
                self.value(held);
            } else if eq_fold(held.tag.key, &self.statement.tag_key) {
                found.variant = true;
                self.variant(held);
            }
        }
        let missing = !found.exact && !found.variant && self.asks_for_key();
        if missing {
            let intercepted = self.of_absence();
            let key = &self.statement.tag_key;
            self.tell(ViolationCode::Missing, key, None, intercepted);
        }
        self.verdict.evaluated |= match self.rules.policy.dialect {
            Dialect::Alibaba | Dialect::Huawei => true,
            // tag-policy 3.1: AWS: "only tags whose key equals a policy key ignoring case are judged".
            Dialect::Aws => found.exact || found.variant || missing,
        };
    }

    /// tag-policy 7, rule 24: "judge the exact key normally", a case variant beside it or not.
    fn value(&mut self, held: &Held<'a>) {
        if !self.statement.values.allow(held.tag.value) {
            let intercepted = self.of_hand(held.by);
            let (key, value) = (held.tag.key, Some(held.tag.value));
            self.tell(self.value_code(), key, value, intercepted);
        }
    }

    /// tag-policy 8: "a case variant suppresses MISSING and its own value is not judged".
    fn variant(&mut self, held: &Held<'a>) {
        if !self.takes_variants() {
            // A variant that is left hides no removal.
            let intercepted = self.of_hand(held.by).max(self.of_removal());
            let (key, value) = (held.tag.key, Some(held.tag.value));
            self.tell(ViolationCode::KeyCase, key, value, intercepted);
        }
    }

    fn value_code(&self) -> ViolationCode {
        match self.statement.section {
            Section::Tags | Section::RgInherit => ViolationCode::Value,
            Section::MatchedTags => ViolationCode::ValueRegex,
        }
    }

    /// tag-policy 8: "AWS with `tag_key` not explicit: case variants are compliant where
    /// `report_required_tag_for` names the type, KEY_CASE elsewhere".
    fn takes_variants(&self) -> bool {
        match self.rules.policy.dialect {
            Dialect::Alibaba | Dialect::Huawei => false,
            Dialect::Aws => {
                self.statement.tag_key_origin == TagKeyOrigin::PolicyKey && self.is_required()
            }
        }
    }

    fn is_required(&self) -> bool {
        let kind = self.tagging.question.resource_type;
        names(&self.statement.report_required_tag_for, kind)
    }

    /// Whether the absence of the key is a violation.
    fn asks_for_key(&self) -> bool {
        match self.rules.policy.dialect {
            Dialect::Alibaba => true,
            Dialect::Huawei => false,
            // tag-policy 3.1: AWS: "only resources that carry or once carried a tag".
            Dialect::Aws => self.is_required() && self.tagging.was_ever_tagged(),
        }
    }

    fn is_enforced(&self) -> bool {
        is_enforced(self.statement, self.tagging.question.resource_type)
    }

    /// tag-policy 7, rule 19: "only tags in the request; old bad tags never block".
    fn of_hand(&self, by: Hand) -> Interception {
        let capable = match self.tagging.question.operation {
            Operation::Detect => return Interception::Reported,
            Operation::Create(_) => self.rules.capabilities.holds(TagCapability::Create),
            Operation::Write { .. } => self.rules.capabilities.holds(TagCapability::Tag),
        };
        interception(capable && self.is_enforced() && by == Hand::Request)
    }

    fn of_absence(&self) -> Interception {
        match self.tagging.question.operation {
            Operation::Detect => Interception::Reported,
            // tag-policy 3.2: strong verification: "a create that lacks a policy tag … is blocked".
            Operation::Create(_) => {
                let capabilities = [TagCapability::Create, TagCapability::StrongVerification];
                let capable = capabilities
                    .into_iter()
                    .all(|one| self.rules.capabilities.holds(one));
                interception(capable && self.is_enforced() && self.is_strong())
            }
            Operation::Write { .. } => self.of_removal(),
        }
    }

    /// security 6.6: "Under strong verification, removing a required key is intercepted".
    fn of_removal(&self) -> Interception {
        let guarded = match self.rules.settings.untag_interception {
            UntagInterception::Strong => self.is_strong(),
            UntagInterception::Never => false,
            UntagInterception::Always => true,
        };
        let capable = self.rules.capabilities.holds(TagCapability::Tag);
        let required = guarded && capable && self.is_enforced() && self.asks_for_key();
        interception(required && self.tagging.takes_away(&self.statement.tag_key))
    }

    fn is_strong(&self) -> bool {
        is_alibaba(self.rules.policy)
            && self.rules.settings.strong_verification == StrongVerification::On
    }

    fn tell(
        &mut self,
        code: ViolationCode,
        key: &'a str,
        value: Option<&'a str>,
        intercepted: Interception,
    ) {
        let statement = self.statement;
        self.verdict.violations.push(Violation {
            code,
            key,
            value,
            statement,
            intercepted,
        });
    }
}

#[derive(Debug, Default)]
struct Found {
    exact: bool,
    variant: bool,
}

fn interception(stopped: bool) -> Interception {
    if stopped {
        Interception::Intercepted
    } else {
        Interception::Reported
    }
}
