//! Effective tag policies: which one binds an account or folder, at each stage (security 6.3).
//!
//! Nodes whose chains hold the same policies share one [`StagedPolicies`].

use std::sync::Arc;

use hashbrown::HashMap;

use super::copied::differing;
use super::symbol::Symbol;
use crate::model::organization::TagMode;
use crate::model::tag_policy::{EffectivePolicy, Provenance};

/// The effective tag policies of a snapshot. Snapshots share them until an organization changes.
#[derive(Debug, Clone, Default)]
pub struct TagTable {
    accounts: Arc<HashMap<Symbol, Arc<TagNode>>>,
    folders: Arc<HashMap<(Symbol, Symbol), Arc<TagNode>>>,
}

/// A Root, folder or account, and what binds it.
#[derive(Debug, Clone)]
pub struct TagNode {
    /// The organization.
    pub organization: Symbol,
    /// Its name; of a member, the account.
    pub name: Symbol,
    /// The node above; `None` at the Root.
    pub parent: Option<Arc<TagNode>>,
    /// What binds it.
    pub policies: Arc<StagedPolicies>,
}

/// The three effective policies of a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StagedPolicies {
    /// From `enforce` attachments: what interception follows.
    pub enforce: Staged,
    /// From `enforce` and `warn` attachments: what warnings follow.
    pub warn: Staged,
    /// From all attachments: what reports follow.
    pub report: Staged,
}

/// One effective policy, with its provenance apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Staged {
    /// The policy.
    pub policy: Arc<EffectivePolicy>,
    /// Where its values came from.
    pub provenance: Arc<Provenance>,
}

impl StagedPolicies {
    /// The effective policy that a mode follows.
    pub fn of(&self, mode: TagMode) -> &Staged {
        match mode {
            TagMode::Enforce => &self.enforce,
            TagMode::Warn => &self.warn,
            TagMode::Report => &self.report,
        }
    }
}

impl TagNode {
    /// The names on the path, the Root's first.
    pub fn path(&self) -> Vec<&str> {
        let mut path = vec![&*self.name];
        let mut at = self.parent.as_deref();
        while let Some(node) = at {
            path.push(&*node.name);
            at = node.parent.as_deref();
        }
        path.reverse();
        path
    }
}

impl TagTable {
    pub(super) fn copied_from(&self, other: &Self) -> usize {
        differing([&self.accounts], [&other.accounts])
            + differing([&self.folders], [&other.folders])
    }

    pub(super) fn effective_copied_from(&self, other: &Self) -> usize {
        let own = self.accounts.values().map(|node| {
            let other = other.account(&node.name);
            let others = other.into_iter().map(|node| &node.policies);
            differing([&node.policies], others)
        });
        own.sum()
    }

    /// What binds an account; `None` if it is of no organization.
    pub fn account(&self, account: &str) -> Option<&Arc<TagNode>> {
        self.accounts.get(account)
    }

    /// Whether both bind accounts by the same: whether nothing was changed between them.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.accounts, &other.accounts)
    }

    /// The Roots and folders of a name, in every organization.
    pub fn folders<'t>(&'t self, name: &'t str) -> impl Iterator<Item = &'t Arc<TagNode>> {
        let nodes = self.folders.values();
        nodes.filter(move |node| &*node.name == name)
    }

    /// All Roots, folders and accounts, in no order.
    pub fn nodes(&self) -> impl Iterator<Item = &Arc<TagNode>> {
        self.folders.values().chain(self.accounts.values())
    }

    /// All accounts that are bound, in no order.
    pub fn accounts(&self) -> impl ExactSizeIterator<Item = &Arc<TagNode>> {
        self.accounts.values()
    }

    /// The Root or folder of an organization.
    pub(crate) fn folder(&self, organization: &str, name: &str) -> Option<&Arc<TagNode>> {
        self.folders.get(&(organization.into(), name.into()))
    }

    pub(crate) fn add_account(&mut self, node: Arc<TagNode>) {
        Arc::make_mut(&mut self.accounts).insert(node.name.clone(), node);
    }

    pub(crate) fn remove_account(&mut self, account: &str) {
        Arc::make_mut(&mut self.accounts).remove(account);
    }

    pub(crate) fn add_folder(&mut self, node: Arc<TagNode>) {
        let key = (node.organization.clone(), node.name.clone());
        Arc::make_mut(&mut self.folders).insert(key, node);
    }

    pub(crate) fn remove_folders(&mut self, organization: &str) {
        Arc::make_mut(&mut self.folders).retain(|(known, _), _| **known != *organization);
    }
}
