//! `accounts/<id>/account.json`: users, groups, roles, and who has which policy.

use super::entry::{self, Placed, list, placed};
use super::error::EntryErrorKind;
use crate::document::cursor::{Cursor, Members, Sink, Told};
use crate::document::policy::{self, PolicyOptions};
use crate::document::position::Spot;
use crate::model::account::{Attachment, Group, Name, Role, RoleKind, User};
use crate::model::statement::Policy;

/// What the file says, before it is known whether names lead anywhere.
#[derive(Debug, Clone, Default)]
pub(in crate::document) struct AccountFile {
    pub(in crate::document) users: Vec<Placed<User>>,
    pub(in crate::document) groups: Vec<GroupEntry>,
    pub(in crate::document) roles: Vec<Placed<Role>>,
    pub(in crate::document) attachments: Vec<AttachmentEntry>,
}

impl AccountFile {
    /// The numbers of users and roles, with the places that they are told at.
    pub(in crate::document) fn uids(&self) -> impl Iterator<Item = (&str, &Spot)> {
        let users = self.users.iter();
        let users = users.map(|user| (user.value.uid.as_deref(), &user.spot));
        let roles = self.roles.iter();
        let roles = roles.map(|role| (role.value.uid.as_deref(), &role.spot));
        users
            .chain(roles)
            .filter_map(|(uid, spot)| Some((uid?, spot)))
    }
}

/// A group, with the places of its members.
#[derive(Debug, Clone)]
pub(in crate::document) struct GroupEntry {
    pub(in crate::document) name: Placed<Name>,
    pub(in crate::document) users: Vec<Placed<String>>,
}

impl GroupEntry {
    /// The group alone.
    pub(in crate::document) fn group(&self) -> Group {
        Group {
            name: self.name.value.clone(),
            users: self.users.iter().map(|user| user.value.clone()).collect(),
        }
    }
}

/// An attachment, with the places of what it names.
#[derive(Debug, Clone)]
pub(in crate::document) struct AttachmentEntry {
    pub(in crate::document) attachment: Attachment,
    pub(in crate::document) policy: Spot,
    pub(in crate::document) to: Spot,
    pub(in crate::document) whole: Spot,
}

/// Reads the file. `options` are those of trust policies.
pub(in crate::document) fn read(
    at: &Cursor<'_, '_>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<AccountFile, Told> {
    let members = at.members(&["users", "groups", "roles", "attachments"], sink)?;
    let users = list(members.optional("users"), sink, |at, sink| {
        user(at, None, sink)
    });
    let groups = list(members.optional("groups"), sink, |at, sink| {
        group(at, None, sink)
    });
    let roles = list(members.optional("roles"), sink, |at, sink| {
        role(at, None, options, sink)
    });
    let attachments = list(members.optional("attachments"), sink, attachment);
    Ok(AccountFile {
        users: users?,
        groups: groups?,
        roles: roles?,
        attachments: attachments?,
    })
}

/// The members of an entry; the first is `name`.
fn known<'k, T>(object: Option<&T>, all: &'k [&'static str]) -> &'k [&'static str] {
    match object {
        Some(_) => all.get(1..).unwrap_or_default(),
        None => all,
    }
}

/// The name of an entry: its member `name`, or that of the object that it is.
fn named<T: Clone>(
    members: &Members<'_, '_>,
    object: Option<&T>,
    sink: &mut Sink<'_>,
    read: impl FnOnce(&Cursor<'_, '_>, &mut Sink<'_>) -> Result<T, Told>,
) -> Result<Placed<T>, Told> {
    match object {
        Some(name) => Ok(Placed {
            value: name.clone(),
            spot: members.whole().spot(),
        }),
        None => members
            .required("name", sink)
            .and_then(|at| placed(&at, sink, read)),
    }
}

/// `{"name": …, "uid": …}`, without the name where the object has it.
pub(in crate::document) fn user(
    at: &Cursor<'_, '_>,
    object: Option<&String>,
    sink: &mut Sink<'_>,
) -> Result<Placed<User>, Told> {
    let members = at.members(known(object, &["name", "uid"]), sink)?;
    let name = named(&members, object, sink, entry::identity_name);
    let uid = members
        .optional("uid")
        .map(|at| entry::uid(&at, sink))
        .transpose();
    let (Placed { value: name, spot }, uid) = (name?, uid?);
    let value = User { name, uid };
    Ok(Placed { value, spot })
}

/// `{"name": …, "users": […]}`, without the name where the object has it.
pub(in crate::document) fn group(
    at: &Cursor<'_, '_>,
    object: Option<&Name>,
    sink: &mut Sink<'_>,
) -> Result<GroupEntry, Told> {
    let members = at.members(known(object, &["name", "users"]), sink)?;
    let name = named(&members, object, sink, entry::name);
    let users = list(members.optional("users"), sink, |at, sink| {
        placed(at, sink, entry::identity_name)
    });
    Ok(GroupEntry {
        name: name?,
        users: users?,
    })
}

/// `{"name": …, "uid": …, "trust": {…}, …}`, without the name where the object has it.
pub(in crate::document) fn role(
    at: &Cursor<'_, '_>,
    object: Option<&String>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<Placed<Role>, Told> {
    let all = ["name", "uid", "service_linked", "sso", "trust"];
    let members = at.members(known(object, &all), sink)?;
    let name = named(&members, object, sink, entry::identity_name);
    let uid = members
        .optional("uid")
        .map(|at| entry::uid(&at, sink))
        .transpose();
    let service_linked = members.optional("service_linked").map(|at| at.flag(sink));
    let sso = members.optional("sso").map(|at| at.flag(sink));
    let trust: Result<Option<Policy>, Told> = members
        .optional("trust")
        .map(|at| policy::policy(&at, options, sink))
        .transpose();
    let service_linked = service_linked.transpose()?.unwrap_or(false);
    let sso = sso.transpose()?.unwrap_or(false);
    let kind = match (service_linked, sso) {
        (false, false) => RoleKind::Plain,
        (true, false) => RoleKind::ServiceLinked,
        (false, true) => RoleKind::Sso,
        (true, true) => return Err(at.refuse(EntryErrorKind::RoleKind, sink)),
    };
    let Placed { value: name, spot } = name?;
    let value = Role {
        name,
        uid: uid?,
        kind,
        trust: trust?,
    };
    Ok(Placed { value, spot })
}

fn attachment(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<AttachmentEntry, Told> {
    let members = at.members(&["policy", "to", "scope"], sink)?;
    let policy = members
        .required("policy", sink)
        .and_then(|at| placed(&at, sink, entry::policy_ref));
    let to = members
        .required("to", sink)
        .and_then(|at| placed(&at, sink, entry::grantee));
    let scope = members
        .required("scope", sink)
        .and_then(|at| entry::scope(&at, sink));
    let (policy, to, scope) = (policy?, to?, scope?);
    Ok(AttachmentEntry {
        attachment: Attachment {
            policy: policy.value,
            to: to.value,
            scope,
        },
        policy: policy.spot,
        to: to.spot,
        whole: at.spot(),
    })
}
