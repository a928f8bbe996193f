//! Which resources a statement is for (tag-policy 3.1, security 6.6).

use std::sync::Arc;

use super::{State, TagRules};
use crate::model::compliance::{TaggingOperation, TaggingQuestion};
use crate::model::tag_policy::{Dialect, EffectiveStatement, Section, TypePattern};

/// tag-policy 7, rules 57 and 58: without regard to case; `svc:*` and `svc:ALL_SUPPORTED` are
/// every type of a service.
pub(super) fn lists_type(types: &[TypePattern], kind: &str) -> bool {
    let kind = kind.to_lowercase();
    types.iter().any(|listed| {
        let listed = listed.as_str().to_lowercase();
        match listed.split_once(':') {
            Some((service, "*" | "all_supported")) => kind
                .split_once(':')
                .is_some_and(|(asked, _)| asked == service),
            Some(_) | None => listed == kind,
        }
    })
}

pub(super) fn is_enforced(statement: &EffectiveStatement, kind: &str) -> bool {
    statement.section == Section::Tags && lists_type(&statement.enforced_for, kind)
}

/// What one scope says of a resource: that it is in, out, or that nobody knows.
fn verdicts(statement: &EffectiveStatement, question: &TaggingQuestion) -> [Option<bool>; 3] {
    let among = |scope: &Option<Box<[Arc<str>]>>, found: &Option<Option<String>>| match scope {
        None => Some(true),
        Some(scope) if scope.is_empty() => Some(false),
        Some(scope) => match found {
            None => None,
            Some(None) => Some(false),
            Some(Some(found)) => Some(scope.iter().any(|name| **name == **found)),
        },
    };
    let types = statement.resource_type_scope.as_deref();
    let region = question.region.clone().map(Some);
    [
        Some(types.is_none_or(|types| lists_type(types, &question.resource_type))),
        among(&statement.region_scope, &region),
        among(&statement.rg_scope, &question.group),
    ]
}

/// Whether the resource is certainly outside.
pub(super) fn excluded(statement: &EffectiveStatement, question: &TaggingQuestion) -> bool {
    verdicts(statement, question).contains(&Some(false))
}

/// Whether the resource is certainly inside.
pub(super) fn included(statement: &EffectiveStatement, question: &TaggingQuestion) -> bool {
    verdicts(statement, question) == [Some(true); 3]
}

pub(super) fn applies(
    rules: &TagRules<'_>,
    state: &State<'_>,
    statement: &EffectiveStatement,
) -> bool {
    let (question, dialect) = (state.question, rules.policy.dialect);
    if statement.is_inert() {
        return false;
    }
    match dialect {
        Dialect::Aws => true,
        Dialect::Huawei => lists_type(&statement.enforced_for, &question.resource_type),
        // security 6.6: for an enforced statement what is unknown counts as inside on a write.
        Dialect::Alibaba => {
            let writes = question.operation != TaggingOperation::Detect;
            let enforced = is_enforced(statement, &question.resource_type);
            included(statement, question) || (writes && enforced && !excluded(statement, question))
        }
    }
}
