//! What a statement is for: types, regions and resource groups (tag-policy 3.1, security 6.6).

use std::sync::Arc;

use crate::engine::request::KnownGroup;
use crate::engine::tagging::{Operation, Question, Tagging};
use crate::model::tag_policy::{Dialect, EffectiveStatement, Section, TypePattern};

/// Whether a resource is in the scope of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum Within {
    No,
    /// Something that the scope asks for is not known.
    Unknown,
    Yes,
}

/// Whether the statement enforces anything on the type.
pub(super) fn is_enforced(statement: &EffectiveStatement, resource_type: &str) -> bool {
    // tag-policy 3.2: "`matched_tags` and `rg_inherit` have no `enforced_for`".
    statement.section == Section::Tags && names(&statement.enforced_for, resource_type)
}

pub(super) fn names(types: &[TypePattern], resource_type: &str) -> bool {
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
