//! Organizations of a change: those that are touched, and the tag nodes of those that name a tag
//! policy that is touched.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Change;
use crate::compiler::effective::Regexes;
use crate::compiler::tags::Known;
use crate::document::object::{Mention, Touched, Unreadable, read};
use crate::model::account::Name;
use crate::model::arn::AccountId;
use crate::model::object::{ObjectId, SharedPolicy};
use crate::model::organization::{Node, Organization};
use crate::model::tag_policy::TagPolicy;
use crate::snapshot::tags::TagNode;

impl Change<'_> {
    pub(super) fn organizations(&mut self) -> Result<(), Unreadable> {
        self.chains();
        let renamed = self.renamed();
        let others = self.naming_tag_policies(&renamed)?;
        let before: Vec<&Organization> = self.before.organizations.iter().chain(&others).collect();
        let mut after: Vec<&Organization> =
            self.after.organizations.iter().chain(&others).collect();
        after.sort_by(|left, right| left.id.cmp(&right.id));
        let known = self.known(&before, &renamed);
        for organization in &before {
            self.remove_nodes(organization);
        }
        let policies = self.tag_policies(&after)?;
        let mut regexes = Regexes::default();
        for organization in &after {
            let compilation = &mut self.compilation;
            compilation.tag_nodes(organization, &policies, &known, &mut regexes);
        }
        for account in lone(&before, &after) {
            self.settle(account)?;
        }
        Ok(())
    }

    /// The control policies above the members of touched organizations.
    fn chains(&mut self) {
        for organization in &self.before.organizations {
            for account in members(organization) {
                let accounts = &mut self.compilation.snapshot.accounts;
                accounts.remove_member(account.as_str());
            }
        }
        for organization in &self.after.organizations {
            self.compilation.organization(organization);
        }
    }

    /// The tag policies that are touched.
    fn renamed(&self) -> BTreeSet<&Name> {
        let touched = self.touched.iter();
        let names = touched.filter_map(|Touched { id, before: _ }| match id {
            ObjectId::Shared(SharedPolicy::Tag, name) => Some(name),
            ObjectId::Shared(..)
            | ObjectId::Settings
            | ObjectId::Callers
            | ObjectId::Routes
            | ObjectId::Catalog(_)
            | ObjectId::Organization(_)
            | ObjectId::Account(..)
            | ObjectId::Resources => None,
        });
        names.collect()
    }

    /// The organizations that are not touched, but name a tag policy that is.
    fn naming_tag_policies(
        &self,
        names: &BTreeSet<&Name>,
    ) -> Result<Vec<Organization>, Unreadable> {
        let mut ids = BTreeSet::new();
        for name in names {
            let mention = Mention::Tag((*name).clone());
            ids.extend(self.authored.naming(&mention, usize::MAX)?);
        }
        let is_touched = |id: &ObjectId| self.touched.iter().any(|one| one.id == *id);
        let mut found = Vec::new();
        for id in ids.into_iter().filter(|id| !is_touched(id)) {
            found.extend(self.organization(&id)?);
        }
        Ok(found)
    }

    fn organization(&self, id: &ObjectId) -> Result<Option<Organization>, Unreadable> {
        let document = self.authored.document(id)?;
        Ok(document.and_then(|document| read::organization(&document)))
    }

    /// The effective policies of chains that no touched policy is in.
    fn known<'b>(&self, before: &[&'b Organization], touched: &BTreeSet<&Name>) -> Known<'b> {
        let mut known = Known::default();
        for organization in before {
            let tags = &self.compilation.snapshot.tags;
            known.learn(organization, tags, |name| !touched.contains(name));
        }
        known
    }

    fn remove_nodes(&mut self, organization: &Organization) {
        let tags = &mut self.compilation.snapshot.tags;
        tags.remove_folders(&organization.id);
        let accounts = members(organization).chain([&organization.management]);
        for account in accounts {
            let node = tags.account(account.as_str());
            if node.is_some_and(|node| *node.organization == *organization.id) {
                tags.remove_account(account.as_str());
            }
        }
    }

    /// The tag policies that organizations name.
    fn tag_policies(
        &self,
        organizations: &[&Organization],
    ) -> Result<BTreeMap<Name, TagPolicy>, Unreadable> {
        let nodes = organizations.iter().flat_map(|one| nodes(&one.root));
        let attached = nodes.flat_map(|node| {
            let members = node.members.iter().flat_map(|member| &member.tag);
            node.tag.iter().chain(members)
        });
        let names: BTreeSet<&Name> = attached.map(|attached| &attached.policy).collect();
        let mut policies = BTreeMap::new();
        for name in names {
            if let Some(policy) = self.after.tag_policies.get(name) {
                policies.insert(name.clone(), policy.clone());
                continue;
            }
            let id = ObjectId::Shared(SharedPolicy::Tag, name.clone());
            let document = self.authored.document(&id)?;
            let policy = document.and_then(|document| read::tag_policy(&document));
            policies.extend(policy.map(|policy| (name.clone(), policy)));
        }
        Ok(policies)
    }

    /// An account that is no member of an organization stands at the Root of the first that it
    /// manages, as if everything were compiled.
    fn settle(&mut self, account: &AccountId) -> Result<(), Unreadable> {
        let member = Mention::Member(account.clone());
        if !self.authored.naming(&member, 1)?.is_empty() {
            return Ok(());
        }
        let management = Mention::Management(account.clone());
        let managed = self.authored.naming(&management, 1)?;
        let first = managed
            .first()
            .map(|id| self.organization(id))
            .transpose()?;
        let tags = &mut self.compilation.snapshot.tags;
        let Some(first) = first.flatten() else {
            tags.remove_account(account.as_str());
            return Ok(());
        };
        let Some(root) = tags.folder(&first.id, &first.root.name).cloned() else {
            return Ok(());
        };
        tags.add_account(Arc::new(TagNode {
            organization: Arc::clone(&root.organization),
            name: self.compilation.interner.symbol(account.as_str()),
            policies: Arc::clone(&root.policies),
            parent: Some(root),
        }));
        Ok(())
    }
}

/// The accounts whose node another organization may decide: those that manage, and those that are
/// no members any more.
fn lone<'b>(before: &[&'b Organization], after: &[&'b Organization]) -> BTreeSet<&'b AccountId> {
    let all = before.iter().chain(after).copied();
    let mut lone: BTreeSet<&AccountId> = all.clone().flat_map(members).collect();
    let staying: BTreeSet<&AccountId> = after.iter().copied().flat_map(members).collect();
    lone.retain(|account| !staying.contains(account));
    lone.extend(all.map(|organization| &organization.management));
    lone
}

fn nodes(root: &Node) -> Vec<&Node> {
    let mut found = vec![root];
    let mut place = 0;
    while let Some(node) = found.get(place).copied() {
        found.extend(&node.folders);
        place += 1;
    }
    found
}

fn members(organization: &Organization) -> impl Iterator<Item = &AccountId> {
    let nodes = nodes(&organization.root).into_iter();
    nodes.flat_map(|node| node.members.iter().map(|member| &member.account))
}
