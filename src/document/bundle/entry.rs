//! Small values that several documents of a bundle hold, read at a cursor.

use super::error::EntryErrorKind;
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::document::position::Spot;
use crate::model::account::{Grantee, Name, PolicyRef, Scope};
use crate::model::arn::{AccountId, Arn, is_account, is_identity_name};
use crate::model::resource::Resource;
use crate::model::tag::{Tag, TagRef, TagSet};
use crate::model::text::split_at_byte;
use crate::model::verdict::limits;

/// A value with the place that it was read from, for errors that show only among documents.
#[derive(Debug, Clone)]
pub(in crate::document) struct Placed<T> {
    pub(in crate::document) value: T,
    pub(in crate::document) spot: Spot,
}

/// The value of `read`, with the place of the cursor.
pub(in crate::document) fn placed<T>(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
    read: impl FnOnce(&Cursor<'_, '_>, &mut Sink<'_>) -> Result<T, Told>,
) -> Result<Placed<T>, Told> {
    let value = read(at, sink)?;
    let spot = at.spot();
    Ok(Placed { value, spot })
}

/// The elements of an array that may be missing.
pub(in crate::document) fn list<T>(
    at: Option<Cursor<'_, '_>>,
    sink: &mut Sink<'_>,
    mut read: impl FnMut(&Cursor<'_, '_>, &mut Sink<'_>) -> Result<T, Told>,
) -> Result<Vec<T>, Told> {
    let Some(at) = at else {
        return Ok(Vec::new());
    };
    let items = at.items(sink)?;
    cursor::all(items, |at| read(&at, sink))
}

/// A name of a policy, group or resource group.
pub(in crate::document) fn name(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Name, Told> {
    at.parse(sink, |text| {
        Name::try_from(text).map_err(EntryErrorKind::from)
    })
}

/// A name of a user or role.
pub(in crate::document) fn identity_name(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<String, Told> {
    at.parse(sink, |text| {
        if is_identity_name(text) {
            Ok(text.to_owned())
        } else {
            Err(EntryErrorKind::IdentityName)
        }
    })
}

/// The number of a user or role.
pub(in crate::document) fn uid(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<String, Told> {
    at.parse(sink, |text| {
        if is_account(text) {
            Ok(text.to_owned())
        } else {
            Err(EntryErrorKind::Uid)
        }
    })
}

/// The number of an account.
pub(in crate::document) fn account(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<AccountId, Told> {
    at.parse(sink, |text| {
        AccountId::try_from(text).map_err(|_| EntryErrorKind::Account)
    })
}

/// An ARN that names one resource, and its owner.
pub(in crate::document) fn arn(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Arn, Told> {
    let arn = concrete_arn(at, sink)?;
    match arn.fields().owner() {
        Some(_) => Ok(arn),
        None => Err(at.refuse(EntryErrorKind::OwnerMissing, sink)),
    }
}

fn concrete_arn(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Arn, Told> {
    at.parse(sink, |text| {
        let arn = Arn::try_from(text)?;
        if arn.fields().is_concrete() {
            Ok(arn)
        } else {
            Err(EntryErrorKind::NotConcrete)
        }
    })
}

/// `system:NAME` or `custom:NAME`.
pub(in crate::document) fn policy_ref(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<PolicyRef, Told> {
    at.parse(sink, |text| match split_at_byte(text, b':') {
        Some(("system", name)) => Ok(PolicyRef::System(Name::try_from(name)?)),
        Some(("custom", name)) => Ok(PolicyRef::Custom(Name::try_from(name)?)),
        _ => {
            let found = text.into();
            Err(EntryErrorKind::PolicyRef { found })
        }
    })
}

/// `user:NAME`, `group:NAME` or `role:NAME`.
pub(in crate::document) fn grantee(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<Grantee, Told> {
    at.parse(sink, |text| match split_at_byte(text, b':') {
        Some(("user", name)) => Ok(Grantee::User(name.to_owned())),
        Some(("group", name)) => Ok(Grantee::Group(Name::try_from(name)?)),
        Some(("role", name)) => Ok(Grantee::Role(name.to_owned())),
        _ => {
            let found = text.into();
            Err(EntryErrorKind::Grantee { found })
        }
    })
}

/// `account` or `rg:NAME`.
pub(in crate::document) fn scope(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Scope, Told> {
    at.parse(sink, |text| match text.split_once(':') {
        None if text == "account" => Ok(Scope::Account),
        Some(("rg", name)) => Ok(Scope::ResourceGroup(Name::try_from(name)?)),
        _ => {
            let found = text.into();
            Err(EntryErrorKind::Scope { found })
        }
    })
}

/// `{"key": "value", …}`
pub(in crate::document) fn tags(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<TagSet, Told> {
    let entries = at.entries(sink)?;
    if entries.len() > limits::RESOURCE_TAGS {
        return Err(at.refuse(EntryErrorKind::TagLimit, sink));
    }
    let tags = cursor::all(entries, |(key, at)| {
        at.parse(sink, |value| {
            TagRef::parse(key, value)
                .map(Tag::from)
                .map_err(EntryErrorKind::from)
        })
    })?;
    TagSet::new(tags).map_err(|twice| at.refuse(EntryErrorKind::from(twice), sink))
}

/// One line of `resources.jsonl`. Tags must be written: `{}` is a resource that is known to have
/// none, which is not the same as one whose tags nobody knows. `account` is its owner, where the ARN
/// names none.
pub(in crate::document) fn resource(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<Placed<Resource>, Told> {
    let members = at.members(&["arn", "account", "type", "group", "tags"], sink)?;
    let owner = members
        .optional("account")
        .map(|at| account(&at, sink))
        .transpose();
    let arn = members.required("arn", sink).and_then(|at| {
        let spot = at.spot();
        let read = if matches!(owner, Ok(None)) {
            arn
        } else {
            concrete_arn
        };
        read(&at, sink).map(|value| Placed { value, spot })
    });
    let kind = members
        .optional("type")
        .map(|at| at.text(sink).map(Box::from))
        .transpose();
    let group = members
        .optional("group")
        .map(|at| name(&at, sink))
        .transpose();
    let tags = members
        .required("tags", sink)
        .and_then(|at| tags(&at, sink));
    let (Placed { value: arn, spot }, kind, group, tags) = (arn?, kind?, group?, tags?);
    let value = Resource {
        arn,
        account: owner?,
        kind,
        group,
        tags,
    };
    Ok(Placed { value, spot })
}
