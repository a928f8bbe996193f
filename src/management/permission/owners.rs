//! To which accounts what belongs that stands in no account.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{OrganizationFacts, Unread, read};
use crate::document::object::{Authored, Mention, Unreadable};
use crate::model::object::ObjectId;
use crate::snapshot::Snapshot;

/// The most organizations that are looked at; with more, nobody but administrators owns anything.
const ORGANIZATIONS: usize = 1_000;

/// The accounts that own what belongs to none, in one state.
pub(super) struct Owners<'s> {
    state: &'s dyn Authored,
    server: BTreeSet<String>,
    /// The management accounts by the ids of their organizations.
    management: BTreeMap<String, String>,
}

/// The account field of what nobody but an administrator owns: no identity policy reaches it.
const NOBODY: &str = "";

impl<'s> Owners<'s> {
    /// The owners in a state.
    ///
    /// # Errors
    ///
    /// When the state cannot be read.
    pub(super) fn new(
        state: &'s dyn Authored,
        snapshot: Option<&Snapshot>,
    ) -> Result<Self, Unreadable> {
        let organizations = state.below("organizations/", ORGANIZATIONS)?;
        let mut server = BTreeSet::new();
        let mut by_id = BTreeMap::new();
        for organization in &organizations {
            let facts = facts(state, organization)?;
            server.insert(facts.management.clone());
            by_id.insert(facts.id, facts.management);
        }
        if server.is_empty() {
            let only = snapshot.and_then(|snapshot| snapshot.accounts.only());
            server.insert(only.unwrap_or(NOBODY).to_owned());
        } else if organizations.len() >= ORGANIZATIONS {
            server.insert(NOBODY.to_owned());
        }
        Ok(Self {
            state,
            server,
            management: by_id,
        })
    }

    /// semantics 53: the management accounts of the organizations; without one, the only account.
    pub(super) fn server(&self) -> BTreeSet<String> {
        self.server.clone()
    }

    /// The management account of an organization.
    pub(super) fn management_of(&self, organization: &str) -> &str {
        let management = self.management.get(organization);
        management.map_or(NOBODY, String::as_str)
    }

    /// The management accounts of the organizations that attach a policy; those of all, if none
    /// does.
    pub(super) fn attaching(&self, policy: &Mention) -> BTreeSet<String> {
        let attaching = self.state.naming(policy, ORGANIZATIONS);
        let attaching = attaching.and_then(|organizations| {
            let owners = organizations.iter();
            let owners = owners.map(|one| facts(self.state, one).map(|facts| facts.management));
            owners.collect::<Result<BTreeSet<String>, Unreadable>>()
        });
        match attaching {
            Ok(owners) if owners.is_empty() => self.server(),
            Ok(owners) => owners,
            Err(_) => BTreeSet::from([NOBODY.to_owned()]),
        }
    }
}

fn facts(state: &dyn Authored, organization: &ObjectId) -> Result<OrganizationFacts, Unreadable> {
    let document = state.document(organization)?;
    let facts = document.map(|document| read::<OrganizationFacts>(&document));
    Ok(match facts {
        Some(Ok(facts)) => facts,
        None | Some(Err(Unread)) => OrganizationFacts::default(),
    })
}
