//! Gives every user and role the ids of its policies and of its groups' policies.

use hashbrown::{HashMap, HashSet};

use super::Compilation;
use super::error::CompileErrorKind;
use crate::model::account::{Account, Attachment, Grantee, Name, PolicyRef, Scope};
use crate::snapshot::principal::{GroupGrants, PrincipalKind, Said};
use crate::snapshot::symbol::Symbol;
use crate::snapshot::table::PolicyId;

/// One policy, and where it counts. The name stands before the place: they are kept in the order of
/// names, so that no answer depends on which place a policy has.
pub(super) type Grant<'b> = (&'b Scope, &'b PolicyRef, PolicyId);

/// What the users, groups and roles of an account have. Whoever is not in it does not exist.
struct Granted<'b> {
    users: HashMap<&'b str, Vec<Grant<'b>>>,
    groups: HashMap<&'b str, Vec<Grant<'b>>>,
    roles: HashMap<&'b str, Vec<Grant<'b>>>,
}

impl<'b> Granted<'b> {
    fn nothing(account: &'b Account) -> Self {
        let users = account.users.iter().map(|user| user.name.as_str());
        let groups = account.groups.iter().map(|group| group.name.as_str());
        let roles = account.roles.iter().map(|role| role.name.as_str());
        Self {
            users: users.map(|name| (name, Vec::new())).collect(),
            groups: groups.map(|name| (name, Vec::new())).collect(),
            roles: roles.map(|name| (name, Vec::new())).collect(),
        }
    }

    fn get_mut(&mut self, grantee: &Grantee) -> Option<&mut Vec<Grant<'b>>> {
        match grantee {
            Grantee::User(name) => self.users.get_mut(name.as_str()),
            Grantee::Group(name) => self.groups.get_mut(name.as_str()),
            Grantee::Role(name) => self.roles.get_mut(name.as_str()),
        }
    }

    /// Lets the users have what their groups have; tells the names of users that do not exist.
    fn inherit(&mut self, account: &'b Account) -> Vec<&'b str> {
        let mut unknown = Vec::new();
        for group in &account.groups {
            let of_group = self.groups.get(group.name.as_str());
            for user in &group.users {
                match self.users.get_mut(user.as_str()) {
                    Some(own) => own.extend(of_group.into_iter().flatten().copied()),
                    None => unknown.push(user.as_str()),
                }
            }
        }
        unknown.sort_unstable();
        unknown.dedup();
        unknown
    }
}

impl<'b> Compilation<'b> {
    /// The principals of one account.
    pub(super) fn account(&mut self, account: &'b Account) {
        let number = self.interner.symbol(account.id.as_str());
        self.snapshot.accounts.add(number);
        let own = self.custom_policies(account);
        let mut granted = self.grants(account, &own);
        self.check_names(account);
        for name in granted.inherit(account) {
            self.unknown(account, &Grantee::User(name.to_owned()));
        }
        for user in &account.users {
            let grants = granted.users.remove(user.name.as_str());
            let uid = user.uid.as_deref();
            let kind = PrincipalKind::User;
            self.principal(account, &user.name, uid, kind, grants);
        }
        for role in &account.roles {
            let grants = granted.roles.remove(role.name.as_str());
            let uid = role.uid.as_deref();
            let kind = PrincipalKind::Role(role.kind);
            self.principal(account, &role.name, uid, kind, grants);
        }
    }

    fn custom_policies(&mut self, account: &'b Account) -> HashMap<&'b Name, PolicyId> {
        let count = account.policies.len();
        let mut ids = HashMap::with_capacity(count);
        if count > 0 {
            let number = self.interner.symbol(account.id.as_str());
            let snapshot = &mut self.snapshot;
            snapshot.names.reserve(&snapshot.policies, number, count);
        }
        let mut reference = String::new();
        for (name, policy) in &account.policies {
            reference.clear();
            reference.push_str("custom:");
            reference.push_str(name.as_str());
            if let Some(id) = self.policy(&reference, account.id.as_str(), policy) {
                ids.insert(name, id);
            }
        }
        ids
    }

    fn grants(&mut self, account: &'b Account, own: &HashMap<&Name, PolicyId>) -> Granted<'b> {
        let mut granted = Granted::nothing(account);
        for Attachment { policy, to, scope } in &account.attachments {
            let id = match policy {
                PolicyRef::Custom(name) => own.get(name),
                PolicyRef::System(_) => self.system.get(policy),
            };
            let Some(id) = id.copied() else {
                let policy = policy.to_string();
                self.fail(
                    format!("account {}", account.id),
                    CompileErrorKind::UnknownPolicy { policy },
                );
                continue;
            };
            match granted.get_mut(to) {
                Some(grants) => grants.push((scope, policy, id)),
                None => self.unknown(account, to),
            }
        }
        granted
    }

    fn principal(
        &mut self,
        account: &Account,
        name: &str,
        uid: Option<&str>,
        kind: PrincipalKind,
        grants: Option<Vec<Grant<'_>>>,
    ) {
        let symbol = |text: &str| self.interner.symbol(text);
        let (policies, grouped) = by_scope(grants.unwrap_or_default(), symbol);
        self.principals.insert(&Said {
            account: account.id.as_str(),
            kind,
            name,
            uid,
            policies: &policies,
            grouped: &grouped,
        });
    }

    fn check_names(&mut self, account: &Account) {
        let users = account.users.iter().map(|user| user.name.as_str());
        let roles = account.roles.iter().map(|role| role.name.as_str());
        let groups = account.groups.iter().map(|group| group.name.as_str());
        let uids = account.users.iter().filter_map(|user| user.uid.as_deref());
        let uids = uids.chain(account.roles.iter().filter_map(|role| role.uid.as_deref()));
        let names = users.map(|name| ("user", name));
        let names = names.chain(roles.map(|name| ("role", name)));
        let names = names.chain(groups.map(|name| ("group", name)));
        let mut seen = HashSet::new();
        for (sort, name) in names.chain(uids.map(|uid| ("uid", uid))) {
            if !seen.insert((sort, name)) {
                let what = format!("{sort} `{name}`");
                self.fail(
                    format!("account {}", account.id),
                    CompileErrorKind::Duplicate { what },
                );
            }
        }
    }

    fn unknown(&mut self, account: &Account, grantee: &Grantee) {
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

/// The places of what is granted for the account, and for each resource group.
pub(super) fn by_scope(
    mut grants: Vec<Grant<'_>>,
    mut symbol: impl FnMut(&str) -> Symbol,
) -> (Box<[PolicyId]>, Box<[GroupGrants]>) {
    grants.sort_unstable();
    grants.dedup();
    let ids = |grants: &[Grant<'_>]| grants.iter().map(|(_, _, id)| *id).collect();
    let (mut policies, mut grouped): (Box<[PolicyId]>, _) = (Box::default(), Vec::new());
    for alike in grants.chunk_by(|(one, _, _), (other, _, _)| one == other) {
        match alike.first().map(|(scope, _, _)| *scope) {
            Some(Scope::Account) => policies = ids(alike),
            Some(Scope::ResourceGroup(group)) => grouped.push(GroupGrants {
                group: symbol(group.as_str()),
                policies: ids(alike),
            }),
            None => {}
        }
    }
    (policies, grouped.into())
}
