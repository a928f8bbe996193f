//! Cases of compliance: an effective policy, a resource, an operation, and what they come to.

mod expected;
mod operation;
mod resource;

use self::expected::expected;
use self::operation::{Facts, Kind, Operation, operation};
use self::resource::{Nullable, Resource, resource};
use crate::document::cursor::{Cursor, Sink, Told};
use crate::document::tag_policy::effective_policy;
use crate::model::compliance::{Inheritance, TaggingAnswer, TaggingOperation, TaggingQuestion};
use crate::model::settings::Settings;
use crate::model::tag_policy::{Dialect, EffectivePolicy};

/// One case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComplianceCase {
    /// Its name in the file.
    pub id: String,
    /// The line that it stands on.
    pub line: usize,
    /// What tags are judged by.
    pub policy: EffectivePolicy,
    /// The switches.
    pub settings: Settings,
    /// The question.
    pub question: TaggingQuestion,
    /// The answer.
    pub expected: TaggingAnswer,
}

const MEMBERS: [&str; 9] = [
    "id",
    "source",
    "evidence",
    "dialect",
    "effective_policy",
    "resource",
    "operation",
    "expect",
    "why",
];

/// Reads a case.
pub(super) fn read(
    at: &Cursor<'_, '_>,
    line: usize,
    sink: &mut Sink<'_>,
) -> Result<ComplianceCase, Told> {
    let members = at.members(&MEMBERS, sink)?;
    let id = members
        .required("id", sink)
        .and_then(|at| at.text(sink).map(str::to_owned));
    let words = Dialect::ALL.map(|dialect| (dialect.as_str(), dialect));
    let dialect = members
        .required("dialect", sink)
        .and_then(|at| at.word("`alibaba`, `huawei` or `aws`", &words, sink));
    let resource = members
        .required("resource", sink)
        .and_then(|at| resource(&at, sink));
    let operation = members
        .required("operation", sink)
        .and_then(|at| operation(&at, sink));
    let expected = members
        .required("expect", sink)
        .and_then(|at| expected(&at, sink));
    let (resource, operation) = (resource?, operation?);
    let at = members.required("effective_policy", sink)?;
    let mut policy = effective_policy(&at, dialect?, sink)?;
    for statement in &mut policy.statements {
        statement.tag_key_origin = operation.facts.key_origin;
    }
    Ok(ComplianceCase {
        id: id?,
        line,
        policy,
        settings: operation.facts.settings.clone(),
        question: question(resource, operation),
        expected: expected?,
    })
}

fn question(resource: Resource, operation: Operation) -> TaggingQuestion {
    let Facts {
        group_tags,
        excluded,
        history,
        ..
    } = operation.facts;
    let is_excluded = resource.id.is_some_and(|id| excluded.contains(&id));
    let (current, operation) = match operation.kind {
        Kind::Detect => (resource.tags, TaggingOperation::Detect),
        Kind::Create => (Vec::new(), TaggingOperation::Create(resource.tags)),
        Kind::Tag | Kind::Untag => (
            resource.tags,
            TaggingOperation::Write {
                set: operation.tags,
                removed: operation.keys,
            },
        ),
    };
    TaggingQuestion {
        resource_type: resource.kind,
        region: resource.region,
        group: match resource.group {
            Nullable::Absent => None,
            Nullable::Null => Some(None),
            Nullable::Text(group) => Some(Some(group)),
        },
        current,
        operation,
        inheritance: match group_tags {
            _ if is_excluded => Inheritance::Excluded,
            Some(tags) => Inheritance::Group(tags),
            None => Inheritance::Unknown,
        },
        history,
    }
}
