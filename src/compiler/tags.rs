//! The effective tag policies of every node, at each stage (security 6.3), shared where chains are
//! the same.
//!
//! A node without policies of its own has those of the node above. Nodes below one parent with the
//! same attachments share theirs.
//!
//! Not here: the merge of one chain ([`super::effective`]).

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Compilation;
use super::effective::{Level, MergeError, Regexes, merge};
use super::error::CompileErrorKind;
use crate::model::account::Name;
use crate::model::arn::AccountId;
use crate::model::organization::{Node, Organization, TagAttachment, TagMode};
use crate::model::tag_policy::{Dialect, EffectivePolicy, TagPolicy};
use crate::snapshot::tags::{Staged, StagedPolicies, TagNode, TagTable};

impl Compilation<'_> {
    /// The nodes of one organization.
    pub(super) fn tag_nodes(
        &mut self,
        organization: &Organization,
        policies: &BTreeMap<Name, TagPolicy>,
        known: &Known<'_>,
        regexes: &mut Regexes,
    ) {
        let nothing = Staged {
            policy: Arc::new(EffectivePolicy {
                dialect: organization.dialect,
                ..EffectivePolicy::default()
            }),
            ..Staged::default()
        };
        let above = Arc::new(StagedPolicies {
            enforce: nothing.clone(),
            warn: nothing.clone(),
            report: nothing,
        });
        let mut walk = Walk {
            origin: format!("organization {}", organization.id),
            organization: self.interner.symbol(&organization.id),
            dialect: organization.dialect,
            compilation: self,
            policies,
            known,
            regexes,
            made: HashMap::new(),
        };
        let root = walk.folder(
            &organization.root,
            &Above {
                node: None,
                policies: above,
                chain: Vec::new(),
            },
        );
        walk.management(&organization.management, &root);
    }
}

/// The effective policies of chains that were merged before, by the dialect and the attachments of
/// each node, the Root's first.
#[derive(Debug, Default)]
pub(super) struct Known<'b>(HashMap<Attachments<'b>, Arc<StagedPolicies>>);

type Attachments<'b> = (Dialect, Vec<&'b [TagAttachment]>);

impl<'b> Known<'b> {
    /// Learns what an organization came to, as far as its policies are the same.
    pub(super) fn learn(
        &mut self,
        organization: &'b Organization,
        tags: &TagTable,
        is_same: impl Fn(&Name) -> bool,
    ) {
        let mut open = vec![(&organization.root, Vec::new())];
        while let Some((node, mut chain)) = open.pop() {
            chain.push(&*node.tag);
            if !node.tag.iter().all(|one| is_same(&one.policy)) {
                continue;
            }
            let made = tags.folder(&organization.id, &node.name);
            self.add(organization, &chain, made);
            for member in &node.members {
                if member.tag.iter().all(|one| is_same(&one.policy)) {
                    let made = tags.account(member.account.as_str());
                    let mut chain = chain.clone();
                    chain.push(&*member.tag);
                    self.add(organization, &chain, made);
                }
            }
            let below = node.folders.iter().map(|folder| (folder, chain.clone()));
            open.extend(below);
        }
    }

    fn add(
        &mut self,
        organization: &Organization,
        chain: &[&'b [TagAttachment]],
        made: Option<&Arc<TagNode>>,
    ) {
        let is_own = |node: &&Arc<TagNode>| *node.organization == *organization.id;
        if let Some(made) = made.filter(is_own) {
            let key = (organization.dialect, chain.to_vec());
            self.0.insert(key, Arc::clone(&made.policies));
        }
    }

    fn get(&self, dialect: Dialect, chain: &[&'b [TagAttachment]]) -> Option<&Arc<StagedPolicies>> {
        self.0.get(&(dialect, chain.to_vec()))
    }
}

/// Where a chain ends: the node above, and the attachments of it and of those above it.
struct Above<'b> {
    node: Option<Arc<TagNode>>,
    policies: Arc<StagedPolicies>,
    chain: Vec<&'b [TagAttachment]>,
}

/// The policies of the node above by address, its depth, and a node's own attachments.
type Chain<'b> = (usize, usize, &'b [TagAttachment]);

struct Walk<'w, 'b> {
    compilation: &'w mut Compilation<'b>,
    origin: String,
    organization: Arc<str>,
    dialect: Dialect,
    policies: &'w BTreeMap<Name, TagPolicy>,
    known: &'w Known<'w>,
    regexes: &'w mut Regexes,
    made: HashMap<Chain<'w>, Arc<StagedPolicies>>,
}

impl<'w> Walk<'w, '_> {
    fn folder(&mut self, node: &'w Node, above: &Above<'w>) -> Arc<TagNode> {
        let (made, chain) = self.node(&node.name, &node.tag, above);
        self.compilation.snapshot.tags.add_folder(Arc::clone(&made));
        let below = Above {
            policies: Arc::clone(&made.policies),
            node: Some(Arc::clone(&made)),
            chain,
        };
        for member in &node.members {
            let (made, _) = self.node(member.account.as_str(), &member.tag, &below);
            self.compilation.snapshot.tags.add_account(made);
        }
        for folder in &node.folders {
            self.folder(folder, &below);
        }
        made
    }

    /// Tag-policy 7, rule 55: the management account obeys too; it stands at the Root.
    fn management(&mut self, account: &AccountId, root: &Arc<TagNode>) {
        if self
            .compilation
            .snapshot
            .tags
            .account(account.as_str())
            .is_none()
        {
            let made = TagNode {
                organization: Arc::clone(&self.organization),
                name: self.compilation.interner.symbol(account.as_str()),
                parent: Some(Arc::clone(root)),
                policies: Arc::clone(&root.policies),
            };
            self.compilation.snapshot.tags.add_account(Arc::new(made));
        }
    }

    fn node(
        &mut self,
        name: &str,
        own: &'w [TagAttachment],
        above: &Above<'w>,
    ) -> (Arc<TagNode>, Vec<&'w [TagAttachment]>) {
        let mut chain = above.chain.clone();
        chain.push(own);
        let policies = if own.is_empty() {
            Arc::clone(&above.policies)
        } else {
            let key = (Arc::as_ptr(&above.policies).addr(), chain.len(), own);
            if let Some(made) = self.made.get(&key) {
                Arc::clone(made)
            } else {
                let known = self.known.get(self.dialect, &chain).map(Arc::clone);
                let made = known.unwrap_or_else(|| self.stages(&chain, &above.policies));
                self.made.insert(key, Arc::clone(&made));
                made
            }
        };
        let made = TagNode {
            organization: Arc::clone(&self.organization),
            name: self.compilation.interner.symbol(name),
            parent: above.node.clone(),
            policies,
        };
        (Arc::new(made), chain)
    }

    fn stages(
        &mut self,
        chain: &[&'w [TagAttachment]],
        above: &Arc<StagedPolicies>,
    ) -> Arc<StagedPolicies> {
        let made = self.try_stages(chain).unwrap_or_else(|error| {
            let kind = CompileErrorKind::TagPolicies { error };
            self.compilation.fail(self.origin.clone(), kind);
            StagedPolicies::clone(above)
        });
        Arc::new(made)
    }

    /// Security 6.3: a policy that only reports is in no chain that enforces, so that it can never
    /// loosen one. Stages with the same attachments share one effective policy.
    fn try_stages(&mut self, chain: &[&'w [TagAttachment]]) -> Result<StagedPolicies, MergeError> {
        let lowest = chain
            .iter()
            .flat_map(|level| level.iter())
            .map(|one| one.mode)
            .min();
        let enforce = self.stage(chain, TagMode::Enforce)?;
        let warn = match lowest {
            None | Some(TagMode::Enforce) => enforce.clone(),
            Some(TagMode::Warn | TagMode::Report) => self.stage(chain, TagMode::Warn)?,
        };
        let report = match lowest {
            None | Some(TagMode::Enforce | TagMode::Warn) => warn.clone(),
            Some(TagMode::Report) => self.stage(chain, TagMode::Report)?,
        };
        Ok(StagedPolicies {
            enforce,
            warn,
            report,
        })
    }

    fn stage(
        &mut self,
        chain: &[&'w [TagAttachment]],
        mode: TagMode,
    ) -> Result<Staged, MergeError> {
        let mut levels = Vec::with_capacity(chain.len());
        for attachments in chain {
            let mut level: Level<'w> = Vec::new();
            for attachment in attachments.iter().filter(|one| one.mode >= mode) {
                match self.policies.get(&attachment.policy) {
                    Some(policy) => level.push((attachment.policy.shared(), policy)),
                    None => self.unknown(&attachment.policy),
                }
            }
            levels.push(level);
        }
        merge(self.dialect, &levels, self.regexes)
    }

    fn unknown(&mut self, policy: &Name) {
        let policy = format!("tag:{policy}");
        let kind = CompileErrorKind::UnknownPolicy { policy };
        self.compilation.fail(self.origin.clone(), kind);
    }
}
