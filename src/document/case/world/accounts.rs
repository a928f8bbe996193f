//! The accounts of a case, made as they are needed.

use std::collections::BTreeMap;

use crate::document::case::request::{Principal, Sort, Unknown};
use crate::model::account::{Account, Group, Name, Role, RoleKind, User};
use crate::model::arn::{AccountId, PrincipalRef};
use crate::model::statement::Policy;

/// The accounts, by number.
#[derive(Debug, Default)]
pub(super) struct Accounts(BTreeMap<AccountId, Account>);

impl Accounts {
    /// Changes an account, which is made if it is not there; `false` where the text is no account.
    pub(super) fn of(&mut self, account: &str, change: impl FnOnce(&mut Account)) -> bool {
        let Ok(id) = AccountId::try_from(account) else {
            return false;
        };
        let known = self.0.entry(id.clone()).or_insert_with(|| Account {
            id,
            users: Vec::new(),
            groups: Vec::new(),
            roles: Vec::new(),
            policies: BTreeMap::new(),
            attachments: Vec::new(),
        });
        change(known);
        true
    }

    /// Puts a principal into its account, or as much of it as the case says is known; `false`
    /// where its ARN is not of the type that is told.
    pub(super) fn put(&mut self, known: PrincipalRef<'_>, told: &Principal) -> bool {
        let account = match told.unknown {
            Some(Unknown::Account) => None,
            Some(Unknown::Identity) | None => known.account(),
        };
        let is_known = told.unknown.is_none();
        let uid = || told.uid.clone();
        let mut change = |change: &dyn Fn(&mut Account)| {
            account.is_none_or(|account| self.of(account, |known| change(known)))
        };
        match (known, told.sort) {
            (PrincipalRef::User { name, .. }, Sort::User) => change(&|account| {
                if is_known {
                    let name = name.to_owned();
                    account.users.push(User { name, uid: uid() });
                }
            }),
            (PrincipalRef::Role { name, .. }, Sort::Role(kind)) => change(&|account| {
                if is_known {
                    account.roles.push(role(name, uid(), kind));
                }
            }),
            (PrincipalRef::Root { .. }, Sort::Root)
            | (PrincipalRef::Federated { .. }, Sort::Federated)
            | (PrincipalRef::Service { .. }, Sort::Service) => change(&|_| ()),
            (_, _) => false,
        }
    }

    /// Puts a user into a group, which is made if it is not there.
    pub(super) fn join(&mut self, account: &str, group: &Name, user: &str) {
        self.of(account, |known| {
            if known.groups.iter().all(|made| made.name != *group) {
                known.groups.push(Group {
                    name: group.clone(),
                    users: vec![user.to_owned()],
                });
            }
        });
    }

    /// Adds statements to the trust policy of a role, which is made if it is not there.
    pub(super) fn trust(&mut self, account: &str, role: &str, policy: &Policy) {
        self.of(account, |known| {
            let made = known.roles.iter().position(|made| made.name == role);
            let place = made.unwrap_or_else(|| {
                known.roles.push(self::role(role, None, RoleKind::Plain));
                known.roles.len() - 1
            });
            if let Some(role) = known.roles.get_mut(place) {
                let statements = policy.statements.iter().cloned();
                let trust = role.trust.get_or_insert_with(|| Policy {
                    statements: Vec::new(),
                });
                trust.statements.extend(statements);
            }
        });
    }

    /// The accounts.
    pub(super) fn finish(self) -> Vec<Account> {
        self.0.into_values().collect()
    }
}

fn role(name: &str, uid: Option<String>, kind: RoleKind) -> Role {
    Role {
        name: name.to_owned(),
        uid,
        kind,
        trust: None,
    }
}
