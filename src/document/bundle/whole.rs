//! Whether all documents of a bundle fit together: the names that lead from one to another, and
//! those that stand twice.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use hashbrown::{HashMap, HashSet};

use super::account::AccountFile;
use super::error::EntryErrorKind;
use super::links::{Broken, FoundTagPolicy, Known, check_account, check_organization};
use super::reading::{AccountPart, Reading, Site, duplicate, site};
use crate::document::position::Spot;
use crate::document::shipped;
use crate::model::account::{Grantee, Name, PolicyRef};
use crate::model::arn::AccountId;
use crate::model::inheritance::RuleId;

impl<'f> Reading<'f> {
    /// The errors of all names that lead from one document to another.
    pub(super) fn broken_links(&self) -> Result<Broken<'f>, Infallible> {
        let mut broken = Vec::new();
        let whole = Whole::of(self);
        let mut ids = BTreeSet::new();
        for part in &self.organizations {
            let id = &part.parsed.organization.id;
            if !ids.insert(id) {
                let site = site(part.file, part.source, &part.parsed.id.spot);
                broken.push((site, duplicate("organization", id)));
            }
            check_organization(part, &whole, &mut broken)?;
        }
        self.resources_twice(&mut broken);
        self.inheritance.check(&whole, &mut broken)?;
        let is_there = |account: &AccountId| {
            let read = self.accounts.get(account);
            read.is_some_and(|read| read.is_there)
        };
        self.inheritance.check_accounts(is_there, &mut broken);
        let mut uids = Uids::new();
        let checked = self.accounts.iter().filter(|(_, read)| !read.is_broken);
        for (account, read) in checked {
            for part in &read.parts {
                names_twice(part, &mut broken);
                uids_twice(part, &mut uids, &mut broken);
                check_account(account, part, &whole, &mut broken)?;
            }
        }
        Ok(broken)
    }

    fn resources_twice(&self, broken: &mut Broken<'f>) {
        let mut arns = HashSet::with_capacity(self.resources.len());
        for resource in &self.resources {
            if !arns.insert(&resource.value.arn) {
                let kind = duplicate("resource", resource.value.arn.as_str());
                broken.push((resource.site.clone(), kind));
            }
        }
    }
}

/// The first user or role with a number.
type Uids<'f, 'r> = HashMap<&'r str, Site<'f>>;

/// A number names one user or role of all accounts, or a resource-based policy that names it
/// would name two; both are refused.
fn uids_twice<'f, 'r>(part: &'r AccountPart<'f>, seen: &mut Uids<'f, 'r>, broken: &mut Broken<'f>) {
    for (uid, spot) in part.parsed.uids() {
        let site = site(part.file, part.source, spot);
        if let Some(first) = seen.get(uid) {
            let kind = duplicate("uid", uid);
            if first.file != part.file {
                broken.push((first.clone(), kind.clone()));
            }
            broken.push((site, kind));
        } else {
            seen.insert(uid, site);
        }
    }
}

fn names_twice<'f>(part: &AccountPart<'f>, broken: &mut Broken<'f>) {
    let AccountFile {
        users,
        groups,
        roles,
        attachments,
    } = &part.parsed;
    let mut unique = Unique { part, broken };
    unique.check(
        "user",
        users.iter().map(|user| (&*user.value.name, &user.spot)),
    );
    let groups = groups.iter().map(|group| &group.name);
    unique.check(
        "group",
        groups.map(|name| (name.value.as_str(), &name.spot)),
    );
    unique.check(
        "role",
        roles.iter().map(|role| (&*role.value.name, &role.spot)),
    );
    let mut seen = HashSet::with_capacity(attachments.len());
    for entry in attachments {
        if !seen.insert(&entry.attachment) {
            let name = entry.attachment.policy.to_string();
            unique.refuse(&entry.whole, duplicate("attachment of", &name));
        }
    }
}

struct Unique<'f, 'u> {
    part: &'u AccountPart<'f>,
    broken: &'u mut Broken<'f>,
}

impl Unique<'_, '_> {
    fn refuse(&mut self, spot: &Spot, kind: EntryErrorKind) {
        let site = site(self.part.file, self.part.source, spot);
        self.broken.push((site, kind));
    }

    fn check<'r>(&mut self, sort: &'static str, names: impl Iterator<Item = (&'r str, &'r Spot)>) {
        let mut seen = HashSet::new();
        for (name, spot) in names {
            if !seen.insert(name) {
                self.refuse(spot, duplicate(sort, name));
            }
        }
    }
}

/// All that was read, as what documents may name.
struct Whole<'r, 'f> {
    reading: &'r Reading<'f>,
    names: BTreeMap<&'r AccountId, Names<'r>>,
    /// The organization that each account is a member of; the first that was read.
    members: BTreeMap<&'r AccountId, &'r str>,
}

/// The names of one account.
#[derive(Default)]
struct Names<'r> {
    users: HashSet<&'r str>,
    groups: HashSet<&'r str>,
    roles: HashSet<&'r str>,
    policies: HashSet<&'r str>,
}

impl<'r, 'f> Whole<'r, 'f> {
    fn of(reading: &'r Reading<'f>) -> Self {
        let mut members = BTreeMap::new();
        for part in &reading.organizations {
            for member in &part.parsed.members {
                members
                    .entry(&member.value)
                    .or_insert(&*part.parsed.organization.id);
            }
        }
        let mut names: BTreeMap<_, Names<'_>> = BTreeMap::new();
        for (account, read) in &reading.accounts {
            let known = names.entry(account).or_default();
            let policies = read.policies.keys();
            known.policies.extend(policies.map(Name::as_str));
            for AccountPart { parsed, .. } in &read.parts {
                let users = parsed.users.iter();
                known.users.extend(users.map(|user| &*user.value.name));
                let groups = parsed.groups.iter();
                known
                    .groups
                    .extend(groups.map(|group| group.name.value.as_str()));
                let roles = parsed.roles.iter();
                known.roles.extend(roles.map(|role| &*role.value.name));
            }
        }
        Self {
            reading,
            names,
            members,
        }
    }
}

/// A policy whose own document was refused counts as one: its errors are told there.
impl Known for Whole<'_, '_> {
    type Error = Infallible;

    fn has_grantee(&self, account: &AccountId, grantee: &Grantee) -> Result<bool, Infallible> {
        let names = self.names.get(account);
        Ok(names.is_some_and(|names| match grantee {
            Grantee::User(name) => names.users.contains(&**name),
            Grantee::Group(name) => names.groups.contains(name.as_str()),
            Grantee::Role(name) => names.roles.contains(&**name),
        }))
    }

    fn has_policy(&self, account: &AccountId, policy: &PolicyRef) -> Result<bool, Infallible> {
        let reading = self.reading;
        Ok(match policy {
            PolicyRef::System(name) => {
                reading.system.contains_key(name)
                    || shipped::system_policies().contains_key(name)
                    || reading.is_refused("policies/system", name)
            }
            PolicyRef::Custom(name) => {
                let names = self.names.get(account);
                names.is_some_and(|names| names.policies.contains(name.as_str()))
                    || reading.is_refused(&format!("accounts/{account}/policies"), name)
            }
        })
    }

    fn has_control_policy(&self, name: &Name) -> Result<bool, Infallible> {
        Ok(self.reading.control.contains_key(name)
            || self.reading.is_refused("policies/control", name))
    }

    fn tag_policy(&self, name: &Name) -> Result<FoundTagPolicy, Infallible> {
        Ok(match self.reading.tag.get(name) {
            Some(policy) => FoundTagPolicy::Read(policy.dialect),
            None if self.reading.is_refused("policies/tag", name) => FoundTagPolicy::Refused,
            None => FoundTagPolicy::Missing,
        })
    }

    fn has_rule(&self, rule: &RuleId) -> Result<bool, Infallible> {
        Ok(self.reading.inheritance.defines(rule))
    }

    fn other_organization(
        &self,
        account: &AccountId,
        own: &str,
    ) -> Result<Option<String>, Infallible> {
        let first = self.members.get(account).filter(|first| **first != own);
        Ok(first.map(|first| (*first).to_owned()))
    }
}
