//! What a change of an organization demands: its shape is one action, and each policy that is
//! attached to a node or detached from it is one.

use std::collections::BTreeSet;

use serde_json::Value;

use super::act::{Act, Demand};
use super::arns::{arns, each};
use super::facts::{Attached, OrganizationFacts, Tree, Unread, read};
use super::owners::Owners;
use crate::model::object::ObjectId;

pub(super) fn demands(
    id: &ObjectId,
    act: Act<'_>,
    owners: &Owners<'_>,
) -> Result<Vec<Demand>, Unread> {
    let facts = |document: Option<&[u8]>| document.map(read::<OrganizationFacts>).transpose();
    let (before, after) = (facts(act.before())?, facts(act.after())?);
    let management: BTreeSet<String> = [&before, &after]
        .into_iter()
        .flatten()
        .map(|facts| facts.management.clone())
        .collect();
    let tree =
        |facts: Option<OrganizationFacts>| facts.map(|facts| facts.tree()).unwrap_or_default();
    let (before, after) = (tree(before), tree(after));
    let mut demands = shape(id, act, [&before, &after], owners)?;
    let nodes: BTreeSet<&String> = before.nodes.keys().chain(after.nodes.keys()).collect();
    let nothing = Attached::default();
    for node in nodes {
        let of = |tree: &'_ Tree| {
            tree.nodes
                .get(node)
                .cloned()
                .unwrap_or_else(|| nothing.clone())
        };
        let (before, after) = (of(&before), of(&after));
        let target = each("resourcemanager", &management, node);
        let control = [
            "resourcemanager:AttachControlPolicy",
            "resourcemanager:DetachControlPolicy",
        ];
        for (action, policy) in moved(&before.control, &after.control, control) {
            let name = policy.split_once(':').map_or(&*policy, |(_, name)| name);
            let policy = each(
                "resourcemanager",
                &management,
                &format!("controlpolicy/{name}"),
            );
            demands.push(Demand::new(action, [target.clone(), policy].concat()));
        }
        let tag = ["tag:AttachPolicy", "tag:DetachPolicy"];
        for (action, policy) in moved(&before.tag, &after.tag, tag) {
            let policy = each("tag", &management, &format!("policy/{policy}"));
            demands.push(Demand::new(action, [target.clone(), policy].concat()));
        }
    }
    Ok(demands)
}

/// The shape: what the tree is without what is attached to it. A new organization, and one that
/// gets new members, concerns whoever owns the server, too.
fn shape(
    id: &ObjectId,
    act: Act<'_>,
    [before, after]: [&Tree; 2],
    owners: &Owners<'_>,
) -> Result<Vec<Demand>, Unread> {
    let action = match act {
        Act::Create(_) => "resourcemanager:InitResourceDirectory",
        Act::Delete(_) => "resourcemanager:DestroyResourceDirectory",
        Act::Update(..) if before.shape == after.shape => return Ok(Vec::new()),
        Act::Update(..) => "tagwarden:PutOrganization",
    };
    let mut arns = arns(id, act, owners)?;
    let known: BTreeSet<&str> = before.members().collect();
    let joins = after.members().any(|member| !known.contains(member));
    if joins || matches!(act, Act::Create(_)) {
        let all = each("tagwarden", &owners.server(), &id.to_string());
        arns.extend(all);
    }
    Ok(vec![Demand::new(action, arns)])
}

/// The policies that are attached and detached, with the action for each. One whose mode or scope
/// changes is both; where the order changes, all are.
fn moved(
    before: &[Value],
    after: &[Value],
    [attach, detach]: [&'static str; 2],
) -> Vec<(&'static str, String)> {
    let kept = |list: &[Value], other: &[Value]| -> Vec<Value> {
        list.iter()
            .filter(|one| other.contains(one))
            .cloned()
            .collect()
    };
    let is_reordered = kept(before, after) != kept(after, before);
    let only = |list: &[Value], other: &[Value]| -> Vec<String> {
        let only = list
            .iter()
            .filter(|one| is_reordered || !other.contains(one));
        only.map(policy).collect()
    };
    let attached = only(after, before)
        .into_iter()
        .map(|policy| (attach, policy));
    let detached = only(before, after)
        .into_iter()
        .map(|policy| (detach, policy));
    attached.chain(detached).collect()
}

fn policy(attachment: &Value) -> String {
    let name = attachment.get("policy").and_then(Value::as_str);
    name.unwrap_or_default().to_owned()
}
