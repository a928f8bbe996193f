//! One statement against the tags of one resource.

use std::sync::Arc;

use super::{Interception, Rules, Verdict, Violation, is_alibaba};
use crate::engine::request::KnownGroup;
use crate::engine::tagging::{Hand, Inheritance, Operation, Question, Shape, Tagging};
use crate::model::catalog::TagCapability;
use crate::model::compliance::ViolationCode;
use crate::model::settings::{StrongVerification, UntagInterception};
use crate::model::tag_policy::{
    Dialect, EffectiveStatement, Fit, Section, TagKeyOrigin, TypePattern,
};
use crate::model::text::eq_fold;

/// Whether a resource is in the scope of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Within {
    No,
    /// Something that the scope asks for is not known.
    Unknown,
    Yes,
}

/// Judges by one statement.
pub(super) fn judge<'a>(
    rules: &Rules<'a>,
    tagging: &Tagging<'a>,
    statement: &'a EffectiveStatement,
    verdict: &mut Verdict<'a>,
) {
    if statement.fit == Fit::OverLimit {
        over_limit(tagging, statement, verdict);
    }
    if statement.section == Section::RgInherit {
        return inheritance(rules, tagging, statement, verdict);
    }
    if !applies(rules.policy.dialect, tagging, statement) {
        return;
    }
    let mut judge = Judge {
        rules,
        tagging,
        statement,
        verdict,
        enforced: is_enforced(statement, tagging.question.resource_type),
    };
    judge.tags();
}

/// Whether the statement enforces anything on the type.
fn is_enforced(statement: &EffectiveStatement, resource_type: &str) -> bool {
    // tag-policy 3.2: "`matched_tags` and `rg_inherit` have no `enforced_for`".
    statement.section == Section::Tags && names(&statement.enforced_for, resource_type)
}

fn names(types: &[TypePattern], resource_type: &str) -> bool {
    types.iter().any(|kind| kind.matches(resource_type))
}

/// Whether the statement is for the resource at all.
pub(in crate::engine) fn applies(
    dialect: Dialect,
    tagging: &Tagging<'_>,
    statement: &EffectiveStatement,
) -> bool {
    // tag-policy 7, rule 17: without an expression "statement inert".
    if statement.is_inert() {
        return false;
    }
    let question = &tagging.question;
    match dialect {
        Dialect::Aws => true,
        // tag-policy 3.1: Huawei: "statement applies to types in `enforced_for` only".
        Dialect::Huawei => names(&statement.enforced_for, question.resource_type),
        Dialect::Alibaba => match within(statement, question) {
            Within::Yes => true,
            Within::No => false,
            // security 6.6: what is unknown "of an enforced, scoped statement counts as matching".
            Within::Unknown => {
                !matches!(question.operation, Operation::Detect)
                    && is_enforced(statement, question.resource_type)
            }
        },
    }
}

/// tag-policy 3.1: "resource type AND region AND resource group; each unset scope means all".
pub(in crate::engine) fn within(statement: &EffectiveStatement, question: &Question<'_>) -> Within {
    let types = statement.resource_type_scope.as_deref();
    if types.is_some_and(|types| !names(types, question.resource_type)) {
        return Within::No;
    }
    let region = question
        .region
        .map_or(KnownGroup::Unknown, KnownGroup::Some);
    let region = listed(statement.region_scope.as_deref(), region);
    let group = listed(statement.rg_scope.as_deref(), question.group);
    match (region, group) {
        (Within::No, _) | (_, Within::No) => Within::No,
        (Within::Unknown, _) | (_, Within::Unknown) => Within::Unknown,
        (Within::Yes, Within::Yes) => Within::Yes,
    }
}

/// Whether a name, as far as it is known, is in a list; `None`: there is no list.
fn listed(scope: Option<&[Arc<str>]>, found: KnownGroup<'_>) -> Within {
    let Some(scope) = scope else {
        return Within::Yes;
    };
    match found {
        // tag-policy 7, rule 4: an emptied list "matches nothing".
        _ if scope.is_empty() => Within::No,
        KnownGroup::None => Within::No,
        KnownGroup::Unknown => Within::Unknown,
        KnownGroup::Some(found) if scope.iter().any(|name| **name == *found) => Within::Yes,
        KnownGroup::Some(_) => Within::No,
    }
}

/// security 6.4: "writes under that statement are intercepted until it fits again".
fn over_limit<'a>(
    tagging: &Tagging<'a>,
    statement: &'a EffectiveStatement,
    verdict: &mut Verdict<'a>,
) {
    let operation = &tagging.question.operation;
    let written = operation.set().iter().map(|tag| tag.key);
    let mut written = written.chain(operation.removed().iter().copied());
    let writes = written.any(|key| eq_fold(key, &statement.tag_key));
    if writes && within(statement, &tagging.question) != Within::No {
        verdict.evaluated = true;
        verdict.violations.push(Violation {
            code: ViolationCode::OverLimit,
            key: &statement.tag_key,
            value: None,
            statement,
            intercepted: Interception::Intercepted,
        });
    }
}

/// tag-policy 3.4: "Not in a group or group lacks the tag → not applicable. Different or missing on
/// the resource → non-compliant".
fn inheritance<'a>(
    rules: &Rules<'a>,
    tagging: &Tagging<'a>,
    statement: &'a EffectiveStatement,
    verdict: &mut Verdict<'a>,
) {
    let Some(value) = inherited(rules, tagging, statement) else {
        return;
    };
    verdict.evaluated = true;
    let own = tagging.after().find(|tag| *tag.key == *statement.tag_key);
    if own.is_none_or(|own| own.value != value) {
        verdict.violations.push(Violation {
            code: ViolationCode::RgTagNotInherited,
            key: &statement.tag_key,
            value: own.map(|own| own.value),
            statement,
            // tag-policy 7, rule 35: "inherited value is not intercepted but reported".
            intercepted: Interception::Reported,
        });
    }
}

/// The value that a resource takes from its group under a statement.
pub(in crate::engine) fn inherited<'a>(
    rules: &Rules<'a>,
    tagging: &Tagging<'a>,
    statement: &EffectiveStatement,
) -> Option<&'a str> {
    let question = &tagging.question;
    let applies = is_alibaba(rules.policy)
        && rules.capabilities.holds(TagCapability::RgInherit)
        && matches!(question.group, KnownGroup::Some(_))
        && within(statement, question) == Within::Yes;
    match question.inheritance {
        Inheritance::Group(tags) if applies => tags.get(&statement.tag_key),
        Inheritance::Group(_) | Inheritance::Unknown | Inheritance::Excluded => None,
    }
}

/// A statement that applies.
struct Judge<'v, 'a> {
    rules: &'v Rules<'a>,
    tagging: &'v Tagging<'a>,
    statement: &'a EffectiveStatement,
    verdict: &'v mut Verdict<'a>,
    enforced: bool,
}

impl<'a> Judge<'_, 'a> {
    fn tags(&mut self) {
        let (tagging, statement) = (self.tagging, self.statement);
        let shape = Shape::of(&statement.tag_key);
        let mut found = Found::default();
        for held in &tagging.after {
            if !held.shape.may_equal(shape) {
                continue;
            }
            if *held.tag.key == *statement.tag_key {
                found.exact = true;
                if !statement.values.allow(held.tag.value) {
                    let intercepted = self.of_hand(held.by);
                    self.tell(
                        self.value_code(),
                        held.tag.key,
                        Some(held.tag.value),
                        intercepted,
                    );
                }
            } else if eq_fold(held.tag.key, &statement.tag_key) {
                found.variant = true;
                // tag-policy 8: "a case variant suppresses MISSING and its own value is not judged".
                if !self.takes_variants() {
                    // A variant that is left hides no removal.
                    let intercepted = self.of_hand(held.by).max(self.of_removal());
                    let (key, value) = (held.tag.key, Some(held.tag.value));
                    self.tell(ViolationCode::KeyCase, key, value, intercepted);
                }
            }
        }
        let missing = !found.exact && !found.variant && self.asks_for_key();
        if missing {
            let intercepted = self.of_absence();
            self.tell(
                ViolationCode::Missing,
                &statement.tag_key,
                None,
                intercepted,
            );
        }
        self.verdict.evaluated |= match self.rules.policy.dialect {
            Dialect::Alibaba | Dialect::Huawei => true,
            // tag-policy 3.1: AWS: "only tags whose key equals a policy key ignoring case are judged".
            Dialect::Aws => found.exact || found.variant || missing,
        };
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

    /// tag-policy 7, rule 19: "only tags in the request; old bad tags never block".
    fn of_hand(&self, by: Hand) -> Interception {
        let capable = match self.tagging.question.operation {
            Operation::Detect => return Interception::Reported,
            Operation::Create(_) => self.rules.capabilities.holds(TagCapability::Create),
            Operation::Write { .. } => self.rules.capabilities.holds(TagCapability::Tag),
        };
        interception(self.enforced && capable && by == Hand::Request)
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
                interception(self.enforced && capable && self.is_strong())
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
        let required = guarded && capable && self.enforced && self.asks_for_key();
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
