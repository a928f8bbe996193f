//! Whether the documents of a bundle fit together: what one names, another must hold.
//!
//! Each error is told where the name is written, not where it leads nowhere.

use std::collections::{BTreeMap, BTreeSet};

use super::account::{AccountFile, AttachmentEntry};
use super::entry::Placed;
use super::error::EntryErrorKind;
use super::reading::{AccountReading, Reading, Site, duplicate};
use crate::document::position::{Source, Spot};
use crate::document::shipped;
use crate::model::account::{Grantee, Name, PolicyRef};
use crate::model::arn::AccountId;
use crate::model::tag_policy::Dialect;

impl Reading<'_> {
    /// Checks all names that lead from one document to another.
    pub(super) fn check_links(&mut self) {
        let broken = self.broken_links();
        self.refuse_all(broken);
        let missing: Vec<AccountId> = self
            .accounts
            .iter()
            .filter(|(_, read)| !read.has_file)
            .map(|(account, _)| account.clone())
            .collect();
        for account in missing {
            let path = format!("accounts/{account}/account.json");
            self.refuse(&path, EntryErrorKind::AccountFileMissing);
        }
    }
}

type Broken<'f> = Vec<(Site<'f>, EntryErrorKind)>;

impl<'f> Reading<'f> {
    fn broken_links(&self) -> Broken<'f> {
        let mut broken = Vec::new();
        self.check_organizations(&mut broken);
        self.check_resources(&mut broken);
        let mut uids = BTreeMap::new();
        for (account, read) in &self.accounts {
            let Some((file, source, parsed)) = &read.file else {
                continue;
            };
            let mut check = AccountCheck {
                file,
                source: *source,
                broken: &mut broken,
            };
            let known = Known::of(parsed);
            check.names(parsed);
            check.members(parsed, &known);
            check.uids(parsed, &mut uids);
            for entry in &parsed.attachments {
                check.attachment(&known, entry);
                if !self.has_policy(account, read, &entry.attachment.policy) {
                    let policy = entry.attachment.policy.clone();
                    check.refuse(&entry.policy, EntryErrorKind::PolicyUnknown { policy });
                }
            }
            check.attachments_twice(parsed);
        }
        broken
    }

    fn check_organizations(&self, broken: &mut Broken<'f>) {
        let mut ids = BTreeSet::new();
        let mut members: BTreeMap<&AccountId, &str> = BTreeMap::new();
        for (file, source, parsed) in &self.organizations {
            let organization = &parsed.organization;
            let mut refuse = |spot: &Spot, kind| {
                let spot = spot.clone();
                let source = *source;
                broken.push((Site { file, source, spot }, kind));
            };
            if !ids.insert(&organization.id) {
                refuse(&parsed.id.spot, duplicate("organization", &organization.id));
            }
            let mut names = BTreeSet::new();
            for Placed { value: name, spot } in &parsed.names {
                if !names.insert(name) {
                    refuse(spot, duplicate("folder", name));
                }
            }
            for Placed { value, spot } in &parsed.members {
                let account = value.clone();
                if *value == organization.management {
                    refuse(spot, EntryErrorKind::ManagementIsMember { account });
                } else if let Some(first) = members.insert(value, &organization.id) {
                    let organization = first.into();
                    let kind = EntryErrorKind::MemberTwice {
                        account,
                        organization,
                    };
                    refuse(spot, kind);
                }
            }
            for Placed { value, spot } in &parsed.policies {
                if !self.has_control_policy(value) {
                    let policy = value.clone();
                    refuse(spot, EntryErrorKind::PolicyUnknown { policy });
                }
            }
            for Placed { value, spot } in &parsed.tag_policies {
                if let Some(kind) = self.tag_policy_fault(value, organization.dialect) {
                    refuse(spot, kind);
                }
            }
        }
    }

    /// Security 6.2: a path has one dialect.
    fn tag_policy_fault(&self, name: &Name, dialect: Dialect) -> Option<EntryErrorKind> {
        match self.tag.get(name) {
            Some(policy) if policy.dialect == dialect => None,
            Some(policy) => Some(EntryErrorKind::OtherDialect {
                asked: dialect,
                found: policy.dialect,
            }),
            None if self.has_file("policies/tag", name) => None,
            None => Some(EntryErrorKind::TagPolicyUnknown {
                name: name.as_str().into(),
            }),
        }
    }

    fn check_resources(&self, broken: &mut Broken<'f>) {
        let mut arns = BTreeSet::new();
        for resource in &self.resources {
            if !arns.insert(&resource.value.arn) {
                let kind = duplicate("resource", resource.value.arn.as_str());
                broken.push((resource.site.clone(), kind));
            }
        }
    }

    /// A policy whose own file was refused counts as one: its errors are told there.
    fn has_policy(
        &self,
        account: &AccountId,
        read: &AccountReading<'_>,
        policy: &PolicyRef,
    ) -> bool {
        match policy {
            PolicyRef::System(name) => {
                self.system.contains_key(name)
                    || shipped::system_policies().contains_key(name)
                    || self.has_file("policies/system", name)
            }
            PolicyRef::Custom(name) => {
                let directory = format!("accounts/{account}/policies");
                read.policies.contains_key(name) || self.has_file(&directory, name)
            }
        }
    }

    /// `system:` is shipped; `custom:` is of `policies/control`.
    fn has_control_policy(&self, policy: &PolicyRef) -> bool {
        match policy {
            PolicyRef::System(name) => shipped::control_policies().contains_key(name),
            PolicyRef::Custom(name) => {
                self.control.contains_key(name) || self.has_file("policies/control", name)
            }
        }
    }

    fn has_file(&self, directory: &str, name: &Name) -> bool {
        self.files
            .get(&format!("{directory}/{name}.json"))
            .is_some()
    }
}

/// The first user or role with a number.
type Uids<'f, 'r> = BTreeMap<&'r str, Site<'f>>;

struct AccountCheck<'f, 'b> {
    file: &'f str,
    source: Source<'f>,
    broken: &'b mut Broken<'f>,
}

impl<'f> AccountCheck<'f, '_> {
    fn refuse(&mut self, spot: &Spot, kind: EntryErrorKind) {
        let site = self.site(spot);
        self.broken.push((site, kind));
    }

    fn site(&self, spot: &Spot) -> Site<'f> {
        Site {
            file: self.file,
            source: self.source,
            spot: spot.clone(),
        }
    }

    fn names(&mut self, parsed: &AccountFile) {
        let users = parsed.users.iter();
        self.unique("user", users.map(|user| (&*user.value.name, &user.spot)));
        let groups = parsed.groups.iter();
        let groups = groups.map(|group| (group.name.value.as_str(), &group.name.spot));
        self.unique("group", groups);
        let roles = parsed.roles.iter();
        self.unique("role", roles.map(|role| (&*role.value.name, &role.spot)));
    }

    fn unique<'r>(&mut self, sort: &'static str, names: impl Iterator<Item = (&'r str, &'r Spot)>) {
        let mut seen = BTreeSet::new();
        for (name, spot) in names {
            if !seen.insert(name) {
                self.refuse(spot, duplicate(sort, name));
            }
        }
    }

    fn members(&mut self, parsed: &AccountFile, known: &Known<'_>) {
        for group in &parsed.groups {
            let members = group.users.iter();
            self.unique("user", members.map(|user| (&*user.value, &user.spot)));
            for Placed { value, spot } in &group.users {
                if !known.users.contains(&**value) {
                    self.refuse(spot, unknown("user", value));
                }
            }
        }
    }

    /// A number names one user or role of all accounts, or a resource-based policy that names it
    /// would name two; both are refused.
    fn uids<'r>(&mut self, parsed: &'r AccountFile, seen: &mut Uids<'f, 'r>) {
        let users = parsed.users.iter();
        let users = users.map(|user| (user.value.uid.as_deref(), &user.spot));
        let roles = parsed.roles.iter();
        let roles = roles.map(|role| (role.value.uid.as_deref(), &role.spot));
        for (uid, spot) in users.chain(roles) {
            let Some(uid) = uid else {
                continue;
            };
            let site = self.site(spot);
            if let Some(first) = seen.get(uid) {
                let kind = duplicate("uid", uid);
                if first.file != self.file {
                    self.broken.push((first.clone(), kind.clone()));
                }
                self.broken.push((site, kind));
            } else {
                seen.insert(uid, site);
            }
        }
    }

    fn attachment(&mut self, known: &Known<'_>, entry: &AttachmentEntry) {
        let (names, sort, name) = match &entry.attachment.to {
            Grantee::User(name) => (&known.users, "user", &**name),
            Grantee::Group(name) => (&known.groups, "group", name.as_str()),
            Grantee::Role(name) => (&known.roles, "role", &**name),
        };
        if !names.contains(name) {
            self.refuse(&entry.to, unknown(sort, name));
        }
    }

    fn attachments_twice(&mut self, parsed: &AccountFile) {
        let mut seen = BTreeSet::new();
        for entry in &parsed.attachments {
            let attachment = &entry.attachment;
            let key = (&attachment.policy, &attachment.to, &attachment.scope);
            if !seen.insert(key) {
                let name = attachment.policy.to_string();
                self.refuse(&entry.whole, duplicate("attachment of", &name));
            }
        }
    }
}

/// The names of one account.
struct Known<'r> {
    users: BTreeSet<&'r str>,
    groups: BTreeSet<&'r str>,
    roles: BTreeSet<&'r str>,
}

impl<'r> Known<'r> {
    fn of(parsed: &'r AccountFile) -> Self {
        let (users, roles) = (parsed.users.iter(), parsed.roles.iter());
        let groups = parsed.groups.iter();
        Self {
            users: users.map(|user| &*user.value.name).collect(),
            groups: groups.map(|group| group.name.value.as_str()).collect(),
            roles: roles.map(|role| &*role.value.name).collect(),
        }
    }
}

fn unknown(sort: &'static str, name: &str) -> EntryErrorKind {
    let name = name.into();
    EntryErrorKind::IdentityUnknown { sort, name }
}
