//! The question of a case, and what it says of its principal and resources.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::bundle::entry::{self, list};
use crate::document::bundle::error::EntryErrorKind;
use crate::document::catalog;
use crate::document::cursor::{self, Cursor, Members, Sink, Told};
use crate::document::json::Node;
use crate::model::account::{Name, RoleKind};
use crate::model::arn::Arn;
use crate::model::catalog::OperationKind;
use crate::model::condition::parse_date;
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
    pub(super) resource_groups: BTreeMap<String, Option<Name>>,
    pub(super) unknown: BTreeSet<String>,
    tags: RequestTags,
    stated_kind: Option<OperationKind>,
    understands_obligations: bool,
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
    pub(super) unknown: Option<Unknown>,
}

/// What the snapshot does not know of the principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// The user or role; its account is there.
    Identity,
    /// The whole account.
    Account,
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

const UNKNOWN: [(&str, Unknown); 2] = [
    ("identity", Unknown::Identity),
    ("account", Unknown::Account),
];

impl Asked {
    /// The question, with what is said of the session.
    pub(super) fn into_request(self, session: SessionClaim) -> AccessRequest {
        AccessRequest {
            resources: self.resources.iter().map(|arn| self.sent(arn)).collect(),
            principal: self.principal.arn,
            action: self.action,
            tags: self.tags,
            context: self.context,
            current_time: self.current_time,
            session,
            kind: self.stated_kind,
            understands_obligations: self.understands_obligations,
        }
    }

    /// A resource that the directory knows is asked by its ARN alone; what is told of another one
    /// is sent.
    fn sent(&self, text: &str) -> RequestedResource {
        let arn = text.to_owned();
        if self.known(text).is_some() {
            let (tags, group) = (None, None);
            return RequestedResource { arn, tags, group };
        }
        let group = self.resource_groups.get(text);
        RequestedResource {
            arn,
            tags: self.resource_tags.get(text).map(pairs),
            group: group.map(|group| group.as_ref().map(ToString::to_string)),
        }
    }

    /// The ARN of a resource that is in the directory: each that names one and is not unknown.
    pub(super) fn known(&self, text: &str) -> Option<Arn> {
        let arn = Arn::try_from(text).ok()?;
        let is_known = arn.fields().is_concrete() && !self.unknown.contains(text);
        is_known.then_some(arn)
    }
}

fn pairs(tags: &TagSet) -> Vec<(String, String)> {
    tags.iter()
        .map(|tag| (tag.key.to_owned(), tag.value.to_owned()))
        .collect()
}

const MEMBERS: [&str; 13] = [
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
    "stated_kind",
    "understands_obligations",
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
    let resource_groups = map(members.optional("resource_groups"), sink, group);
    let stated_kind = members
        .optional("stated_kind")
        .map(|at| catalog::kind(&at, sink))
        .transpose();
    let understands_obligations = members
        .optional("understands_obligations")
        .map_or(Ok(true), |at| at.flag(sink));
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
        stated_kind: stated_kind?,
        understands_obligations: understands_obligations?,
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
    let members = at.members(
        &["type", "arn", "account", "uid", "session", "unknown"],
        sink,
    )?;
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
    let unknown = members
        .optional("unknown")
        .map(|at| at.word("`identity` or `account`", &UNKNOWN, sink))
        .transpose();
    let session = members.optional("session").map(|at| none(&at, sink));
    let (sort, arn, uid, unknown) = (sort?, arn?, uid?, unknown?);
    let no_session = session.transpose()?.is_some();
    if let Some(account) = account?
        && arn.split(':').nth(3) != Some(account.as_str())
    {
        return Err(at.refuse(EntryErrorKind::PrincipalAccount { account }, sink));
    }
    let principal = Principal {
        arn,
        sort,
        uid,
        unknown,
    };
    Ok((principal, no_session))
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
    let words = [
        ("replace", TagWrite::Replace),
        ("remove_all", TagWrite::RemoveAll),
    ];
    let write = members
        .optional("tag_write")
        .map(|at| at.word("`replace` or `remove_all`", &words, sink))
        .transpose();
    let (set, remove_keys, write) = (set?, remove_keys?, write?);
    Ok(RequestTags {
        set,
        remove_keys,
        remove_all: write == Some(TagWrite::RemoveAll),
        replace: write == Some(TagWrite::Replace),
    })
}

/// What the whole set of a resource's tags becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagWrite {
    Replace,
    RemoveAll,
}

/// A resource group, or `null` for a resource that is in none.
fn group(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Option<Name>, Told> {
    if *at.node() == Node::Null {
        return Ok(None);
    }
    entry::name(at, sink).map(Some)
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
    if time.is_empty()
        && first
            .as_deref()
            .is_none_or(|text| parse_date(text).is_some())
    {
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
