//! `accounts/<id>/account.json`: users, groups, roles, and who has which policy.

use super::entry::{self, Placed, list, placed};
use super::error::EntryErrorKind;
use crate::document::cursor::{Cursor, Sink, Told};
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
    let users = list(members.optional("users"), sink, user);
    let groups = list(members.optional("groups"), sink, group);
    let roles = list(members.optional("roles"), sink, |at, sink| {
        role(at, options, sink)
    });
    let attachments = list(members.optional("attachments"), sink, attachment);
    Ok(AccountFile {
        users: users?,
        groups: groups?,
        roles: roles?,
        attachments: attachments?,
    })
}

fn user(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Placed<User>, Told> {
    let members = at.members(&["name", "uid"], sink)?;
    let name = members
        .required("name", sink)
        .and_then(|at| placed(&at, sink, entry::identity_name));
    let uid = members
        .optional("uid")
        .map(|at| entry::uid(&at, sink))
        .transpose();
    let (Placed { value: name, spot }, uid) = (name?, uid?);
    let value = User { name, uid };
    Ok(Placed { value, spot })
}

fn group(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<GroupEntry, Told> {
    let members = at.members(&["name", "users"], sink)?;
    let name = members
        .required("name", sink)
        .and_then(|at| placed(&at, sink, entry::name));
    let users = group_users(members.optional("users"), sink);
    Ok(GroupEntry {
        name: name?,
        users: users?,
    })
}

/// The names of the users of a group, with their places.
pub(in crate::document) fn group_users(
    at: Option<Cursor<'_, '_>>,
    sink: &mut Sink<'_>,
) -> Result<Vec<Placed<String>>, Told> {
    list(at, sink, |at, sink| placed(at, sink, entry::identity_name))
}

fn role(
    at: &Cursor<'_, '_>,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<Placed<Role>, Told> {
    let members = at.members(&["name", "uid", "service_linked", "sso", "trust"], sink)?;
    let name = members
        .required("name", sink)
        .and_then(|at| placed(&at, sink, entry::identity_name));
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
