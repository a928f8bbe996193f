//! Objects put together as the files of a bundle directory.

use std::collections::BTreeMap;

use super::Objects;
use super::text::{members, object, quoted};
use crate::document::bundle::{BundleFiles, FORMAT};
use crate::model::arn::AccountId;
use crate::model::object::{AccountObject, ObjectId};

/// Why objects make no directory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JoinError {
    /// A document that no reader takes.
    #[error("{id}: not a JSON object")]
    NotAnObject {
        /// Whose it is.
        id: ObjectId,
    },
    /// An object of an account that is not there.
    #[error("{id}: its account is not there")]
    AccountMissing {
        /// The object.
        id: ObjectId,
    },
}

/// The files that say what the objects say: a file for each policy, and `account.json` in the order
/// of names. The same objects give the same bytes, also after [`super::split`].
///
/// # Errors
///
/// When the objects could not have been read.
pub fn join(objects: &Objects) -> Result<BundleFiles, JoinError> {
    let mut files = BundleFiles::default();
    let mut accounts: BTreeMap<&AccountId, AccountText> = BTreeMap::new();
    let format = FORMAT.to_string();
    let mut bundle = vec![("format", &*format)];
    for (id, document) in objects {
        match id {
            ObjectId::Settings => bundle.push(("settings", text(id, document)?)),
            ObjectId::Callers => files.insert("callers.json", &**document),
            ObjectId::Routes => files.insert("routes.json", &**document),
            ObjectId::Resources => files.insert("resources.jsonl", &**document),
            ObjectId::Account(account, AccountObject::Itself) => {
                accounts.insert(account, AccountText::default());
            }
            ObjectId::Catalog(_)
            | ObjectId::Organization(_)
            | ObjectId::Shared(..)
            | ObjectId::Account(_, AccountObject::Policy(_)) => {
                files.insert(format!("{id}.json"), &**document);
            }
            ObjectId::Account(account, object) => {
                // INVARIANT: an account stands before what belongs to it.
                let known = accounts.get_mut(account);
                let known = known.ok_or_else(|| JoinError::AccountMissing { id: id.clone() })?;
                known.add(id, object, document)?;
            }
        }
    }
    files.insert("bundle.json", object(bundle) + "\n");
    for (account, text) in accounts {
        files.insert(format!("accounts/{account}/account.json"), text.finish());
    }
    Ok(files)
}

/// `account.json` in the making.
#[derive(Debug, Default)]
struct AccountText {
    users: Vec<String>,
    groups: Vec<String>,
    roles: Vec<String>,
    attachments: Vec<String>,
}

impl AccountText {
    fn add(
        &mut self,
        id: &ObjectId,
        object: &AccountObject,
        document: &[u8],
    ) -> Result<(), JoinError> {
        match object {
            AccountObject::Itself | AccountObject::Policy(_) => {}
            AccountObject::User(name) => self.users.push(with_name(id, name, document)?),
            AccountObject::Group(name) => {
                self.groups.push(with_name(id, name.as_str(), document)?);
            }
            AccountObject::Role(name) => self.roles.push(with_name(id, name, document)?),
            AccountObject::Attachment(to, scope, policy) => {
                let [to, scope, policy] = [to.to_string(), scope.to_string(), policy.to_string()]
                    .map(|part| quoted(&part));
                let members = [("to", &*to), ("scope", &*scope), ("policy", &*policy)];
                self.attachments.push(self::object(members));
            }
        }
        Ok(())
    }

    fn finish(self) -> String {
        let lists = [
            ("users", self.users),
            ("groups", self.groups),
            ("roles", self.roles),
            ("attachments", self.attachments),
        ];
        let lists = lists.into_iter().filter(|(_, entries)| !entries.is_empty());
        let lists: Vec<String> = lists
            .map(|(name, entries)| format!("  \"{name}\": [\n    {}\n  ]", entries.join(",\n    ")))
            .collect();
        if lists.is_empty() {
            return "{}\n".to_owned();
        }
        format!("{{\n{}\n}}\n", lists.join(",\n"))
    }
}

fn with_name(id: &ObjectId, name: &str, document: &[u8]) -> Result<String, JoinError> {
    let refused = |_| JoinError::NotAnObject { id: id.clone() };
    let members = members(text(id, document)?).map_err(refused)?;
    let name = quoted(name);
    let rest = members.iter().map(|(name, value)| (&**name, value.get()));
    Ok(object([("name", &*name)].into_iter().chain(rest)))
}

fn text<'d>(id: &ObjectId, document: &'d [u8]) -> Result<&'d str, JoinError> {
    std::str::from_utf8(document).map_err(|_| JoinError::NotAnObject { id: id.clone() })
}
