//! The layers of evaluation: which statements stand where, for one sub-check.

mod faults;

pub(super) use self::faults::{faults, is_unknown};
use crate::model::account::{Account, Grantee, Name, PolicyRef, RoleKind, Scope};
use crate::model::arn::{AccountId, ArnRef, ResourceName};
use crate::model::bundle::Bundle;
use crate::model::organization::{ControlAttachment, EffectScope};
use crate::model::request::SessionClaim;
use crate::model::settings::ControlScope;
use crate::model::statement::Policy;

use super::principal::Standing;
use super::statement::{Placed, PolicyName};
use super::subcheck::{Group, Question, SubCheck};

/// One level of control policies.
#[derive(Debug)]
pub(super) enum Level<'a> {
    /// It binds nobody here.
    Passes,
    /// Its policies form one unit.
    Unit(Vec<Placed<'a>>),
}

/// The control levels of every chain in force, from the member up (decision 19).
pub(super) fn control<'a>(question: &'a Question<'_>, sub: &'a SubCheck<'_>) -> Vec<Level<'a>> {
    // Service-linked roles are exempt.
    if question.standing.role_kind() == Some(RoleKind::ServiceLinked) {
        return Vec::new();
    }
    let mut accounts: Vec<&str> = vec![&sub.owner];
    if question.bundle.settings.control_scope == ControlScope::OwnerAndPrincipal {
        // The principal's chain follows the owner's, if it is another one.
        let other = question.principal.account().filter(|own| *own != sub.owner);
        accounts.extend(other);
    }
    let mut levels = Vec::new();
    for account in accounts {
        levels.extend(chain(question, account));
    }
    levels
}

fn chain<'a>(question: &'a Question<'_>, account: &'a str) -> Vec<Level<'a>> {
    let Ok(id) = AccountId::try_from(account) else {
        return Vec::new();
    };
    let mut organizations = question.bundle.organizations.iter();
    let found =
        organizations.find_map(|organization| Some((organization, organization.chain(&id)?)));
    let Some((organization, attachments)) = found else {
        return Vec::new();
    };
    // Every identity of the organization's management account is exempt.
    if question.principal.account() == Some(organization.management.as_str()) {
        return Vec::new();
    }
    attachments
        .into_iter()
        .map(|level| control_level(question, account, level))
        .collect()
}

fn control_level<'a>(
    question: &'a Question<'_>,
    account: &'a str,
    attachments: &'a [ControlAttachment],
) -> Level<'a> {
    let is_root = matches!(question.standing, Standing::Root(_));
    // Root is bound by policies with effect scope All alone; a level without one passes.
    let binding: Vec<&ControlAttachment> = attachments
        .iter()
        .filter(|attachment| !is_root || attachment.effect_scope == EffectScope::All)
        .collect();
    // A node without control policies has `FullAliyunAccess`.
    if binding.is_empty() {
        return Level::Passes;
    }
    let mut unit = Vec::new();
    for attachment in binding {
        let policy = control_policy(question.bundle, &attachment.policy);
        unit.extend(placed(
            policy,
            PolicyName::Attached(&attachment.policy),
            account,
            None,
        ));
    }
    Level::Unit(unit)
}

fn control_policy<'a>(bundle: &'a Bundle, policy: &PolicyRef) -> Option<&'a Policy> {
    match policy {
        PolicyRef::Custom(name) => bundle.control_policies.get(name),
        PolicyRef::System(name) => bundle
            .control_policies
            .get(name)
            .or_else(|| bundle.system_policies.get(name)),
    }
}

fn placed<'a>(
    policy: Option<&'a Policy>,
    name: PolicyName<'a>,
    account: &'a str,
    group: Option<&'a Name>,
) -> Vec<Placed<'a>> {
    let statements = policy.map_or(&[] as &[_], |policy| policy.statements.as_slice());
    let place = |(index, statement)| Placed {
        policy: name,
        index,
        statement,
        account,
        group,
    };
    statements.iter().enumerate().map(place).collect()
}

/// The session policy, where there is one (decision 20).
pub(super) fn session<'a>(question: &'a Question<'_>) -> Option<Vec<Placed<'a>>> {
    match &question.request.session {
        SessionClaim::Unstated | SessionClaim::None => None,
        SessionClaim::Policy(policy) => {
            let account = question.principal.account().unwrap_or_default();
            Some(placed(Some(policy), PolicyName::Session, account, None))
        }
    }
}

/// Identity policies at account scope, and at the scope of every group.
#[derive(Debug, Default)]
pub(super) struct Identity<'a> {
    pub(super) account: Vec<Placed<'a>>,
    pub(super) groups: Vec<Placed<'a>>,
}

impl<'a> Identity<'a> {
    /// The statements at the scope of the resource's group; of every group where it is unknown.
    pub(super) fn of_group(&self, sub: &SubCheck<'_>) -> Vec<Placed<'a>> {
        let stands = |placed: &&Placed<'a>| match &sub.group {
            Group::Unknown => true,
            Group::Outside => false,
            Group::In(name) => placed.group.is_some_and(|scope| scope.as_str() == name),
        };
        self.groups.iter().filter(stands).copied().collect()
    }
}

/// Decision 21: identity policies apply to users and roles: a user's own, those of its groups, and
/// a role's own.
pub(super) fn identity<'a>(question: &'a Question<'_>, sub: &SubCheck<'_>) -> Option<Identity<'a>> {
    let (home, wanted) = match question.standing {
        Standing::User(home, user) => {
            let groups = home
                .groups
                .iter()
                .filter(|group| group.users.contains(&user.name))
                .map(|group| Grantee::Group(group.name.clone()));
            let own = std::iter::once(Grantee::User(user.name.clone()));
            (home, own.chain(groups).collect::<Vec<_>>())
        }
        Standing::Role(home, role) => (home, vec![Grantee::Role(role.name.clone())]),
        Standing::Unknown | Standing::Root(_) | Standing::Outsider => return None,
    };
    let mut found = Identity::default();
    for attachment in home
        .attachments
        .iter()
        .filter(|given| wanted.contains(&given.to))
    {
        let policy = identity_policy(question.bundle, home, &attachment.policy);
        let name = PolicyName::Attached(&attachment.policy);
        let account = home.id.as_str();
        match &attachment.scope {
            Scope::Account => found.account.extend(placed(policy, name, account, None)),
            // Decision 21: group scope applies only to resources of the principal's own account.
            Scope::ResourceGroup(_) if account != sub.owner => {}
            Scope::ResourceGroup(group) => {
                found
                    .groups
                    .extend(placed(policy, name, account, Some(group)));
            }
        }
    }
    Some(found)
}

fn identity_policy<'a>(
    bundle: &'a Bundle,
    home: &'a Account,
    policy: &PolicyRef,
) -> Option<&'a Policy> {
    match policy {
        PolicyRef::System(name) => bundle.system_policies.get(name),
        PolicyRef::Custom(name) => home.policies.get(name),
    }
}

/// Resource-based and trust documents of the resource (decision 22): one unit.
pub(super) fn resource_based<'a>(
    question: &'a Question<'_>,
    sub: &'a SubCheck<'_>,
) -> Vec<Placed<'a>> {
    let ResourceName::Arn(arn) = sub.name else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for document in &question.bundle.resource_policies {
        let at = document.resource.fields();
        let region_open = |region: &str| matches!(region, "" | "*");
        let same_region =
            at.region() == arn.region() || region_open(at.region()) || region_open(arn.region());
        if at.service() == arn.service()
            && same_region
            && at.owner().is_none_or(|owner| owner == sub.owner)
            && stands_at_or_below(arn, at.id())
        {
            let name = PolicyName::Resource(&document.name);
            found.extend(placed(Some(&document.policy), name, &sub.owner, None));
        }
    }
    found.extend(trust(question, sub, arn));
    found
}

/// A trust policy is attached to its role; the region is not compared.
fn trust<'a>(
    question: &'a Question<'_>,
    sub: &'a SubCheck<'_>,
    arn: ArnRef<'_>,
) -> Vec<Placed<'a>> {
    let mut found = Vec::new();
    let owners = question.bundle.accounts.iter();
    for account in owners.filter(|account| account.id.as_str() == sub.owner) {
        for role in &account.roles {
            let id = format!("role/{}", role.name);
            if arn.service() == "ram" && stands_at_or_below(arn, &id) {
                let name = PolicyName::Trust(&role.name);
                found.extend(placed(role.trust.as_ref(), name, &sub.owner, None));
            }
        }
    }
    found
}

fn stands_at_or_below(arn: ArnRef<'_>, id: &str) -> bool {
    arn.id() == id || arn.id().starts_with(&format!("{id}/"))
}
