//! An evaluation as a question: what each of its parts becomes.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

use crate::model::verdict::RefusalReason;
use crate::wire::status::{CallError, Refusal};
use crate::wire::v1;
use crate::wire::v1::session::Policy;

/// One evaluation, or the part of it that it does not share with others.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Evaluation {
    pub(super) subject: Option<Subject>,
    pub(super) action: Option<Action>,
    pub(super) resource: Option<Resource>,
    pub(super) context: Option<Context>,
}

/// Who: its id is the principal.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Subject {
    r#type: String,
    id: String,
    #[serde(default)]
    properties: SubjectProperties,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
pub(super) struct Action {
    name: String,
    #[serde(default)]
    properties: ActionProperties,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
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
#[serde(deny_unknown_fields)]
pub(super) struct Resource {
    r#type: String,
    id: String,
    #[serde(default)]
    properties: ResourceProperties,
}

#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ResourceProperties {
    tags: Option<BTreeMap<String, String>>,
    resource_group: Option<String>,
}

/// The circumstances: context keys and their values.
pub(super) type Context = Map<String, Value>;

impl Evaluation {
    /// This evaluation, with what it does not say from another.
    pub(super) fn or(self, beside: &Self) -> Self {
        Self {
            subject: self.subject.or_else(|| beside.subject.clone()),
            action: self.action.or_else(|| beside.action.clone()),
            resource: self.resource.or_else(|| beside.resource.clone()),
            context: self.context.or_else(|| beside.context.clone()),
        }
    }

    /// The question that it is.
    pub(super) fn question(self) -> Result<v1::AuthorizeRequest, CallError> {
        let Self {
            subject,
            action,
            resource,
            context,
        } = self;
        let Subject {
            r#type,
            id: principal,
            properties: SubjectProperties { session_policy },
        } = subject.ok_or_else(|| missing("subject"))?;
        check_sort(&r#type, &principal)?;
        let Action {
            name: action,
            properties: ActionProperties { tag_write, kind },
        } = action.ok_or_else(|| missing("action"))?;
        let resource = resource.ok_or_else(|| missing("resource"))?;
        let kind = kind.map_or(v1::OperationKind::Unspecified, v1::OperationKind::from);
        Ok(v1::AuthorizeRequest {
            principal,
            action,
            resources: vec![resource.into()],
            tag_write: tag_write.map(v1::TagWrite::from),
            context: entries(context.unwrap_or_default())?,
            session: session(session_policy),
            kind: kind.into(),
            ..v1::AuthorizeRequest::default()
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
fn entries(context: Context) -> Result<Vec<v1::ContextEntry>, CallError> {
    let entries = context.into_iter().map(|(key, value)| {
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

impl From<Resource> for v1::Resource {
    fn from(resource: Resource) -> Self {
        let Resource {
            r#type,
            id: arn,
            properties:
                ResourceProperties {
                    tags: sent,
                    resource_group,
                },
        } = resource;
        Self {
            arn,
            r#type,
            resource_group: resource_group.map(|id| v1::ResourceGroup { id }),
            tags: sent.map(tags),
        }
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
