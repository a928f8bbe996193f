//! Cases of compliance: an effective policy, a resource, an operation, and what they come to.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::document::bundle::entry::{self, list};
use crate::document::bundle::error::EntryErrorKind;
use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::error::ShapeErrorKind;
use crate::document::json::Node;
use crate::document::tag_policy::effective_policy;
use crate::model::compliance::{
    Inheritance, TagHistory, TaggingAnswer, TaggingOperation, TaggingQuestion, ViolationCode,
};
use crate::model::settings::{Settings, StrongVerification, UntagInterception};
use crate::model::tag::{TagSet, check_key};
use crate::model::tag_policy::{Dialect, EffectivePolicy, TagKeyOrigin};

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

type Pairs = Vec<(String, String)>;

struct Resource {
    kind: String,
    region: Option<String>,
    group: Nullable,
    id: Option<String>,
    tags: Pairs,
}

fn resource(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Resource, Told> {
    let members = at.members(&["type", "region", "resource_group", "tags", "id"], sink)?;
    let kind = members
        .required("type", sink)
        .and_then(|at| at.text(sink).map(str::to_owned));
    let region = nullable(members.optional("region"), sink);
    let group = nullable(members.optional("resource_group"), sink);
    let id = nullable(members.optional("id"), sink);
    let tags = members
        .required("tags", sink)
        .and_then(|at| pairs(&at, sink));
    Ok(Resource {
        kind: kind?,
        region: region?.text(),
        group: group?,
        id: id?.text(),
        tags: tags?,
    })
}

/// A text that may be missing or `null`.
enum Nullable {
    Absent,
    Null,
    Text(String),
}

impl Nullable {
    fn text(self) -> Option<String> {
        match self {
            Self::Absent | Self::Null => None,
            Self::Text(text) => Some(text),
        }
    }
}

fn nullable(at: Option<Cursor<'_, '_>>, sink: &mut Sink<'_>) -> Result<Nullable, Told> {
    let Some(at) = at else {
        return Ok(Nullable::Absent);
    };
    match at.node() {
        Node::Null => Ok(Nullable::Null),
        Node::Bool(_) | Node::Number(_) | Node::String(_) | Node::Array(_) | Node::Object(_) => {
            Ok(Nullable::Text(at.text(sink)?.to_owned()))
        }
    }
}

fn pairs(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Pairs, Told> {
    let tags: TagSet = entry::tags(at, sink)?;
    let pair = |tag: crate::model::tag::TagRef<'_>| (tag.key.to_owned(), tag.value.to_owned());
    Ok(tags.iter().map(pair).collect())
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Detect,
    Create,
    Tag,
    Untag,
}

struct Operation {
    kind: Kind,
    tags: Pairs,
    keys: Vec<String>,
    facts: Facts,
}

/// What `operation.settings` says.
struct Facts {
    settings: Settings,
    group_tags: Option<Pairs>,
    excluded: Vec<String>,
    key_origin: TagKeyOrigin,
    history: TagHistory,
}

fn operation(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Operation, Told> {
    let members = at.members(&["kind", "tags", "keys", "settings"], sink)?;
    let words = [
        ("detect", Kind::Detect),
        ("create", Kind::Create),
        ("tag", Kind::Tag),
        ("untag", Kind::Untag),
    ];
    let kind = members
        .required("kind", sink)
        .and_then(|at| at.word("`detect`, `create`, `tag` or `untag`", &words, sink));
    let tags = members.optional("tags").map(|at| pairs(&at, sink));
    let keys = list(members.optional("keys"), sink, key);
    let facts = facts(members.optional("settings"), sink);
    Ok(Operation {
        kind: kind?,
        tags: tags.transpose()?.unwrap_or_default(),
        keys: keys?,
        facts: facts?,
    })
}

fn key(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<String, Told> {
    at.parse(sink, |text| {
        check_key(text).map_err(EntryErrorKind::from)?;
        Ok::<_, EntryErrorKind>(text.to_owned())
    })
}

const FACTS: [&str; 7] = [
    "strong_verification",
    "untag_interception",
    "protected_tag_keys",
    "rg_tags",
    "excluded_ids",
    "tag_key_explicit",
    "ever_tagged",
];

fn facts(at: Option<Cursor<'_, '_>>, sink: &mut Sink<'_>) -> Result<Facts, Told> {
    let mut facts = Facts {
        settings: Settings::default(),
        group_tags: None,
        excluded: Vec::new(),
        key_origin: TagKeyOrigin::Written,
        history: TagHistory::Unknown,
    };
    let Some(at) = at else { return Ok(facts) };
    let members = at.members(&FACTS, sink)?;
    let mut flag = |name: &str| members.optional(name).map(|at| at.flag(sink)).transpose();
    if flag("strong_verification")? == Some(true) {
        facts.settings.strong_verification = StrongVerification::On;
    }
    if flag("tag_key_explicit")? == Some(false) {
        facts.key_origin = TagKeyOrigin::PolicyKey;
    }
    if flag("ever_tagged")? == Some(true) {
        facts.history = TagHistory::Tagged;
    }
    facts.settings.untag_interception = untag(&members, sink)?;
    let protected = list(members.optional("protected_tag_keys"), sink, key)?;
    facts.settings.protected_tag_keys = protected.into_iter().map(Arc::from).collect();
    facts.group_tags = members
        .optional("rg_tags")
        .map(|at| pairs(&at, sink))
        .transpose()?;
    facts.excluded = list(members.optional("excluded_ids"), sink, |at, sink| {
        at.text(sink).map(str::to_owned)
    })?;
    Ok(facts)
}

fn untag(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<UntagInterception, Told> {
    let words = [
        ("strong", UntagInterception::Strong),
        ("never", UntagInterception::Never),
        ("always", UntagInterception::Always),
    ];
    match members.optional("untag_interception") {
        Some(at) => at.word("`strong`, `never` or `always`", &words, sink),
        None => Ok(UntagInterception::default()),
    }
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

fn expected(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<TaggingAnswer, Told> {
    let names = [
        "evaluated",
        "compliant",
        "violations",
        "intercepted",
        "corrected",
    ];
    let members = at.members(&names, sink)?;
    let mut flag = |name| members.required(name, sink).and_then(|at| at.flag(sink));
    let (evaluated, compliant) = (flag("evaluated"), flag("compliant"));
    let intercepted = flag("intercepted");
    let violations = list(members.optional("violations"), sink, violation);
    let corrected = members
        .required("corrected", sink)
        .and_then(|at| corrected(&at, sink));
    let violations = violations?;
    if compliant? != violations.is_empty() {
        let (expected, found) = ("`compliant` as `violations` say", "the contrary".into());
        return Err(at.refuse(ShapeErrorKind::UnknownWord { expected, found }, sink));
    }
    Ok(TaggingAnswer {
        evaluated: evaluated?,
        violations,
        intercepted: intercepted?,
        corrected: corrected?,
    })
}

const CODES: [ViolationCode; 6] = [
    ViolationCode::KeyCase,
    ViolationCode::Missing,
    ViolationCode::OverLimit,
    ViolationCode::RgTagNotInherited,
    ViolationCode::Value,
    ViolationCode::ValueRegex,
];

fn violation(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<(ViolationCode, String), Told> {
    let mut items = at.items(sink)?;
    let (Some(code), Some(key), None) = (items.next(), items.next(), items.next()) else {
        return Err(at.unexpected("a pair of code and key", sink));
    };
    let words = CODES.map(|code| (code.as_str(), code));
    let code = code.word("the code of a violation", &words, sink)?;
    Ok((code, key.text(sink)?.to_owned()))
}

fn corrected(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<BTreeMap<String, Option<String>>, Told> {
    let entries = at.entries(sink)?;
    let read = cursor::all(entries, |(key, at)| {
        let value = nullable(Some(at), sink)?;
        Ok((key.to_owned(), value.text()))
    });
    Ok(read?.into_iter().collect())
}
