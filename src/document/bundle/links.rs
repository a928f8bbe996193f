//! Whether documents fit together: what one names, another must hold.
//!
//! Each error is told where the name is written, not where it leads nowhere. What a document may
//! name is asked of [`Known`]: of all that was read, or of a store around a change.
//!
//! Not here: names that stand twice ([`super::unique`]).

use std::collections::BTreeSet;

use super::entry::Placed;
use super::error::EntryErrorKind;
use super::reading::{AccountPart, OrganizationPart, Site, duplicate, site};
use crate::document::position::Spot;
use crate::document::shipped;
use crate::model::account::{Grantee, Name, PolicyRef};
use crate::model::arn::AccountId;
use crate::model::inheritance::RuleId;
use crate::model::tag_policy::Dialect;

/// Errors at their sites.
pub(in crate::document) type Broken<'f> = Vec<(Site<'f>, EntryErrorKind)>;

/// What documents may name.
pub(in crate::document) trait Known {
    /// Why it cannot be told.
    type Error;

    /// Whether an account has a user, group or role.
    fn has_grantee(&self, account: &AccountId, grantee: &Grantee) -> Result<bool, Self::Error>;

    /// Whether an account may attach a policy.
    fn has_policy(&self, account: &AccountId, policy: &PolicyRef) -> Result<bool, Self::Error>;

    /// Whether there is a policy of `policies/control`.
    fn has_control_policy(&self, name: &Name) -> Result<bool, Self::Error>;

    /// What is known of a tag policy.
    fn tag_policy(&self, name: &Name) -> Result<FoundTagPolicy, Self::Error>;

    /// Whether the operator defined a rule of inheritance.
    fn has_rule(&self, rule: &RuleId) -> Result<bool, Self::Error>;

    /// The organization that an account is a member of, if it is another one than `own`.
    fn other_organization(
        &self,
        account: &AccountId,
        own: &str,
    ) -> Result<Option<String>, Self::Error>;
}

/// What is known of a tag policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::document) enum FoundTagPolicy {
    /// It was read.
    Read(Dialect),
    /// It was refused: its errors are told there.
    Refused,
    /// Nobody wrote it.
    Missing,
}

/// Checks what a document of an account names.
pub(in crate::document) fn check_account<'f, K: Known>(
    account: &AccountId,
    part: &AccountPart<'f>,
    known: &K,
    broken: &mut Broken<'f>,
) -> Result<(), K::Error> {
    let mut refuse = |spot: &Spot, kind| broken.push((site(part.file, part.source, spot), kind));
    for group in &part.parsed.groups {
        let mut seen = BTreeSet::new();
        for Placed { value, spot } in &group.users {
            if !seen.insert(value) {
                refuse(spot, duplicate("user", value));
            }
            if !known.has_grantee(account, &Grantee::User(value.clone()))? {
                refuse(spot, unknown("user", value));
            }
        }
    }
    for entry in &part.parsed.attachments {
        let to = &entry.attachment.to;
        if !known.has_grantee(account, to)? {
            let (sort, name) = match to {
                Grantee::User(name) => ("user", &**name),
                Grantee::Group(name) => ("group", name.as_str()),
                Grantee::Role(name) => ("role", &**name),
            };
            refuse(&entry.to, unknown(sort, name));
        }
        let policy = &entry.attachment.policy;
        if !known.has_policy(account, policy)? {
            let policy = policy.clone();
            refuse(&entry.policy, EntryErrorKind::PolicyUnknown { policy });
        }
    }
    Ok(())
}

/// Checks what an organization names, and that its nodes are each named once.
pub(in crate::document) fn check_organization<'f, K: Known>(
    part: &OrganizationPart<'f>,
    known: &K,
    broken: &mut Broken<'f>,
) -> Result<(), K::Error> {
    let mut refuse = |spot: &Spot, kind| broken.push((site(part.file, part.source, spot), kind));
    let organization = &part.parsed.organization;
    let mut names = BTreeSet::new();
    for Placed { value: name, spot } in &part.parsed.names {
        if !names.insert(name) {
            refuse(spot, duplicate("folder", name));
        }
    }
    let mut members = BTreeSet::new();
    for Placed { value, spot } in &part.parsed.members {
        let (account, id) = (value.clone(), &organization.id);
        if *value == organization.management {
            refuse(spot, EntryErrorKind::ManagementIsMember { account });
            continue;
        }
        let first = if members.insert(value) {
            known.other_organization(value, id)?
        } else {
            Some(id.clone())
        };
        if let Some(first) = first {
            let organization = (&*first).into();
            let kind = EntryErrorKind::MemberTwice {
                account,
                organization,
            };
            refuse(spot, kind);
        }
    }
    for Placed { value, spot } in &part.parsed.policies {
        if !has_control_policy(value, known)? {
            let policy = value.clone();
            refuse(spot, EntryErrorKind::PolicyUnknown { policy });
        }
    }
    for Placed { value, spot } in &part.parsed.tag_policies {
        let found = known.tag_policy(value)?;
        if let Some(kind) = tag_policy_fault(value, organization.dialect, found) {
            refuse(spot, kind);
        }
    }
    Ok(())
}

/// `system:` is shipped; `custom:` is of `policies/control`.
fn has_control_policy<K: Known>(policy: &PolicyRef, known: &K) -> Result<bool, K::Error> {
    match policy {
        PolicyRef::System(name) => Ok(shipped::control_policies().contains_key(name)),
        PolicyRef::Custom(name) => known.has_control_policy(name),
    }
}

/// Security 6.2: a path has one dialect.
fn tag_policy_fault(name: &Name, asked: Dialect, found: FoundTagPolicy) -> Option<EntryErrorKind> {
    match found {
        FoundTagPolicy::Read(found) if found == asked => None,
        FoundTagPolicy::Read(found) => Some(EntryErrorKind::OtherDialect { asked, found }),
        FoundTagPolicy::Refused => None,
        FoundTagPolicy::Missing => Some(EntryErrorKind::TagPolicyUnknown {
            name: name.as_str().into(),
        }),
    }
}

fn unknown(sort: &'static str, name: &str) -> EntryErrorKind {
    let name = name.into();
    EntryErrorKind::IdentityUnknown { sort, name }
}
