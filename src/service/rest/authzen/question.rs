//! An evaluation as a question: what each of its parts becomes.
//!
//! The API asks a reader to pass over members that it does not know, for what comes later. So
//! members, properties and context keys that no policy could read are passed over; a property whose
//! name is nearly one of ours is refused, because whoever sends it means it.

mod property;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use self::property::{Properties, ours};

use crate::model::verdict::RefusalReason;
use crate::wire::status::{CallError, Refusal};
use crate::wire::v1;
use crate::wire::v1::session::Policy;

/// One evaluation, or the part of it that it does not share with others.
#[derive(Debug, Default, Clone, Deserialize)]
pub(super) struct Evaluation {
    pub(super) subject: Option<Subject>,
    pub(super) action: Option<Action>,
    pub(super) resource: Option<Resource>,
    pub(super) context: Option<Context>,
}

/// Who: its id is the principal.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Subject {
    r#type: Option<String>,
    id: Option<String>,
    #[serde(default, deserialize_with = "ours")]
    properties: SubjectProperties,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct SubjectProperties {
    #[serde(default, deserialize_with = "session_policy")]
    session_policy: SessionPolicy,
}

/// What is known of a session's policy.
#[derive(Debug, Default, Clone)]
enum SessionPolicy {
    #[default]
    NotStated,
    /// `null`: the session has none.
    Nothing,
    Document(String),
}

/// What is done: its name is the action.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Action {
    name: Option<String>,
    #[serde(default, deserialize_with = "ours")]
    properties: ActionProperties,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct ActionProperties {
    tag_write: Option<TagWrite>,
    kind: Option<Kind>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagWrite {
    set: Option<BTreeMap<String, String>>,
    #[serde(default)]
    remove_keys: Vec<String>,
    #[serde(default)]
    remove_all: bool,
    #[serde(default)]
    replace: bool,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Create,
    Query,
    Update,
    Other,
}

/// On what: its id is the ARN.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Resource {
    r#type: Option<String>,
    id: Option<String>,
    #[serde(default, deserialize_with = "ours")]
    properties: ResourceProperties,
}

#[derive(Debug, Default, Clone, Deserialize)]
struct ResourceProperties {
    tags: Option<BTreeMap<String, String>>,
    resource_group: Option<String>,
}

/// The circumstances: context keys and their values.
pub(super) type Context = Map<String, Value>;

impl Properties for SubjectProperties {
    const NAMES: &'static [&'static str] = &["session_policy"];
}

impl Properties for ActionProperties {
    const NAMES: &'static [&'static str] = &["tag_write", "kind"];
}

impl Properties for ResourceProperties {
    const NAMES: &'static [&'static str] = &["tags", "resource_group"];
}

impl Evaluation {
    /// This evaluation, with what it does not say from another: a whole entity, or what an entity
    /// must have.
    pub(super) fn or(self, beside: &Self) -> Self {
        Self {
            subject: whole(self.subject, beside.subject.as_ref(), Subject::or),
            action: whole(self.action, beside.action.as_ref(), Action::or),
            resource: whole(self.resource, beside.resource.as_ref(), Resource::or),
            context: self.context.or_else(|| beside.context.clone()),
        }
    }

    /// The question that it is.
    pub(super) fn question(self) -> Result<v1::AuthorizeRequest, CallError> {
        let subject = self.subject.ok_or_else(|| missing("subject"))?;
        let (principal, session) = subject.asker()?;
        let action = self.action.ok_or_else(|| missing("action"))?;
        let ActionProperties { tag_write, kind } = action.properties;
        let kind = kind.map_or(v1::OperationKind::Unspecified, v1::OperationKind::from);
        let resource = self.resource.ok_or_else(|| missing("resource"))?;
        Ok(v1::AuthorizeRequest {
            principal,
            action: action.name.ok_or_else(|| missing("action.name"))?,
            resources: vec![resource.asked()?],
            tag_write: tag_write.map(v1::TagWrite::from),
            context: entries(self.context.unwrap_or_default())?,
            session,
            kind: kind.into(),
            ..v1::AuthorizeRequest::default()
        })
    }
}

/// An entity, completed by the one beside it.
fn whole<T: Clone>(own: Option<T>, beside: Option<&T>, or: fn(T, &T) -> T) -> Option<T> {
    match (own, beside) {
        (Some(own), Some(beside)) => Some(or(own, beside)),
        (own, beside) => own.or_else(|| beside.cloned()),
    }
}

impl Subject {
    fn or(self, beside: &Self) -> Self {
        Self {
            r#type: self.r#type.or_else(|| beside.r#type.clone()),
            id: self.id.or_else(|| beside.id.clone()),
            properties: self.properties,
        }
    }

    /// The principal, and its session.
    fn asker(self) -> Result<(String, Option<v1::Session>), CallError> {
        let sort = self.r#type.ok_or_else(|| missing("subject.type"))?;
        let principal = self.id.ok_or_else(|| missing("subject.id"))?;
        check_sort(&sort, &principal)?;
        Ok((principal, session(self.properties.session_policy)))
    }
}

impl Action {
    fn or(self, beside: &Self) -> Self {
        Self {
            name: self.name.or_else(|| beside.name.clone()),
            properties: self.properties,
        }
    }
}

impl Resource {
    fn or(self, beside: &Self) -> Self {
        Self {
            r#type: self.r#type.or_else(|| beside.r#type.clone()),
            id: self.id.or_else(|| beside.id.clone()),
            properties: self.properties,
        }
    }

    fn asked(self) -> Result<v1::Resource, CallError> {
        let ResourceProperties {
            tags: sent,
            resource_group,
        } = self.properties;
        Ok(v1::Resource {
            r#type: self.r#type.ok_or_else(|| missing("resource.type"))?,
            arn: self.id.ok_or_else(|| missing("resource.id"))?,
            resource_group: resource_group.map(|id| v1::ResourceGroup { id }),
            tags: sent.map(tags),
        })
    }
}

/// The type of a subject must be that of its id, so that nothing of it is passed over.
fn check_sort(r#type: &str, principal: &str) -> Result<(), CallError> {
    let sort = match principal.strip_prefix("acs:ram::") {
        Some(rest) => {
            let (_, name) = rest.split_once(':').unwrap_or_default();
            let sort = name.split('/').next().unwrap_or_default();
            if sort == "assumed-role" { "role" } else { sort }
        }
        None => "service",
    };
    if r#type == sort {
        return Ok(());
    }
    let detail = format!("the subject is of type `{sort}`");
    Err(refused("subject.type", detail))
}

/// Context keys have texts as values: numbers and truth values are written as JSON writes them.
///
/// A key without a prefix is none that a policy could read (security 7.1), so it says nothing.
fn entries(context: Context) -> Result<Vec<v1::ContextEntry>, CallError> {
    let readable = context.into_iter().filter(|(key, _)| key.contains(':'));
    let entries = readable.map(|(key, value)| {
        let values = if let Value::Array(values) = value {
            values.into_iter().map(text).collect()
        } else {
            text(value).map(|text| vec![text])
        };
        let Some(values) = values else {
            let field = format!("context[{key}]");
            let detail = "neither a text, a number, a truth value nor a list of them";
            return Err(refused(&field, detail.to_owned()));
        };
        Ok(v1::ContextEntry { key, values })
    });
    entries.collect()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => Some(Number::to_string(&number)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn missing(part: &str) -> CallError {
    refused(part, "it is missing".to_owned())
}

fn refused(field: &str, detail: String) -> CallError {
    CallError::Refused(Refusal {
        reason: RefusalReason::InvalidRequest,
        field: field.to_owned(),
        detail,
    })
}

fn session(policy: SessionPolicy) -> Option<v1::Session> {
    let policy = match policy {
        SessionPolicy::NotStated => return None,
        SessionPolicy::Nothing => Policy::None(v1::NoSessionPolicy {}),
        SessionPolicy::Document(text) => Policy::PolicyDocument(text),
    };
    Some(v1::Session {
        policy: Some(policy),
    })
}

fn tags(tags: BTreeMap<String, String>) -> v1::TagSet {
    let tags = tags.into_iter().map(|(key, value)| v1::Tag { key, value });
    v1::TagSet {
        tags: tags.collect(),
    }
}

impl From<TagWrite> for v1::TagWrite {
    fn from(write: TagWrite) -> Self {
        let TagWrite {
            set,
            remove_keys,
            remove_all,
            replace,
        } = write;
        Self {
            set: set.map(tags),
            remove_keys,
            remove_all,
            replace,
        }
    }
}

impl From<Kind> for v1::OperationKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Create => Self::Create,
            Kind::Query => Self::Query,
            Kind::Update => Self::Update,
            Kind::Other => Self::Other,
        }
    }
}

/// Tells a member that is `null` from one that is absent.
fn session_policy<'de, D: Deserializer<'de>>(reader: D) -> Result<SessionPolicy, D::Error> {
    let told = Option::deserialize(reader)?;
    Ok(told.map_or(SessionPolicy::Nothing, SessionPolicy::Document))
}
