//! Which action on which ARN each put and delete is (security 11). `docs/management.md` shows the
//! same table for people.
//!
//! An object that belongs to an account is an ARN of that account. One that belongs to none is an
//! ARN of whoever owns the server ([`Owners`]): of the organizations' management accounts, without
//! an organization of the only account. So no account manages what others are judged by.

use std::collections::BTreeSet;

use super::facts::{GroupFacts, OrganizationFacts, ResourceFacts, RoleFacts, Unread, read};
use super::organization;
use super::owners::Owners;
use crate::document::object::Mention;
use crate::model::account::{Grantee, PolicyRef, Scope};
use crate::model::arn::{AccountId, ArnRef};
use crate::model::object::{AccountObject, ObjectId, SharedPolicy};

/// An action, and everything that it is done to: each must be allowed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Demand {
    /// The action.
    pub action: &'static str,
    /// The ARNs.
    pub arns: Vec<String>,
    /// The value of `ram:ServiceName`, for the actions that need it.
    pub service: Option<String>,
    /// What the ARNs are.
    pub subject: Subject,
}

/// What the ARNs of a demand are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Objects of the authored state, which are in no resource group.
    Authored,
    /// Resources of services, of which the directory knows.
    Resource,
}

impl Demand {
    pub(super) fn new(action: &'static str, arns: impl Into<Vec<String>>) -> Self {
        Self {
            action,
            arns: arns.into(),
            service: None,
            subject: Subject::Authored,
        }
    }
}

/// What is done to an object. Its document is given before and after.
#[derive(Debug, Clone, Copy)]
pub(super) enum Act<'d> {
    Create(&'d [u8]),
    Update(&'d [u8], &'d [u8]),
    Delete(&'d [u8]),
}

impl<'d> Act<'d> {
    /// Nothing, where there is no object before and none after.
    pub(super) fn new(before: Option<&'d [u8]>, after: Option<&'d [u8]>) -> Option<Self> {
        match (before, after) {
            (None, None) => None,
            (None, Some(after)) => Some(Self::Create(after)),
            (Some(before), Some(after)) => Some(Self::Update(before, after)),
            (Some(before), None) => Some(Self::Delete(before)),
        }
    }

    /// One of three, by what is done.
    fn of<T>(self, create: T, update: T, delete: T) -> T {
        match self {
            Self::Create(_) => create,
            Self::Update(..) => update,
            Self::Delete(_) => delete,
        }
    }

    pub(super) fn before(self) -> Option<&'d [u8]> {
        match self {
            Self::Create(_) => None,
            Self::Update(before, _) | Self::Delete(before) => Some(before),
        }
    }

    pub(super) fn after(self) -> Option<&'d [u8]> {
        match self {
            Self::Create(after) | Self::Update(_, after) => Some(after),
            Self::Delete(_) => None,
        }
    }

    /// What both documents say, as far as there are two.
    fn facts<T: serde::de::DeserializeOwned>(self) -> Result<Vec<T>, Unread> {
        let documents = [self.before(), self.after()];
        documents.into_iter().flatten().map(read).collect()
    }
}

/// What a put or a delete demands.
///
/// # Errors
///
/// A document cannot be read as far as its permission depends on it.
pub(super) fn demands(
    id: &ObjectId,
    act: Act<'_>,
    owners: &Owners<'_>,
) -> Result<Vec<Demand>, Unread> {
    let one = |action, arns| Ok(vec![Demand::new(action, arns)]);
    match id {
        ObjectId::Settings => one("tagwarden:PutSettings", arns(id, act, owners)?),
        ObjectId::Callers => one("tagwarden:PutCallers", arns(id, act, owners)?),
        ObjectId::Routes => one("tagwarden:PutRoutes", arns(id, act, owners)?),
        ObjectId::Resources => one("tagwarden:PutResources", arns(id, act, owners)?),
        ObjectId::Catalog(_) => {
            let action = act.of(
                "tagwarden:PutCatalog",
                "tagwarden:PutCatalog",
                "tagwarden:DeleteCatalog",
            );
            one(action, arns(id, act, owners)?)
        }
        ObjectId::Organization(_) => organization::demands(id, act, owners),
        ObjectId::Shared(sort, _) => Ok(vec![Demand {
            subject: subject(id),
            ..Demand::new(shared(*sort, act), arns(id, act, owners)?)
        }]),
        ObjectId::Account(account, object) => in_account(id, account, object, act, owners),
    }
}

/// What the ARNs of an object are.
pub(super) fn subject(id: &ObjectId) -> Subject {
    match id {
        ObjectId::Shared(SharedPolicy::Resource, _) => Subject::Resource,
        ObjectId::Settings
        | ObjectId::Callers
        | ObjectId::Routes
        | ObjectId::Resources
        | ObjectId::Catalog(_)
        | ObjectId::Organization(_)
        | ObjectId::Shared(SharedPolicy::System | SharedPolicy::Control | SharedPolicy::Tag, _)
        | ObjectId::Account(..) => Subject::Authored,
    }
}

fn shared(sort: SharedPolicy, act: Act<'_>) -> &'static str {
    match sort {
        SharedPolicy::System => act.of(
            "tagwarden:PutSystemPolicy",
            "tagwarden:PutSystemPolicy",
            "tagwarden:DeleteSystemPolicy",
        ),
        SharedPolicy::Control => act.of(
            "resourcemanager:CreateControlPolicy",
            "resourcemanager:UpdateControlPolicy",
            "resourcemanager:DeleteControlPolicy",
        ),
        SharedPolicy::Tag => act.of("tag:CreatePolicy", "tag:ModifyPolicy", "tag:DeletePolicy"),
        SharedPolicy::Resource => act.of(
            "tagwarden:PutResourcePolicy",
            "tagwarden:PutResourcePolicy",
            "tagwarden:DeleteResourcePolicy",
        ),
    }
}

fn in_account(
    id: &ObjectId,
    account: &AccountId,
    object: &AccountObject,
    act: Act<'_>,
    owners: &Owners<'_>,
) -> Result<Vec<Demand>, Unread> {
    let arns = arns(id, act, owners)?;
    let demand = |create, update, delete| Demand::new(act.of(create, update, delete), &*arns);
    Ok(match object {
        AccountObject::Itself => vec![demand(
            "resourcemanager:CreateResourceAccount",
            "resourcemanager:UpdateAccount",
            "resourcemanager:DeleteAccount",
        )],
        AccountObject::Policy(_) => vec![demand(
            "ram:CreatePolicy",
            "ram:CreatePolicyVersion",
            "ram:DeletePolicy",
        )],
        AccountObject::User(_) => {
            vec![demand("ram:CreateUser", "ram:UpdateUser", "ram:DeleteUser")]
        }
        AccountObject::Group(_) => {
            let itself = demand("ram:CreateGroup", "ram:UpdateGroup", "ram:DeleteGroup");
            group(account, act, itself)?
        }
        AccountObject::Role(_) => role(act, &arns)?,
        AccountObject::Attachment(grantee, scope, _) => {
            vec![Demand::new(attachment(grantee, scope, act), &*arns)]
        }
    })
}

/// Members are added and removed by actions of their own; a change of nothing else is no update.
fn group(account: &AccountId, act: Act<'_>, itself: Demand) -> Result<Vec<Demand>, Unread> {
    let users = |document: Option<&[u8]>| -> Result<BTreeSet<String>, Unread> {
        let facts: Option<GroupFacts> = document.map(read).transpose()?;
        Ok(facts
            .map(|facts| facts.users.into_iter().collect())
            .unwrap_or_default())
    };
    let (before, after) = (users(act.before())?, users(act.after())?);
    let member = |action, user: &String| {
        let user = ram(account, "user", user);
        let both = itself.arns.iter().cloned().chain([user]);
        Demand::new(action, both.collect::<Vec<String>>())
    };
    let added = after.difference(&before);
    let removed = before.difference(&after);
    let mut demands: Vec<Demand> = added
        .map(|user| member("ram:AddUserToGroup", user))
        .chain(removed.map(|user| member("ram:RemoveUserFromGroup", user)))
        .collect();
    let only_members = matches!(act, Act::Update(..)) && !demands.is_empty();
    if !only_members {
        demands.push(itself);
    }
    Ok(demands)
}

/// A service-linked role stands outside control policies: it has actions of its own.
fn role(act: Act<'_>, arns: &[String]) -> Result<Vec<Demand>, Unread> {
    let facts: Vec<RoleFacts> = act.facts()?;
    let Some(linked) = facts.iter().find(|facts| facts.service_linked) else {
        let action = act.of("ram:CreateRole", "ram:UpdateRole", "ram:DeleteRole");
        return Ok(vec![Demand::new(action, arns)]);
    };
    let action = act.of(
        "ram:CreateServiceLinkedRole",
        "ram:CreateServiceLinkedRole",
        "ram:DeleteServiceLinkedRole",
    );
    Ok(vec![Demand {
        service: Some(linked.service().to_owned()),
        ..Demand::new(action, arns)
    }])
}

fn attachment(grantee: &Grantee, scope: &Scope, act: Act<'_>) -> &'static str {
    let [attach, detach] = match (scope, grantee) {
        (Scope::ResourceGroup(_), _) => [
            "resourcemanager:AttachPolicy",
            "resourcemanager:DetachPolicy",
        ],
        (Scope::Account, Grantee::User(_)) => {
            ["ram:AttachPolicyToUser", "ram:DetachPolicyFromUser"]
        }
        (Scope::Account, Grantee::Group(_)) => {
            ["ram:AttachPolicyToGroup", "ram:DetachPolicyFromGroup"]
        }
        (Scope::Account, Grantee::Role(_)) => {
            ["ram:AttachPolicyToRole", "ram:DetachPolicyFromRole"]
        }
    };
    act.of(attach, attach, detach)
}

/// The ARNs of an object: what a put or a delete of it is done to.
pub(super) fn arns(
    id: &ObjectId,
    act: Act<'_>,
    owners: &Owners<'_>,
) -> Result<Vec<String>, Unread> {
    let server = |service, id: &str| each(service, &owners.server(), id);
    Ok(match id {
        ObjectId::Settings => server("tagwarden", "settings"),
        ObjectId::Callers => server("tagwarden", "callers"),
        ObjectId::Routes => server("tagwarden", "routes"),
        ObjectId::Resources => server("tagwarden", "resources"),
        ObjectId::Catalog(name) => server("tagwarden", &format!("catalog/{name}")),
        ObjectId::Organization(name) => {
            let facts: Vec<OrganizationFacts> = act.facts()?;
            let management = facts.into_iter().map(|facts| facts.management).collect();
            each(
                "resourcemanager",
                &management,
                &format!("organization/{name}"),
            )
        }
        ObjectId::Shared(SharedPolicy::System, name) => {
            server("tagwarden", &format!("systempolicy/{name}"))
        }
        ObjectId::Shared(SharedPolicy::Control, name) => {
            let owners = owners.attaching(&Mention::Control(name.clone()));
            each("resourcemanager", &owners, &format!("controlpolicy/{name}"))
        }
        ObjectId::Shared(SharedPolicy::Tag, name) => {
            let owners = owners.attaching(&Mention::Tag(name.clone()));
            each("tag", &owners, &format!("policy/{name}"))
        }
        ObjectId::Shared(SharedPolicy::Resource, _) => resources(act, owners)?,
        ObjectId::Account(account, object) => match object {
            AccountObject::Itself => server("resourcemanager", &format!("account/{account}")),
            AccountObject::Policy(name) => vec![ram(account, "policy", name.as_str())],
            AccountObject::User(name) => vec![ram(account, "user", name)],
            AccountObject::Group(name) => vec![ram(account, "group", name.as_str())],
            AccountObject::Role(name) => vec![ram(account, "role", name)],
            AccountObject::Attachment(grantee, scope, policy) => {
                attached(account, grantee, scope, policy)
            }
        },
    })
}

/// A policy of a resource is the resource's: before the change and after it.
fn resources(act: Act<'_>, owners: &Owners<'_>) -> Result<Vec<String>, Unread> {
    let facts: Vec<ResourceFacts> = act.facts()?;
    let named: BTreeSet<String> = facts.into_iter().map(|facts| facts.resource).collect();
    let mut found = Vec::new();
    for resource in named {
        let arn = ArnRef::parse(&resource).map_err(|_| Unread)?;
        if arn.owner().is_some() {
            found.push(resource);
            continue;
        }
        // A resource of no account named is one of every account.
        let (service, region, id) = (arn.service(), arn.region(), arn.id());
        let server = owners.server();
        found.extend(
            server
                .iter()
                .map(|owner| format!("acs:{service}:{region}:{owner}:{id}")),
        );
    }
    Ok(found)
}

fn attached(
    account: &AccountId,
    grantee: &Grantee,
    scope: &Scope,
    policy: &PolicyRef,
) -> Vec<String> {
    let grantee = match grantee {
        Grantee::User(name) => ram(account, "user", name),
        Grantee::Group(name) => ram(account, "group", name.as_str()),
        Grantee::Role(name) => ram(account, "role", name),
    };
    let policy = match policy {
        PolicyRef::Custom(name) => ram(account, "policy", name.as_str()),
        PolicyRef::System(name) => ram(account, "policy/system", name.as_str()),
    };
    let scope = match scope {
        Scope::Account => None,
        Scope::ResourceGroup(name) => Some(format!(
            "acs:resourcemanager:*:{account}:resourcegroup/{name}"
        )),
    };
    [grantee, policy].into_iter().chain(scope).collect()
}

fn ram(account: &AccountId, sort: &str, name: &str) -> String {
    format!("acs:ram:*:{account}:{sort}/{name}")
}

/// One ARN for each of several accounts.
pub(super) fn each(service: &str, accounts: &BTreeSet<String>, id: &str) -> Vec<String> {
    let arn = |account: &str| format!("acs:{service}:*:{account}:{id}");
    accounts.iter().map(|account| arn(account)).collect()
}
