//! Principals of a change: the records of those whose policies or groups are touched.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, account_of};
use crate::compiler::error::CompileErrorKind;
use crate::compiler::principals::{Grant, by_scope};
use crate::document::object::read::group;
use crate::document::object::{Mention, Touched, Unreadable, attachments};
use crate::model::account::{Grantee, Group, Name, PolicyRef, Scope};
use crate::model::arn::AccountId;
use crate::model::bundle::Bundle;
use crate::model::object::{AccountObject, ObjectId};
use crate::snapshot::principal::{PrincipalKind, Said, Sort};

/// A user or role.
type Identity = (AccountId, Sort, String);

/// Its number and what it is.
type Kind = (Option<String>, PrincipalKind);

/// What groups have, as far as it was looked up.
type Groups = BTreeMap<(AccountId, Name), Vec<(Scope, PolicyRef)>>;

impl Change<'_> {
    pub(super) fn principals(&mut self) -> Result<(), Unreadable> {
        let mut groups = Groups::new();
        for (account, sort, name) in self.identities()? {
            self.principal(&account, sort, &name, &mut groups)?;
        }
        Ok(())
    }

    /// Those whose records may differ.
    fn identities(&self) -> Result<BTreeSet<Identity>, Unreadable> {
        let mut found = BTreeSet::new();
        for Touched { id, before: _ } in self.touched {
            let ObjectId::Account(account, object) = id else {
                continue;
            };
            let mut add = |sort, name: &str| {
                found.insert((account.clone(), sort, name.to_owned()));
            };
            match object {
                AccountObject::User(name) | AccountObject::Attachment(Grantee::User(name), ..) => {
                    add(Sort::User, name);
                }
                AccountObject::Role(name) | AccountObject::Attachment(Grantee::Role(name), ..) => {
                    add(Sort::Role, name);
                }
                AccountObject::Attachment(Grantee::Group(name), ..) => {
                    for user in self.members(account, name)? {
                        add(Sort::User, &user);
                    }
                }
                AccountObject::Group(name) => {
                    let before = users(self.before, account, name);
                    let after = users(self.after, account, name);
                    for user in before.symmetric_difference(&after) {
                        add(Sort::User, user);
                    }
                }
                AccountObject::Itself
                | AccountObject::Policy(_)
                | AccountObject::Inheritance
                | AccountObject::InheritanceRule(_) => {}
            }
        }
        Ok(found)
    }

    /// The users of a group; of one that is gone, those that it had.
    fn members(&self, account: &AccountId, name: &Name) -> Result<Vec<String>, Unreadable> {
        let id = ObjectId::Account(account.clone(), AccountObject::Group(name.clone()));
        let document = self.authored.document(&id)?;
        let known = document.and_then(|document| group(name, &document));
        Ok(match known {
            Some(group) => group.users,
            None => users(self.before, account, name)
                .into_iter()
                .map(str::to_owned)
                .collect(),
        })
    }

    /// Notes what one has, or that it is gone.
    fn principal(
        &mut self,
        account: &AccountId,
        sort: Sort,
        name: &str,
        groups: &mut Groups,
    ) -> Result<(), Unreadable> {
        let Some((uid, kind)) = self.identity(account, sort, name)? else {
            let principals = &mut self.compilation.principals;
            principals.remove(account.as_str(), sort, name);
            return Ok(());
        };
        let to = match sort {
            Sort::User => Grantee::User(name.to_owned()),
            Sort::Role => Grantee::Role(name.to_owned()),
        };
        let mut granted = self.granted(account, &to)?;
        if sort == Sort::User {
            let user = Mention::User(account.clone(), name.to_owned());
            for id in self.authored.naming(&user, usize::MAX)? {
                let ObjectId::Account(_, AccountObject::Group(name)) = id else {
                    continue;
                };
                let key = (account.clone(), name.clone());
                if !groups.contains_key(&key) {
                    let of_group = self.granted(account, &Grantee::Group(name))?;
                    groups.insert(key.clone(), of_group);
                }
                granted.extend(groups.get(&key).into_iter().flatten().cloned());
            }
        }
        let grants = self.grants(account, &granted);
        let compilation = &mut self.compilation;
        let interner = &mut compilation.interner;
        let (policies, grouped) = by_scope(grants, |text| interner.symbol(text));
        compilation.principals.insert(&Said {
            account: account.as_str(),
            kind,
            name,
            uid: uid.as_deref(),
            policies: &policies,
            grouped: &grouped,
        });
        Ok(())
    }

    /// What an identity is: as its document says where that is touched, else as it was.
    fn identity(
        &self,
        account: &AccountId,
        sort: Sort,
        name: &str,
    ) -> Result<Option<Kind>, Unreadable> {
        let object = match sort {
            Sort::User => AccountObject::User(name.to_owned()),
            Sort::Role => AccountObject::Role(name.to_owned()),
        };
        let id = ObjectId::Account(account.clone(), object);
        if self.authored.document(&id)?.is_none() {
            return Ok(None);
        }
        let principals = &self.compilation.snapshot.principals;
        let known = match sort {
            Sort::User => principals.user(account.as_str(), name),
            Sort::Role => principals.role(account.as_str(), name),
        };
        let uid = |uid: &[u8]| String::from_utf8_lossy(uid).into_owned();
        let known = || known.map(|known| (known.uid().map(uid), known.kind));
        Ok(said(self.after, account, sort, name).or_else(known))
    }

    /// What is attached to one grantee.
    fn granted(
        &self,
        account: &AccountId,
        to: &Grantee,
    ) -> Result<Vec<(Scope, PolicyRef)>, Unreadable> {
        let ids = self.authored.below(&attachments(account, to), usize::MAX)?;
        let mut granted = Vec::with_capacity(ids.len());
        for id in ids {
            if let ObjectId::Account(_, AccountObject::Attachment(_, scope, policy)) = id {
                granted.push((scope, policy));
            }
        }
        Ok(granted)
    }

    fn grants<'g>(
        &mut self,
        account: &AccountId,
        granted: &'g [(Scope, PolicyRef)],
    ) -> Vec<Grant<'g>> {
        let mut grants = Vec::with_capacity(granted.len());
        for (scope, policy) in granted {
            let owner = match policy {
                PolicyRef::System(_) => "",
                PolicyRef::Custom(_) => account.as_str(),
            };
            let name = policy.to_string();
            match self.compilation.snapshot.place(owner, &name) {
                Some(id) => grants.push((scope, policy, id)),
                None => self.compilation.fail(
                    format!("account {account}"),
                    CompileErrorKind::UnknownPolicy { policy: name },
                ),
            }
        }
        grants
    }
}

fn users<'b>(bundle: &'b Bundle, account: &AccountId, name: &Name) -> BTreeSet<&'b str> {
    let groups = account_of(bundle, account).map(|account| account.groups.iter());
    let found = groups
        .into_iter()
        .flatten()
        .find(|group| group.name == *name);
    let users = found.map(|Group { name: _, users }| users.iter().map(|user| &**user));
    users.into_iter().flatten().collect()
}

/// What the documents of a change say of an identity.
fn said(bundle: &Bundle, account: &AccountId, sort: Sort, name: &str) -> Option<Kind> {
    let account = account_of(bundle, account)?;
    match sort {
        Sort::User => {
            let place = account
                .users
                .binary_search_by(|user| (*user.name).cmp(name));
            let user = account.users.get(place.ok()?)?;
            Some((user.uid.clone(), PrincipalKind::User))
        }
        Sort::Role => {
            let place = account
                .roles
                .binary_search_by(|role| (*role.name).cmp(name));
            let role = account.roles.get(place.ok()?)?;
            Some((role.uid.clone(), PrincipalKind::Role(role.kind)))
        }
    }
}
