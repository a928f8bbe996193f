//! Whether two snapshots answer alike: decisions with the statement that decided, effective tag
//! policies, and rights of callers.

use std::collections::BTreeMap;

use tagwarden::engine::decision::{Cause, Verdicts};
use tagwarden::model::bundle::Bundle;
use tagwarden::model::caller::{Origin, SocketUser};
use tagwarden::model::request::AccessRequest;
use tagwarden::model::verdict::{RefusalReason, limits};
use tagwarden::snapshot::Snapshot;
use tagwarden::snapshot::tags::TagNode;

use crate::differential::edge;

/// A difference between two snapshots, or nothing.
pub(super) fn difference(
    bundle: &Bundle,
    [expected, found]: [&Snapshot; 2],
    questions: &[AccessRequest],
) -> Option<String> {
    assert_eq!(limits::RESOURCES, 50, "questions stay below");
    for question in questions {
        let told = [expected, found].map(|snapshot| answer(snapshot, bundle, question));
        if told[0] != told[1] {
            let [expected, found] = told;
            return Some(format!("{question:?}\n{expected:?}\n{found:?}"));
        }
    }
    let counts = |snapshot: &Snapshot| (snapshot.policies.len(), snapshot.principals.len());
    if counts(expected) != counts(found) {
        return Some(format!("{:?} {:?}", counts(expected), counts(found)));
    }
    let told = [expected, found].map(nodes);
    if told[0] != told[1] {
        return Some(format!(
            "tag policies of nodes\n{:?}\n{:?}",
            told[0], told[1]
        ));
    }
    if expected.inheritance != found.inheritance {
        let told = [expected, found].map(|snapshot| &snapshot.inheritance);
        return Some(format!("inheritance\n{:?}\n{:?}", told[0], told[1]));
    }
    let told = [expected, found].map(|snapshot| snapshot.routes.routes());
    if told[0] != told[1] {
        return Some(format!("routes\n{:?}\n{:?}", told[0], told[1]));
    }
    for uid in [33, 34, 35] {
        let (gid, user) = (1, SocketUser::Other);
        let origin = Origin::Unix { uid, gid, user };
        let told = [expected, found].map(|snapshot| &snapshot.callers.find(&origin).rights);
        if told[0] != told[1] {
            return Some(format!("rights of {uid}"));
        }
    }
    None
}

/// What decided, by names: places in the table are no answer.
type Told = Result<String, RefusalReason>;

fn answer(snapshot: &Snapshot, bundle: &Bundle, question: &AccessRequest) -> Told {
    let mut verdicts = Verdicts::new();
    let decision = edge::ask(snapshot, bundle, question, &mut verdicts)?;
    let verdicts: Vec<String> = verdicts
        .iter()
        .map(|verdict| format!("{:?} {}", verdict.outcome, cause(snapshot, verdict.cause)))
        .collect();
    Ok(format!(
        "{:?} {:?} {:?} {:?} {} {verdicts:?}",
        decision.outcome,
        decision.reason,
        decision.on_deny,
        decision.obligations,
        cause(snapshot, decision.cause),
    ))
}

fn cause(snapshot: &Snapshot, cause: Cause) -> String {
    let statement = cause.statement.map(|id| {
        let name = snapshot
            .policies
            .get(id.policy)
            .map(|policy| policy.name().to_string());
        (name, id.index)
    });
    format!("{:?} {statement:?}", cause.layer)
}

/// All nodes by path, with what binds them.
fn nodes(snapshot: &Snapshot) -> BTreeMap<String, String> {
    let told = |node: &TagNode| {
        let path = format!("{}: {}", node.organization, node.path().join("/"));
        (path, format!("{:?}", node.policies))
    };
    snapshot.tags.nodes().map(|node| told(node)).collect()
}
