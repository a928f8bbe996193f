//! Judges tags by an effective tag policy: `validate(&Rules, &Tagging) -> Verdict` (tag-policy 3).
//!
//! Violations describe the tags after the operation; interception looks only at what the operation
//! writes, so that old wrong tags never keep a repair of another one from happening. Nothing is
//! allocated where the tags comply.
//!
//! Not here: merging policies (`compiler`), and the tags that a repair would write
//! ([`super::correction`]).

mod judge;
mod kind;
mod merge;
mod scope;

use super::correction::{self, Rewrite};
use super::tagging::{Operation, Tagging};
use crate::model::catalog::{Catalog, TagCapabilities};
use crate::model::compliance::ViolationCode;
use crate::model::settings::Settings;
use crate::model::tag_policy::{Dialect, EffectivePolicy, EffectiveStatement, TypePattern};

pub(super) use judge::inherited;
pub use kind::{TypeMismatch, TypeSources, resource_type};
pub use merge::{Staged, StagedVerdict, validate_staged};
pub(super) use scope::applies;

/// By what tags are judged.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// The effective policy.
    pub policy: &'a EffectivePolicy,
    /// The switches.
    pub settings: &'a Settings,
    /// What tag policies can do with the resource's type.
    pub capabilities: TagCapabilities,
}

/// What tags come to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verdict<'a> {
    /// Whether any statement applied.
    pub evaluated: bool,
    /// What is wrong, by code and key; none twice.
    pub violations: Vec<Violation<'a>>,
    /// What a repair writes, by key. Only where nothing is done.
    pub corrected: Vec<Rewrite<'a>>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Violation<'a> {
    /// What it is.
    pub code: ViolationCode,
    /// The key of the tag; where it is missing, the key that is asked for.
    pub key: &'a str,
    /// The value of the tag, where it is there.
    pub value: Option<&'a str>,
    /// The first statement that finds it.
    pub statement: &'a EffectiveStatement,
    /// Whether the operation is intercepted for it.
    pub intercepted: Interception,
}

/// What becomes of an operation for one violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Interception {
    /// It goes on; the violation is told.
    Reported,
    /// It is refused.
    Intercepted,
}

impl Verdict<'_> {
    /// Whether nothing is wrong.
    pub fn is_compliant(&self) -> bool {
        self.violations.is_empty()
    }

    /// Whether the operation is intercepted.
    pub fn is_intercepted(&self) -> bool {
        let mut found = self.violations.iter();
        found.any(|violation| violation.intercepted == Interception::Intercepted)
    }
}

/// Judges the tags after an operation.
pub fn validate<'a>(rules: &Rules<'a>, tagging: &Tagging<'a>) -> Verdict<'a> {
    let mut verdict = Verdict::default();
    for statement in &rules.policy.statements {
        judge::judge(rules, tagging, statement, &mut verdict);
    }
    merge::sort(&mut verdict.violations);
    let looks = matches!(tagging.question.operation, Operation::Detect);
    if looks && !verdict.violations.is_empty() {
        verdict.corrected = correction::corrected(rules, tagging);
    }
    verdict
}

/// What one statement alone says of the tags after an operation.
pub fn validate_by<'a>(
    rules: &Rules<'a>,
    tagging: &Tagging<'a>,
    statement: &'a EffectiveStatement,
) -> Verdict<'a> {
    let mut verdict = Verdict::default();
    judge::judge(rules, tagging, statement, &mut verdict);
    verdict
}

/// What tag policies can do with a type under a policy; `None`: the type is unknown, and a write
/// must be refused (security 6.6). A type that the policy names itself is known.
pub fn capabilities(
    catalog: &Catalog,
    policy: &EffectivePolicy,
    resource_type: &str,
) -> Option<TagCapabilities> {
    let listed = catalog.tag_capabilities(policy.dialect, resource_type);
    listed.or_else(|| names_type(policy, resource_type).then_some(TagCapabilities::ALL))
}

/// Whether some list of a policy holds a type by its own name.
fn names_type(policy: &EffectivePolicy, resource_type: &str) -> bool {
    policy.statements.iter().any(|statement| {
        let scope = statement.resource_type_scope.iter().flatten();
        let lists = scope
            .chain(&statement.enforced_for)
            .chain(&statement.report_required_tag_for);
        let mut types = lists.map(TypePattern::as_str);
        types.any(|kind| kind.eq_ignore_ascii_case(resource_type))
    })
}

/// Whether a policy can intercept anything at all.
pub fn can_intercept(policy: &EffectivePolicy) -> bool {
    let mut statements = policy.statements.iter();
    statements.any(|statement| !statement.enforced_for.is_empty())
}

/// Whether the dialect knows strong verification and repairs.
pub(super) fn is_alibaba(policy: &EffectivePolicy) -> bool {
    match policy.dialect {
        Dialect::Alibaba => true,
        Dialect::Huawei | Dialect::Aws => false,
    }
}
