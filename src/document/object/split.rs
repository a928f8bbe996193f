//! A bundle directory taken apart into objects.

use serde_json::value::RawValue;

use super::text::{Members, items, members, object, string};
use super::{Document, Objects};
use crate::document::bundle::error::EntryErrorKind;
use crate::document::bundle::layout::{self, AccountFilePart, Form, Part};
use crate::document::bundle::{BundleFiles, FileErrors, Strictness, read_bundle};
use crate::document::error::{DocumentErrorKind, DocumentErrors, ShapeErrorKind};
use crate::document::policy::MAX_DOCUMENT_BYTES;
use crate::document::position::Source;
use crate::model::account::{Attachment, InvalidName, Name};
use crate::model::arn::AccountId;
use crate::model::object::{AccountObject, ObjectId, SharedPolicy};

/// The objects of a bundle. Documents that are one file keep every byte; what stands with its name
/// in a line or in `account.json` loses the name. Cases below `tests` and the manifest are no
/// authored state.
///
/// ```
/// use tagwarden::document::bundle::BundleFiles;
/// use tagwarden::document::object::split;
///
/// let mut files = BundleFiles::default();
/// files.insert("bundle.json", r#"{"format": 1}"#);
/// files.insert("accounts/1/account.json", r#"{"users": [{"name": "alice", "uid": "7"}]}"#);
/// let objects = split(&files).unwrap();
/// let texts: Vec<_> = objects.iter().map(|(id, text)| {
///     format!("{id} {}", String::from_utf8_lossy(text))
/// }).collect();
/// assert_eq!(texts, ["accounts/1 {}", r#"accounts/1/users/alice {"uid": "7"}"#]);
/// ```
///
/// # Errors
///
/// All errors of the bundle; and what no object can be named by or hold: a catalog's file name that
/// is no name, and a policy on a line that is longer than a policy's own file may be.
pub fn split(files: &BundleFiles) -> Result<Objects, FileErrors> {
    let loaded = read_bundle(files, Strictness::Strict)?;
    let mut split = Split::default();
    for (path, content) in files.iter() {
        split.file(path, content);
    }
    for account in &loaded.bundle.accounts {
        for Attachment { to, scope, policy } in &account.attachments {
            let attachment = AccountObject::Attachment(to.clone(), scope.clone(), policy.clone());
            split.put(of(&account.id, attachment), EMPTY);
        }
    }
    if split.errors.is_empty() {
        Ok(split.objects)
    } else {
        Err(split.errors)
    }
}

/// A document that says nothing.
const EMPTY: &str = "{}";

#[derive(Debug, Default)]
struct Split {
    objects: Objects,
    errors: FileErrors,
}

/// Why a text has no object.
#[derive(Debug)]
struct Fault(DocumentErrorKind);

impl From<serde_json::Error> for Fault {
    fn from(error: serde_json::Error) -> Self {
        let cause = error.to_string();
        Self(ShapeErrorKind::Syntax { cause }.into())
    }
}

impl From<InvalidName> for Fault {
    fn from(error: InvalidName) -> Self {
        Self(EntryErrorKind::from(error).into())
    }
}

impl Split {
    fn put(&mut self, id: ObjectId, text: impl AsRef<[u8]>) {
        self.objects.insert(id, Document::from(text.as_ref()));
    }

    fn refuse(&mut self, path: &str, source: Source<'_>, Fault(kind): Fault) {
        let errors = DocumentErrors::one(kind, source.start());
        self.errors.push_all(path, &errors);
    }

    fn file(&mut self, path: &str, content: &[u8]) {
        let Ok(source) = Source::from_bytes(content) else {
            return;
        };
        let done = match layout::part(path) {
            // What has no place in a bundle was refused before.
            Err(_) | Ok(Part::Tests) => Ok(()),
            Ok(Part::Bundle) => self.settings(source.text),
            Ok(Part::Catalog) => self.catalog(path, content),
            Ok(Part::Organization) => self.organization(source.text),
            Ok(Part::Account(account, AccountFilePart::Account)) => {
                self.account(&account, source.text)
            }
            Ok(part) => {
                self.texts(path, source, part);
                Ok(())
            }
        };
        if let Err(fault) = done {
            self.refuse(path, source, fault);
        }
    }

    /// The files whose documents are texts of their own.
    fn texts(&mut self, path: &str, source: Source<'_>, part: Part) {
        let mut shared = |sort, form, line| {
            let id = |name| ObjectId::Shared(sort, name);
            self.documents(path, source, form, id, line);
        };
        match part {
            Part::System(form) => shared(SharedPolicy::System, &form, Line::Policy),
            Part::Control(form) => shared(SharedPolicy::Control, &form, Line::Policy),
            Part::Tag(form) => shared(SharedPolicy::Tag, &form, Line::Wrapped),
            Part::Resource(form) => shared(SharedPolicy::Resource, &form, Line::Wrapped),
            Part::Account(account, AccountFilePart::Policy(form)) => {
                let id = |name| of(&account, AccountObject::Policy(name));
                self.documents(path, source, &form, id, Line::Policy);
            }
            Part::Callers => self.put(ObjectId::Callers, source.text),
            Part::Routes => self.put(ObjectId::Routes, source.text),
            Part::Resources => self.put(ObjectId::Resources, source.text),
            Part::Account(_, AccountFilePart::Account)
            | Part::Bundle
            | Part::Catalog
            | Part::Organization
            | Part::Tests => {}
        }
    }

    fn settings(&mut self, text: &str) -> Result<(), Fault> {
        if let Some(settings) = members(text)?.get("settings") {
            self.put(ObjectId::Settings, settings.get());
        }
        Ok(())
    }

    fn catalog(&mut self, path: &str, content: &[u8]) -> Result<(), Fault> {
        let stem = path.strip_prefix("catalog/").unwrap_or_default();
        let stem = stem.strip_suffix(".json").unwrap_or_default();
        self.put(ObjectId::Catalog(Name::try_from(stem)?), content);
        Ok(())
    }

    /// It is named by its id, whatever its file is named.
    fn organization(&mut self, text: &str) -> Result<(), Fault> {
        let id = string(members(text)?.get("id").copied())?;
        self.put(ObjectId::Organization(Name::try_from(&*id)?), text);
        Ok(())
    }

    fn account(&mut self, account: &AccountId, text: &str) -> Result<(), Fault> {
        let file = members(text)?;
        self.put(of(account, AccountObject::Itself), EMPTY);
        for entry in items(file.get("users"))? {
            let (name, text) = without_name(entry)?;
            self.put(of(account, AccountObject::User(name)), text);
        }
        for entry in items(file.get("groups"))? {
            let (name, text) = without_name(entry)?;
            let name = Name::try_from(&*name)?;
            self.put(of(account, AccountObject::Group(name)), text);
        }
        for entry in items(file.get("roles"))? {
            let (name, text) = without_name(entry)?;
            self.put(of(account, AccountObject::Role(name)), text);
        }
        Ok(())
    }

    fn documents(
        &mut self,
        path: &str,
        source: Source<'_>,
        form: &Form,
        id: impl Fn(Name) -> ObjectId,
        sort: Line,
    ) {
        match form {
            Form::Whole(name) => self.put(id(name.clone()), source.text),
            Form::Lines => {
                for (line, number) in source.text.lines().zip(1..) {
                    if line.trim_ascii().is_empty() {
                        continue;
                    }
                    match document(line, sort) {
                        Ok((name, text)) => self.put(id(name), text),
                        Err(fault) => self.refuse(path, Source::on_line(line, number), fault),
                    }
                }
            }
        }
    }
}

/// What a line of a file of JSON Lines holds beside its name.
#[derive(Debug, Clone, Copy)]
enum Line {
    /// `policy`, whose text is the whole document.
    Policy,
    /// Members of the document.
    Wrapped,
}

fn document(line: &str, sort: Line) -> Result<(Name, String), Fault> {
    let mut members = members(line)?;
    let name = Name::try_from(&*string(members.remove("name"))?)?;
    match sort {
        Line::Wrapped => Ok((name, written(&members))),
        Line::Policy => {
            let text = members.remove("policy").map_or("null", RawValue::get);
            if text.len() > MAX_DOCUMENT_BYTES {
                let limit = MAX_DOCUMENT_BYTES;
                return Err(Fault(ShapeErrorKind::TooLarge { limit }.into()));
            }
            Ok((name, text.to_owned()))
        }
    }
}

fn without_name(entry: &RawValue) -> Result<(String, String), Fault> {
    let mut members = members(entry.get())?;
    let name = string(members.remove("name"))?;
    Ok((name, written(&members)))
}

fn written(members: &Members<'_>) -> String {
    object(members.iter().map(|(name, value)| (&**name, value.get())))
}

fn of(account: &AccountId, object: AccountObject) -> ObjectId {
    ObjectId::Account(account.clone(), object)
}
