//! Which ARNs an object is: those that a put or a delete of it is done to.
//!
//! An object that belongs to an account is an ARN of that account. One that belongs to none is an
//! ARN of whoever owns the server ([`Owners`]): of the organizations' management accounts, without
//! an organization of the only account. So no account manages what others are judged by.

use std::collections::BTreeSet;

use super::act::Act;
use super::facts::{OrganizationFacts, ResourceFacts, Unread};
use super::owners::Owners;
use crate::document::object::Mention;
use crate::model::account::{Grantee, PolicyRef, Scope};
use crate::model::arn::{AccountId, ArnRef};
use crate::model::object::{AccountObject, ObjectId, SharedPolicy};

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
        ObjectId::Inheritance => server("tagwarden", "inheritance"),
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
            AccountObject::Inheritance => {
                vec![format!("acs:tagwarden:*:{account}:inheritance")]
            }
            AccountObject::InheritanceRule(rule) => {
                vec![format!("acs:tag:*:{account}:associatedresourcerule/{rule}")]
            }
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

/// The ARN of an identity or a policy of an account.
pub(super) fn ram(account: &AccountId, sort: &str, name: &str) -> String {
    format!("acs:ram:*:{account}:{sort}/{name}")
}

/// One ARN for each of several accounts.
pub(super) fn each(service: &str, accounts: &BTreeSet<String>, id: &str) -> Vec<String> {
    let arn = |account: &str| format!("acs:{service}:*:{account}:{id}");
    accounts.iter().map(|account| arn(account)).collect()
}
