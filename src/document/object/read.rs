//! Objects read by the readers of bundles, so that there is one grammar.
//!
//! An error is told with the text of the object's id in place of a file's path.

use std::collections::{BTreeMap, BTreeSet};

use super::Document;
use crate::document::bundle::account::{self, AccountFile, AttachmentEntry};
use crate::document::bundle::error::EntryErrorKind;
use crate::document::bundle::layout::{AccountFilePart, Form, Part};
use crate::document::bundle::reading::{Kept, Reading, site};
use crate::document::bundle::{FileErrors, Loaded, MAX_FILE_BYTES, Strictness, organization};
use crate::document::cursor::{self, Cursor, Sink, Told};
use crate::document::policy::PolicyOptions;
use crate::document::position::Source;
use crate::document::settings::settings;
use crate::document::tag_policy;
use crate::model::account::{Attachment, Group, Name};
use crate::model::arn::AccountId;
use crate::model::object::{AccountObject, ObjectId, SharedPolicy};
use crate::model::organization::Organization;
use crate::model::tag_policy::TagPolicy;

/// Authored state in memory.
pub type Objects = BTreeMap<ObjectId, Document>;

/// Reads all objects.
///
/// ```
/// use tagwarden::document::object::{Objects, read_objects};
/// use tagwarden::model::object::ObjectId;
///
/// let mut objects = Objects::new();
/// let mut put = |id, text: &str| {
///     objects.insert(ObjectId::try_from(id).unwrap(), text.as_bytes().into());
/// };
/// put("accounts/1", "{}");
/// put("accounts/1/users/alice", "{\n  \"age\": 7\n}");
/// put("accounts/1/groups/ops", r#"{"users": ["alice", "bob"]}"#);
/// let errors = read_objects(&objects).unwrap_err();
/// let expected = "accounts/1/users/alice:2:3: /age: unknown member `age`";
/// assert_eq!(errors.to_string(), expected);
/// ```
///
/// # Errors
///
/// All errors of all objects. The errors of names that lead nowhere are told only of accounts whose
/// objects can all be read.
pub fn read_objects(objects: &Objects) -> Result<Loaded, FileErrors> {
    let texts = Texts::of(objects);
    let mut reading = Reading::new();
    if let Some(document) = objects.get(&ObjectId::Settings)
        && let Some(source) = reading.source("settings", document)
        && let Some(read) = reading.document("settings", source, MAX_FILE_BYTES, settings)
    {
        reading.settings = read;
    }
    let mut seen = BTreeSet::new();
    for (path, id, document) in texts.iter() {
        if let ObjectId::Catalog(_) = id
            && let Some(source) = reading.source(path, document)
        {
            reading.read_catalog(path, source, &mut seen);
        }
    }
    texts.read(&mut reading);
    reading.check_links(Kept::Objects);
    reading.finish(Strictness::Strict)
}

/// Objects with the texts of their ids, which errors are told with.
#[derive(Debug)]
pub(super) struct Texts<'o>(Vec<(String, &'o ObjectId, &'o [u8])>);

impl<'o> Texts<'o> {
    pub(super) fn of(objects: &'o Objects) -> Self {
        let objects = objects.iter();
        let texts = objects.map(|(id, document)| (id.to_string(), id, &**document));
        Self(texts.collect())
    }

    /// Reads them all but the switches and catalogs, which others are read by.
    pub(super) fn read<'f>(&'f self, reading: &mut Reading<'f>) {
        for (path, id, document) in self.iter() {
            reading.read_object(path, id, document);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &'o ObjectId, &'o [u8])> {
        self.0
            .iter()
            .map(|(text, id, document)| (&**text, *id, *document))
    }
}

impl<'f> Reading<'f> {
    fn read_object(&mut self, path: &'f str, id: &ObjectId, document: &'f [u8]) {
        let Some(source) = self.source(path, document) else {
            return;
        };
        let whole = |name: &Name| Form::Whole(name.clone());
        let part = match id {
            ObjectId::Settings | ObjectId::Catalog(_) => return,
            ObjectId::Callers => Part::Callers,
            ObjectId::Routes => Part::Routes,
            ObjectId::Resources => Part::Resources,
            ObjectId::Organization(name) => {
                self.read_part(path, source, Part::Organization);
                return self.check_name(path, name);
            }
            ObjectId::Shared(SharedPolicy::System, name) => Part::System(whole(name)),
            ObjectId::Shared(SharedPolicy::Control, name) => Part::Control(whole(name)),
            ObjectId::Shared(SharedPolicy::Tag, name) => Part::Tag(whole(name)),
            ObjectId::Shared(SharedPolicy::Resource, name) => Part::Resource(whole(name)),
            ObjectId::Account(account, AccountObject::Policy(name)) => {
                let part = AccountFilePart::Policy(whole(name));
                Part::Account(account.clone(), part)
            }
            ObjectId::Account(account, object) => {
                return self.read_account_object(path, source, account, object);
            }
        };
        self.read_part(path, source, part);
    }

    fn check_name(&mut self, path: &str, name: &Name) {
        let last = self.organizations.last();
        let Some(part) = last.filter(|part| part.file == path) else {
            return;
        };
        let id = &part.parsed.organization.id;
        if id != name.as_str() {
            let kind = EntryErrorKind::OrganizationName { id: (&**id).into() };
            let site = site(part.file, part.source, &part.parsed.id.spot);
            self.refuse_at(&site, kind);
        }
    }

    fn read_account_object(
        &mut self,
        path: &'f str,
        source: Source<'f>,
        account: &AccountId,
        object: &AccountObject,
    ) {
        if *object == AccountObject::Itself {
            let known = self.accounts.entry(account.clone()).or_default();
            known.is_there = true;
        }
        self.read_of_account(path, source, account.clone(), |at, options, sink| {
            account_object(at, object, options, sink)
        });
    }
}

/// One object of an account, as the part of `account.json` that it is.
fn account_object(
    at: &Cursor<'_, '_>,
    object: &AccountObject,
    options: &PolicyOptions<'_>,
    sink: &mut Sink<'_>,
) -> Result<AccountFile, Told> {
    let mut file = AccountFile::default();
    match object {
        AccountObject::User(name) => file.users.push(account::user(at, Some(name), sink)?),
        AccountObject::Group(name) => file.groups.push(account::group(at, Some(name), sink)?),
        AccountObject::Role(name) => {
            let role = account::role(at, Some(name), options, sink)?;
            file.roles.push(role);
        }
        AccountObject::Attachment(to, scope, policy) => {
            at.members(&[], sink)?;
            file.attachments.push(AttachmentEntry {
                attachment: Attachment {
                    to: to.clone(),
                    scope: scope.clone(),
                    policy: policy.clone(),
                },
                policy: at.spot(),
                to: at.spot(),
                whole: at.spot(),
            });
        }
        AccountObject::Itself | AccountObject::Policy(_) => {
            at.members(&[], sink)?;
        }
    }
    Ok(file)
}

/// Reads a tag policy that was accepted before.
pub(crate) fn tag_policy(document: &[u8]) -> Option<TagPolicy> {
    let source = Source::from_bytes(document).ok()?;
    let limit = tag_policy::MAX_DOCUMENT_BYTES;
    let read = cursor::read(source, limit, tag_policy::wrapped);
    read.ok().map(|read| read.value)
}

/// Reads an organization that was accepted before.
pub(crate) fn organization(document: &[u8]) -> Option<Organization> {
    let source = Source::from_bytes(document).ok()?;
    let read = cursor::read(source, MAX_FILE_BYTES, organization::read);
    read.ok().map(|read| read.value.organization)
}

/// Reads the users of a group that was accepted before.
pub(crate) fn group(name: &Name, document: &[u8]) -> Option<Group> {
    let source = Source::from_bytes(document).ok()?;
    let read = cursor::read(source, MAX_FILE_BYTES, |at, sink| {
        account::group(at, Some(name), sink)
    });
    read.ok().map(|read| read.value.group())
}
