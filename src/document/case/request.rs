//! The question of a case, and what it says of its principal and resources.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::bundle::entry::{self, list};
use crate::document::bundle::error::EntryErrorKind;
use crate::document::catalog;
use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::json::Node;
use crate::model::account::{Name, RoleKind};
use crate::model::catalog::OperationKind;
use crate::model::request::{AccessRequest, RequestTags, RequestedResource, SessionClaim};
use crate::model::tag::TagSet;

/// What `request` and `unknown_resources` say.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    pub(super) principal: Principal,
    pub(super) action: String,
    pub(super) kind: Option<OperationKind>,
    pub(super) resources: Vec<String>,
    pub(super) resource_tags: BTreeMap<String, TagSet>,
    pub(super) resource_groups: BTreeMap<String, Name>,
    pub(super) unknown: BTreeSet<String>,
    tags: RequestTags,
    context: Context,
    current_time: Option<String>,
    pub(super) no_session: bool,
}

/// Values by key.
type Context = BTreeMap<String, Vec<String>>;

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Principal {
    pub(super) arn: String,
    pub(super) sort: Sort,
    pub(super) uid: Option<String>,
}

/// The types of principals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    User,
    Role(RoleKind),
    Root,
    Service,
    Federated,
}

const SORTS: [(&str, Sort); 8] = [
    ("user", Sort::User),
    ("role", Sort::Role(RoleKind::Plain)),
    ("role_session", Sort::Role(RoleKind::Plain)),
    ("service_linked_role", Sort::Role(RoleKind::ServiceLinked)),
    ("sso_role", Sort::Role(RoleKind::Sso)),
    ("root", Sort::Root),
    ("service", Sort::Service),
    ("federated", Sort::Federated),
];

impl Asked {
    /// The question, with what is said of the session. Resources that the directory knows are
    /// asked by their ARN alone; a group can be sent for the one being made.
    pub(super) fn into_request(self, session: SessionClaim) -> AccessRequest {
        let resource = |arn: String| RequestedResource {
            group: match self.resource_groups.get(&arn) {
                Some(group) if arn.ends_with('*') => Some(Some(group.to_string())),
                _ => None,
            },
            tags: match self.resource_tags.get(&arn) {
                Some(tags) if arn.ends_with('*') => Some(pairs(tags)),
                _ => None,
            },
            arn,
        };
        AccessRequest {
            principal: self.principal.arn,
            action: self.action,
            resources: self.resources.into_iter().map(resource).collect(),
            tags: self.tags,
            context: self.context,
            current_time: self.current_time,
            session,
            kind: None,
            understands_obligations: true,
        }
    }
}

fn pairs(tags: &TagSet) -> Vec<(String, String)> {
    tags.iter()
        .map(|tag| (tag.key.to_owned(), tag.value.to_owned()))
        .collect()
}

const MEMBERS: [&str; 11] = [
    "principal",
    "action",
    "kind",
    "resources",
    "request_tags",
    "remove_tag_keys",
    "tag_write",
    "resource_tags",
    "resource_groups",
    "context",
    "session",
];

/// Reads the question.
pub(super) fn read(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<Asked, Told> {
    let unknown = texts(members.optional("unknown_resources"), sink);
    let at = members.required("request", sink)?;
    let members = at.members(&MEMBERS, sink)?;
    let principal = principal(&members, sink);
    let action = members
        .required("action", sink)
        .and_then(|at| at.text(sink).map(str::to_owned));
    let kind = members
        .optional("kind")
        .map(|at| catalog::kind(&at, sink))
        .transpose();
    let resources = members
        .required("resources", sink)
        .and_then(|at| texts(Some(at), sink));
    let resource_tags = map(members.optional("resource_tags"), sink, entry::tags);
    let resource_groups = map(members.optional("resource_groups"), sink, entry::name);
    let tags = tags(&members, sink);
    let context = map(members.optional("context"), sink, values);
    let session = members.optional("session").map(|at| none(&at, sink));
    let (principal, no_session) = principal?;
    let (context, current_time) = without_time(context?, &members, sink)?;
    let asked = Asked {
        principal,
        action: action?,
        kind: kind?,
        resources: resources?,
        resource_tags: resource_tags?,
        resource_groups: resource_groups?,
        unknown: unknown?.into_iter().collect(),
        tags: tags?,
        context,
        current_time,
        no_session: session.transpose()?.is_some() || no_session,
    };
    check_named(&asked, &at, sink)?;
    Ok(asked)
}

/// What is told of a resource that nobody asks about would be lost.
fn check_named(asked: &Asked, at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<(), Told> {
    let told = asked.resource_tags.keys();
    let told = told.chain(asked.resource_groups.keys());
    for arn in told.chain(&asked.unknown) {
        if !asked.resources.contains(arn) {
            let name = (**arn).into();
            return Err(at.refuse(EntryErrorKind::ResourceNotAsked { name }, sink));
        }
    }
    Ok(())
}

fn principal(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<(Principal, bool), Told> {
    let at = members.required("principal", sink)?;
    let members = at.members(&["type", "arn", "account", "uid", "session"], sink)?;
    let sort = members
        .required("type", sink)
        .and_then(|at| at.word("a type of principals", &SORTS, sink));
    let arn = members
        .required("arn", sink)
        .and_then(|at| at.text(sink).map(str::to_owned));
    let account = members
        .optional("account")
        .map(|at| entry::account(&at, sink))
        .transpose();
    let uid = members
        .optional("uid")
        .map(|at| entry::uid(&at, sink))
        .transpose();
    let session = members.optional("session").map(|at| none(&at, sink));
    let (sort, arn, uid) = (sort?, arn?, uid?);
    let no_session = session.transpose()?.is_some();
    if let Some(account) = account?
        && arn.split(':').nth(3) != Some(account.as_str())
    {
        return Err(at.refuse(EntryErrorKind::PrincipalAccount { account }, sink));
    }
    Ok((Principal { arn, sort, uid }, no_session))
}

fn none(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<(), Told> {
    at.word("`none`", &[("none", ())], sink)
}

fn tags(members: &Members<'_, '_>, sink: &mut Sink<'_>) -> Result<RequestTags, Told> {
    let set = match members.optional("request_tags") {
        None => Ok(None),
        Some(at) if *at.node() == Node::Null => Ok(None),
        Some(at) => map(Some(at), sink, |at, sink| at.text(sink).map(str::to_owned))
            .map(|tags| Some(tags.into_iter().collect())),
    };
    let remove_keys = texts(members.optional("remove_tag_keys"), sink);
    let replace = members
        .optional("tag_write")
        .map(|at| at.word("`replace`", &[("replace", ())], sink))
        .transpose();
    Ok(RequestTags {
        set: set?,
        remove_keys: remove_keys?,
        remove_all: false,
        replace: replace?.is_some(),
    })
}

/// A string, or an array of strings.
fn values(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Vec<String>, Told> {
    if matches!(at.node(), Node::Array(_)) {
        return texts(Some(*at), sink);
    }
    at.text(sink).map(|text| vec![text.to_owned()])
}

/// `acs:CurrentTime` is no part of a context: it is the instant of the request.
fn without_time(
    context: Context,
    members: &Members<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<(Context, Option<String>), Told> {
    let is_time = |key: &str| key.eq_ignore_ascii_case("acs:CurrentTime");
    let (time, context): (Context, Context) =
        context.into_iter().partition(|(key, _)| is_time(key));
    let mut time: Vec<String> = time.into_values().flatten().collect();
    let first = time.pop();
    if time.is_empty() {
        return Ok((context, first));
    }
    Err(members.whole().refuse(EntryErrorKind::OneTime, sink))
}

fn texts(at: Option<Cursor<'_, '_>>, sink: &mut Sink<'_>) -> Result<Vec<String>, Told> {
    list(at, sink, |at, sink| at.text(sink).map(str::to_owned))
}

fn map<T>(
    at: Option<Cursor<'_, '_>>,
    sink: &mut Sink<'_>,
    mut read: impl FnMut(&Cursor<'_, '_>, &mut Sink<'_>) -> Result<T, Told>,
) -> Result<BTreeMap<String, T>, Told> {
    let Some(at) = at else {
        return Ok(BTreeMap::new());
    };
    let entries = at.entries(sink)?;
    let entries = cursor::all(entries, |(name, at)| {
        read(&at, sink).map(|value| (name.to_owned(), value))
    })?;
    Ok(entries.into_iter().collect())
}
