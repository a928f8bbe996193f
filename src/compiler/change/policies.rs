//! Policies of a change: each keeps its place in the table, or gets one; what is gone leaves its
//! place to the next.

use super::{Change, account_of};
use crate::document::object::Touched;
use crate::document::shipped;
use crate::model::account::PolicyRef;
use crate::model::bundle::Bundle;
use crate::model::object::{AccountObject, ObjectId, SharedPolicy};
use crate::model::statement::Policy;

impl Change<'_> {
    /// Custom, system and control policies.
    pub(super) fn policies(&mut self) {
        for Touched { id, before: _ } in self.touched {
            let Some((account, name)) = place(id) else {
                continue;
            };
            if let Some(policy) = written(self.after, id) {
                self.compilation.policy(&name, account, policy);
            } else if let Some(shipped) = shipped_policy(id) {
                self.compilation.policy(&name, account, shipped);
            } else {
                self.remove(account, &name);
            }
        }
    }

    /// Trust policies, and policies on resources.
    pub(super) fn attached(&mut self) {
        for account in &self.before.accounts {
            for role in account.roles.iter().filter(|role| role.trust.is_some()) {
                let name = format!("trust:{}", role.name);
                let id = format!("role/{}", role.name);
                self.detach(account.id.as_str(), &name, "ram", &id);
            }
        }
        for policy in &self.before.resource_policies {
            let name = format!("resource:{}", policy.name);
            let arn = policy.resource.fields();
            self.detach("", &name, arn.service(), arn.id());
        }
        for account in &self.after.accounts {
            self.compilation.trust(account);
        }
        for policy in &self.after.resource_policies {
            let name = format!("resource:{}", policy.name);
            self.compilation
                .attach(&name, &policy.resource, &policy.policy);
        }
    }

    fn detach(&mut self, account: &str, name: &str, service: &str, id: &str) {
        let Some(policy) = self.compilation.snapshot.place(account, name) else {
            return;
        };
        let interner = &mut self.compilation.interner;
        let (service, id) = (interner.symbol(service), interner.symbol(id));
        let attached = &mut self.compilation.snapshot.attached;
        attached.remove(&service, id, policy);
        self.remove(account, name);
    }

    fn remove(&mut self, account: &str, name: &str) {
        let snapshot = &mut self.compilation.snapshot;
        if let Some(id) = snapshot.names.remove(&snapshot.policies, account, name) {
            snapshot.policies.remove(id);
        }
    }
}

/// What a change says of a policy.
fn written<'b>(after: &'b Bundle, id: &ObjectId) -> Option<&'b Policy> {
    match id {
        ObjectId::Shared(SharedPolicy::System, name) => after.system_policies.get(name),
        ObjectId::Shared(SharedPolicy::Control, name) => after.control_policies.get(name),
        ObjectId::Account(account, AccountObject::Policy(name)) => {
            account_of(after, account)?.policies.get(name)
        }
        ObjectId::Account(..)
        | ObjectId::Shared(SharedPolicy::Tag | SharedPolicy::Resource, _)
        | ObjectId::Settings
        | ObjectId::Callers
        | ObjectId::Routes
        | ObjectId::Catalog(_)
        | ObjectId::Organization(_)
        | ObjectId::Resources => None,
    }
}

/// The account and the name under which a policy stands.
fn place(id: &ObjectId) -> Option<(&str, String)> {
    let (account, reference) = match id {
        ObjectId::Shared(SharedPolicy::System, name) => ("", PolicyRef::System(name.clone())),
        ObjectId::Shared(SharedPolicy::Control, name) => ("", PolicyRef::Custom(name.clone())),
        ObjectId::Account(account, AccountObject::Policy(name)) => {
            (account.as_str(), PolicyRef::Custom(name.clone()))
        }
        ObjectId::Account(..)
        | ObjectId::Shared(SharedPolicy::Tag | SharedPolicy::Resource, _)
        | ObjectId::Settings
        | ObjectId::Callers
        | ObjectId::Routes
        | ObjectId::Catalog(_)
        | ObjectId::Organization(_)
        | ObjectId::Resources => return None,
    };
    Some((account, reference.to_string()))
}

/// The shipped policy that shows again when one of its name is gone.
fn shipped_policy(id: &ObjectId) -> Option<&'static Policy> {
    match id {
        ObjectId::Shared(SharedPolicy::System, name) => shipped::system_policies().get(name),
        ObjectId::Shared(SharedPolicy::Control | SharedPolicy::Tag | SharedPolicy::Resource, _)
        | ObjectId::Account(..)
        | ObjectId::Settings
        | ObjectId::Callers
        | ObjectId::Routes
        | ObjectId::Catalog(_)
        | ObjectId::Organization(_)
        | ObjectId::Resources => None,
    }
}
