//! Organizations: a Root, folders and member accounts, with their control policies (ram 4.2)
//! and their tag policies (security 6.3).

use super::account::{Name, PolicyRef};
use super::arn::AccountId;
use super::tag_policy::Dialect;

/// The deepest that folders may stand under a Root.
pub const MAX_FOLDER_DEPTH: usize = 16;

/// One organization. An account is a member of at most one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Its id: `rd-1`.
    pub id: String,
    /// The account that manages it. It is no member: control policies never touch its identities.
    pub management: AccountId,
    /// The dialect of all its tag policies (security 6.2).
    pub dialect: Dialect,
    /// The Root folder.
    pub root: Node,
}

/// The Root or a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// The node's name, unique in the organization.
    pub name: String,
    /// Its control policies in attach order. Empty: `FullAliyunAccess`.
    pub control: Vec<ControlAttachment>,
    /// Its tag policies in attach order.
    pub tag: Vec<TagAttachment>,
    /// The folders below.
    pub folders: Vec<Node>,
    /// The member accounts that stand here.
    pub members: Vec<Member>,
}

/// A member account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The account.
    pub account: AccountId,
    /// Its own control policies in attach order. Empty: `FullAliyunAccess`.
    pub control: Vec<ControlAttachment>,
    /// Its own tag policies in attach order.
    pub tag: Vec<TagAttachment>,
}

/// A control policy on a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlAttachment {
    /// The policy.
    pub policy: PolicyRef,
    /// Whom it binds.
    pub effect_scope: EffectScope,
}

/// A tag policy on a node. No policy stands twice on one node (tag-policy 7, rule 53).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TagAttachment {
    /// The policy, of `policies/tag`.
    pub policy: Name,
    /// How far it goes.
    pub mode: TagMode,
}

/// How far an attached tag policy goes (security 6.3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TagMode {
    /// It shows in reports alone.
    Report,
    /// It warns as well.
    Warn,
    /// It intercepts as well.
    #[default]
    Enforce,
}

/// Whom a control policy binds (ram 4.2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum EffectScope {
    /// RAM users and roles.
    #[default]
    Ram,
    /// The account's owner too.
    All,
}

impl Organization {
    /// The control attachments above each member, its own first and the Root's last.
    pub fn chain<'a>(&'a self, account: &AccountId) -> Option<Vec<&'a [ControlAttachment]>> {
        fn find<'a>(node: &'a Node, account: &AccountId) -> Option<Vec<&'a [ControlAttachment]>> {
            let own = node
                .members
                .iter()
                .find(|member| member.account == *account);
            let mut levels = match own {
                Some(member) => vec![member.control.as_slice()],
                None => node
                    .folders
                    .iter()
                    .find_map(|folder| find(folder, account))?,
            };
            levels.push(&node.control);
            Some(levels)
        }
        find(&self.root, account)
    }
}
