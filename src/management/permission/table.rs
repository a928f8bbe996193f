//! Which action on which ARN each put and delete is (security 11). `docs/management.md` shows the
//! same table for people.
//!
//! Not here: which ARNs an object is ([`super::arns`]).

use std::collections::BTreeSet;

use super::act::{Act, Demand, Subject};
use super::arns::{arns, ram};
use super::facts::{GroupFacts, RoleFacts, Unread, read};
use super::organization;
use super::owners::Owners;
use crate::model::account::{Grantee, Scope};
use crate::model::arn::AccountId;
use crate::model::object::{AccountObject, ObjectId, SharedPolicy};

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
        ObjectId::Inheritance => one("tagwarden:PutInheritanceRules", arns(id, act, owners)?),
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
        | ObjectId::Inheritance
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
        AccountObject::Inheritance => vec![demand(
            "tagwarden:PutInheritance",
            "tagwarden:PutInheritance",
            "tagwarden:PutInheritance",
        )],
        AccountObject::InheritanceRule(_) => vec![demand(
            "tag:CreateAssociatedResourceRules",
            "tag:UpdateAssociatedResourceRule",
            "tag:DeleteAssociatedResourceRule",
        )],
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
