//! Warnings on one statement, in the light of what the catalog knows of its actions.

use crate::document::cursor::Sink;
use crate::document::policy::ReadStatement;
use crate::document::position::Spot;
use crate::model::catalog::{ActionFacts, Catalog, OperationKind, TagEffect};
use crate::model::condition::{Condition, ConditionKey, Quantifier, TagFamily, Test};
use crate::model::statement::{Actions, Effect};

use super::{LintKind, actions};

/// How many actions of a statement are compared with all other statements.
const LOOKED_AT: usize = 16;

/// Tells what is probably wrong with one statement of a document.
pub(super) fn check(
    read: &ReadStatement<'_>,
    document: &[ReadStatement<'_>],
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) {
    for (condition, spot) in conditions(read) {
        if let Some(kind) = of_key(read, condition) {
            sink.warn(spot, kind);
        }
    }
    match read.statement.effect {
        Effect::Allow => allow(read, document, catalog, sink),
        Effect::Deny => deny(read, sink),
    }
}

fn conditions<'a>(
    read: &'a ReadStatement<'_>,
) -> impl Iterator<Item = (&'a Condition, &'a Spot)> + Clone {
    read.statement.conditions.iter().zip(&read.conditions)
}

/// Keys that no request covered by the statement carries.
fn of_key(read: &ReadStatement<'_>, condition: &Condition) -> Option<LintKind> {
    match &condition.key {
        ConditionKey::Tag(tag) => {
            let service = tag.service.as_ref()?;
            (!actions::concerns(read, service)).then(|| LintKind::ForeignTagFamily {
                service: service.clone(),
            })
        }
        ConditionKey::Context(key) if key.starts_with("acs:targetrd") => {
            let peering = ["vpc:CreateVpcPeerConnection", "vpc:AcceptVpcPeerConnection"];
            let covered = peering.iter().any(|action| actions::covers(read, action));
            (!covered).then_some(LintKind::TargetOutsidePeering)
        }
        ConditionKey::CurrentTime
        | ConditionKey::SourceIp
        | ConditionKey::SecureTransport
        | ConditionKey::MfaPresent
        | ConditionKey::PrincipalArn
        | ConditionKey::ResourceGroupId
        | ConditionKey::Action
        | ConditionKey::Resource
        | ConditionKey::Context(_) => None,
    }
}

fn deny(read: &ReadStatement<'_>, sink: &mut Sink<'_>) {
    for (_, spot) in conditions(read).filter(|(condition, _)| is_mfa_false(condition)) {
        sink.warn(spot, LintKind::MfaDenyWithoutKey);
    }
    let mut negated = conditions(read).filter(|(condition, _)| {
        family(condition) == Some(TagFamily::Request) && is_negated(condition)
    });
    if let (Some(_), Some((_, second))) = (negated.next(), negated.next()) {
        sink.warn(second, LintKind::NegatedTagsTogether);
    }
}

fn is_mfa_false(condition: &Condition) -> bool {
    let false_alone = matches!(&condition.test, Test::Bool { operands } if operands == &[false]);
    condition.key == ConditionKey::MfaPresent && false_alone && !condition.holds_when_absent()
}

fn is_negated(condition: &Condition) -> bool {
    condition.test.is_negated() || matches!(condition.test, Test::Null { absent: true })
}

fn family(condition: &Condition) -> Option<TagFamily> {
    condition.key.tag().map(|tag| tag.family)
}

fn allow(
    read: &ReadStatement<'_>,
    document: &[ReadStatement<'_>],
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) {
    if let Actions::AllBut(_) = read.statement.actions {
        sink.warn(&read.actions, LintKind::NotActionInAllow);
    }
    let every =
        |(condition, _): &(&Condition, &Spot)| condition.quantifier == Quantifier::ForAllValues;
    for (_, spot) in conditions(read).filter(every) {
        sink.warn(spot, LintKind::ForAllValuesInAllow);
    }
    if conditions(read).all(|(condition, _)| family(condition).is_none()) {
        return;
    }
    if let Some(listed) = actions::listed(read, catalog) {
        tags_unseen(read, &listed, sink);
        tag_writes(read, &listed, document, sink);
    }
}

/// Tag conditions on families that these actions never have (ram 5.2, security 3.2 and 3.3).
fn tags_unseen(read: &ReadStatement<'_>, listed: &[(&str, ActionFacts)], sink: &mut Sink<'_>) {
    let creates = listed
        .iter()
        .all(|(_, facts)| facts.kind == OperationKind::Create);
    let blind = listed.iter().all(|(_, facts)| !sees_request_tags(facts));
    for (condition, spot) in conditions(read) {
        match family(condition) {
            Some(TagFamily::Resource) if creates && is_negated(condition) => {
                sink.warn(spot, LintKind::NegatedResourceTagOnCreate);
            }
            Some(TagFamily::Resource) if creates => {
                sink.warn(spot, LintKind::ResourceTagOnCreate);
            }
            Some(TagFamily::Request) if blind => sink.warn(spot, LintKind::RequestTagUnseen),
            Some(TagFamily::Resource | TagFamily::Request | TagFamily::Either) | None => {}
        }
    }
}

fn sees_request_tags(facts: &ActionFacts) -> bool {
    match facts.kind {
        OperationKind::Query => facts.filterable,
        OperationKind::Create | OperationKind::Update | OperationKind::Other => {
            facts.tags != TagEffect::None
        }
    }
}

/// Security 4: a tag write that is granted by request tags alone can never succeed, unless another
/// statement grants the resource as it is.
fn tag_writes(
    read: &ReadStatement<'_>,
    listed: &[(&str, ActionFacts)],
    document: &[ReadStatement<'_>],
    sink: &mut Sink<'_>,
) {
    if !is_by_request_alone(read) {
        return;
    }
    let granted = |action: &str| {
        document.iter().any(|other| {
            other.statement.effect == Effect::Allow
                && !is_by_request_alone(other)
                && actions::covers(other, action)
        })
    };
    let mut writes = listed.iter().filter(|(_, facts)| writes_tags(facts));
    let hopeless = writes
        .by_ref()
        .take(LOOKED_AT)
        .find(|(action, _)| !granted(action));
    if let Some((action, _)) = hopeless {
        let action = (*action).into();
        sink.warn(&read.actions, LintKind::TagWriteByRequestAlone { action });
    }
}

/// Whether a statement is of class Q: it reads request tags and no tags of resources.
fn is_by_request_alone(read: &ReadStatement<'_>) -> bool {
    let mut families = conditions(read).filter_map(|(condition, _)| family(condition));
    let some = families.clone().next().is_some();
    some && families.all(|family| family == TagFamily::Request)
}

fn writes_tags(facts: &ActionFacts) -> bool {
    match facts.kind {
        OperationKind::Create | OperationKind::Query => false,
        OperationKind::Update | OperationKind::Other => match facts.tags {
            TagEffect::Target | TagEffect::Replace => true,
            TagEffect::None | TagEffect::NewResource | TagEffect::Remove => false,
        },
    }
}
