//! security 6.1: weakening an inherited statement "needs `tagwarden:WeakenTagPolicy` on the
//! ancestor's node in the management channel".
//!
//! What counts is what a change brings: statements that are weakened after it and were not before.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use super::act::Demand;
use super::owners::Owners;
use crate::model::object::{ObjectId, SharedPolicy};
use crate::model::organization::TagMode;
use crate::model::tag_policy::{Cell, NoteKind, Origin};
use crate::snapshot::Snapshot;
use crate::snapshot::tags::TagNode;
use crate::source::embedded::Difference;

/// One inherited statement that a node weakens, with the nodes that it is inherited from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Weakened {
    organization: Arc<str>,
    node: Arc<str>,
    cell: Cell,
    by: Origin,
    ancestors: BTreeSet<Arc<str>>,
}

/// What a change demands for the statements that it weakens.
pub(super) fn demands(
    before: Option<&Snapshot>,
    after: &Snapshot,
    differences: &[Difference],
    owners: &Owners<'_>,
) -> Vec<Demand> {
    let concerns = |difference: &Difference| {
        matches!(
            difference.id,
            ObjectId::Organization(_) | ObjectId::Shared(SharedPolicy::Tag, _)
        )
    };
    if !differences.iter().any(concerns) {
        return Vec::new();
    }
    let known = before.map(weakened).unwrap_or_default();
    let new = weakened(after);
    let nodes: BTreeSet<(&Arc<str>, &Arc<str>)> = new
        .difference(&known)
        .flat_map(|one| {
            one.ancestors
                .iter()
                .map(|ancestor| (&one.organization, ancestor))
        })
        .collect();
    nodes
        .into_iter()
        .map(|(organization, node)| {
            let management = owners.management_of(organization);
            let arn = format!("acs:resourcemanager:*:{management}:folder/{node}");
            Demand::new("tagwarden:WeakenTagPolicy", [arn])
        })
        .collect()
}

fn weakened(snapshot: &Snapshot) -> BTreeSet<Weakened> {
    let mut seen = HashSet::new();
    let mut found = BTreeSet::new();
    for node in snapshot.tags.nodes() {
        // Nodes that share their policies inherit them from the same nodes.
        if seen.insert(Arc::as_ptr(&node.policies)) {
            for mode in [TagMode::Enforce, TagMode::Warn, TagMode::Report] {
                of_node(node, mode, &mut found);
            }
        }
    }
    found
}

fn of_node(node: &Arc<TagNode>, mode: TagMode, found: &mut BTreeSet<Weakened>) {
    let path = path(node);
    for note in &node.policies.of(mode).provenance.notes {
        let (NoteKind::Weakened(_), Some(by)) = (&note.kind, &note.by) else {
            continue;
        };
        let Some(own) = path.get(by.depth) else {
            continue;
        };
        let above = own.parent.as_ref();
        let cells = above.map(|above| &above.policies.of(mode).provenance.cells);
        let inherited = cells
            .into_iter()
            .flatten()
            .filter(|one| one.cell == note.cell);
        let ancestors = inherited
            .flat_map(|one| one.values.iter())
            .filter_map(|(_, origin)| path.get(origin.depth))
            .map(|node| Arc::clone(&node.name));
        found.insert(Weakened {
            organization: Arc::clone(&own.organization),
            node: Arc::clone(&own.name),
            cell: note.cell.clone(),
            by: by.clone(),
            ancestors: ancestors.collect(),
        });
    }
}

/// The nodes from the Root down.
fn path(node: &Arc<TagNode>) -> Vec<&TagNode> {
    let mut path: Vec<&TagNode> = vec![node];
    let mut at = node.parent.as_deref();
    while let Some(above) = at {
        path.push(above);
        at = above.parent.as_deref();
    }
    path.reverse();
    path
}
