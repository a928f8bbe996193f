//! What permissions depend on in the documents of objects.
//!
//! The documents are read for their meaning elsewhere; a change with one that is refused there is
//! not made, whatever was read here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A document that cannot be read as far as its permission depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unread;

pub(super) fn read<T: DeserializeOwned>(document: &[u8]) -> Result<T, Unread> {
    serde_json::from_slice(document).map_err(|_| Unread)
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct GroupFacts {
    #[serde(default)]
    pub(super) users: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RoleFacts {
    #[serde(default)]
    pub(super) service_linked: bool,
    #[serde(default)]
    trust: Value,
}

impl RoleFacts {
    /// The first service that may assume the role. Empty: none is named.
    pub(super) fn service(&self) -> &str {
        let statements = self.trust.get("Statement").and_then(Value::as_array);
        let services = statements.into_iter().flatten().filter_map(|statement| {
            let services = statement.get("Principal")?.get("Service")?;
            services
                .as_array()
                .map_or(Some(services), |names| names.first())?
                .as_str()
        });
        services.into_iter().next().unwrap_or_default()
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct ResourceFacts {
    pub(super) resource: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct OrganizationFacts {
    pub(super) id: String,
    pub(super) management: String,
    #[serde(default)]
    dialect: Value,
    root: NodeFacts,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct NodeFacts {
    name: String,
    #[serde(default)]
    control: Vec<Value>,
    #[serde(default)]
    tag: Vec<Value>,
    #[serde(default)]
    folders: Vec<NodeFacts>,
    #[serde(default)]
    accounts: Vec<MemberFacts>,
}

#[derive(Debug, Clone, Deserialize)]
struct MemberFacts {
    account: String,
    #[serde(default)]
    control: Vec<Value>,
    #[serde(default)]
    tag: Vec<Value>,
}

/// What is attached to a node, as it is written.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Attached {
    pub(super) control: Vec<Value>,
    pub(super) tag: Vec<Value>,
}

/// A tree of an organization: nodes by their relative ids, and what is attached to each.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Tree {
    /// Everything but what is attached, as text.
    pub(super) shape: Vec<String>,
    /// `folder/<name>` or `account/<id>`.
    pub(super) nodes: BTreeMap<String, Attached>,
}

impl OrganizationFacts {
    pub(super) fn tree(&self) -> Tree {
        let mut tree = Tree::default();
        tree.shape
            .push(format!("{} {} {}", self.id, self.management, self.dialect));
        let mut open = vec![(&self.root, 0)];
        while let Some((node, depth)) = open.pop() {
            tree.shape.push(format!("{depth} {}", node.name));
            let attached = Attached {
                control: node.control.clone(),
                tag: node.tag.clone(),
            };
            tree.nodes.insert(format!("folder/{}", node.name), attached);
            for member in &node.accounts {
                tree.shape
                    .push(format!("{depth} account {}", member.account));
                let attached = Attached {
                    control: member.control.clone(),
                    tag: member.tag.clone(),
                };
                tree.nodes
                    .insert(format!("account/{}", member.account), attached);
            }
            open.extend(node.folders.iter().map(|folder| (folder, depth + 1)));
        }
        tree
    }
}

impl Tree {
    /// The relative ids of the members.
    pub(super) fn members(&self) -> impl Iterator<Item = &str> {
        let nodes = self.nodes.keys().map(|node| &**node);
        nodes.filter(|node| node.starts_with("account/"))
    }
}
