//! Gives every user and role the ids of its policies and of its groups' policies.

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;

use super::Compilation;
use super::error::CompileErrorKind;
use crate::model::account::{Account, Attachment, Grantee, Group, PolicyRef, Scope};
use crate::snapshot::principal::{GroupGrants, Principal, PrincipalKind};
use crate::snapshot::symbol::Symbol;
use crate::snapshot::table::PolicyId;

/// What one grantee has, by scope and in the order of names: no answer depends on which place a
/// policy has.
pub(super) type Grants = BTreeMap<Scope, BTreeMap<PolicyRef, PolicyId>>;

impl<'b> Compilation<'b> {
    /// The principals of one account.
    pub(super) fn account(&mut self, account: &'b Account) {
        let number = self.interner.symbol(account.id.as_str());
        self.snapshot.accounts.add(number);
        let own = self.custom_policies(account);
        let granted = self.grants(account, &own);
        self.check_names(account);
        let mut users: BTreeMap<&str, Vec<&Group>> = BTreeMap::new();
        for group in &account.groups {
            for user in &group.users {
                users.entry(user).or_default().push(group);
            }
        }
        for user in &account.users {
            let groups = users.remove(user.name.as_str()).unwrap_or_default();
            let grantees = std::iter::once(Grantee::User(user.name.clone())).chain(
                groups
                    .iter()
                    .map(|group| Grantee::Group(group.name.clone())),
            );
            let grants = merge(grantees, &granted);
            self.principal(
                account,
                &user.name,
                user.uid.as_deref(),
                PrincipalKind::User,
                grants,
            );
        }
        for name in users.into_keys() {
            self.unknown(account, Grantee::User(name.to_owned()));
        }
        for role in &account.roles {
            let grants = merge([Grantee::Role(role.name.clone())], &granted);
            let kind = PrincipalKind::Role(role.kind);
            self.principal(account, &role.name, role.uid.as_deref(), kind, grants);
        }
    }

    fn custom_policies(&mut self, account: &'b Account) -> BTreeMap<PolicyRef, PolicyId> {
        let mut ids = BTreeMap::new();
        for (name, policy) in &account.policies {
            let reference = PolicyRef::Custom(name.clone());
            if let Some(id) = self.policy(&reference.to_string(), account.id.as_str(), policy) {
                ids.insert(reference, id);
            }
        }
        ids
    }

    fn grants(
        &mut self,
        account: &Account,
        own: &BTreeMap<PolicyRef, PolicyId>,
    ) -> BTreeMap<Grantee, Grants> {
        let grantees = grantees(account);
        let mut granted: BTreeMap<Grantee, Grants> = BTreeMap::new();
        for Attachment { policy, to, scope } in &account.attachments {
            let id = own.get(policy).or_else(|| self.system.get(policy)).copied();
            let Some(id) = id else {
                let policy = policy.to_string();
                self.fail(
                    format!("account {}", account.id),
                    CompileErrorKind::UnknownPolicy { policy },
                );
                continue;
            };
            if !grantees.contains(to) {
                self.unknown(account, to.clone());
            }
            granted
                .entry(to.clone())
                .or_default()
                .entry(scope.clone())
                .or_default()
                .insert(policy.clone(), id);
        }
        granted
    }

    fn principal(
        &mut self,
        account: &Account,
        name: &str,
        uid: Option<&str>,
        kind: PrincipalKind,
        grants: Grants,
    ) {
        let interner = &mut self.interner;
        let account = interner.symbol(account.id.as_str());
        let symbol = |text: &str| interner.symbol(text);
        let (policies, grouped) = by_scope(grants, symbol);
        self.snapshot.principals.insert(Principal {
            account,
            kind,
            name: name.into(),
            uid: uid.map(Into::into),
            policies,
            grouped,
        });
    }

    fn check_names(&mut self, account: &Account) {
        let users = account
            .users
            .iter()
            .map(|user| format!("user `{}`", user.name));
        let roles = account
            .roles
            .iter()
            .map(|role| format!("role `{}`", role.name));
        let groups = account
            .groups
            .iter()
            .map(|group| format!("group `{}`", group.name));
        let uids = account.users.iter().filter_map(|user| user.uid.as_ref());
        let uids = uids.chain(account.roles.iter().filter_map(|role| role.uid.as_ref()));
        let uids = uids.map(|uid| format!("uid `{uid}`"));
        let mut seen = BTreeSet::new();
        for what in users.chain(roles).chain(groups).chain(uids) {
            if !seen.insert(what.clone()) {
                self.fail(
                    format!("account {}", account.id),
                    CompileErrorKind::Duplicate { what },
                );
            }
        }
    }

    fn unknown(&mut self, account: &Account, grantee: Grantee) {
        let grantee = match grantee {
            Grantee::User(name) => format!("user `{name}`"),
            Grantee::Group(name) => format!("group `{name}`"),
            Grantee::Role(name) => format!("role `{name}`"),
        };
        self.fail(
            format!("account {}", account.id),
            CompileErrorKind::UnknownGrantee { grantee },
        );
    }
}

/// Everybody to whom a policy may be attached.
fn grantees(account: &Account) -> HashSet<Grantee> {
    let users = account.users.iter();
    let groups = account.groups.iter();
    let roles = account.roles.iter();
    users
        .map(|user| Grantee::User(user.name.clone()))
        .chain(groups.map(|group| Grantee::Group(group.name.clone())))
        .chain(roles.map(|role| Grantee::Role(role.name.clone())))
        .collect()
}

fn merge(
    grantees: impl IntoIterator<Item = Grantee>,
    granted: &BTreeMap<Grantee, Grants>,
) -> Grants {
    let mut all = Grants::new();
    for grants in grantees
        .into_iter()
        .filter_map(|grantee| granted.get(&grantee))
    {
        for (scope, policies) in grants {
            let all = all.entry(scope.clone()).or_default();
            all.extend(policies.iter().map(|(policy, id)| (policy.clone(), *id)));
        }
    }
    all
}

/// The places of what is granted for the account, and for each resource group.
pub(super) fn by_scope(
    mut grants: Grants,
    mut symbol: impl FnMut(&str) -> Symbol,
) -> (Box<[PolicyId]>, Box<[GroupGrants]>) {
    let policies = grants.remove(&Scope::Account).unwrap_or_default();
    let grouped = grants
        .into_iter()
        .filter_map(|(scope, policies)| match scope {
            Scope::Account => None,
            Scope::ResourceGroup(group) => Some(GroupGrants {
                group: symbol(group.as_str()),
                policies: policies.into_values().collect(),
            }),
        });
    let grouped = grouped.collect();
    (policies.into_values().collect(), grouped)
}
