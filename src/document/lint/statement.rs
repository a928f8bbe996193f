//! Warnings on one statement, in the light of what the catalog knows of its actions.

use crate::document::cursor::Sink;
use crate::document::policy::ReadStatement;
use crate::model::action::ActionRef;
use crate::model::catalog::{ActionFacts, Catalog, OperationKind, TagEffect};
use crate::model::condition::{Condition, ConditionKey, Quantifier, TagFamily, Test};
use crate::model::statement::{Actions, Effect};

use super::{LintKind, actions};

/// How many actions of a statement are compared with all other statements.
const LOOKED_AT: usize = 16;

/// Tells what is probably wrong with one statement of a document.
pub(super) fn check(
    read: &ReadStatement<'_, '_>,
    document: &[ReadStatement<'_, '_>],
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) {
    for (place, condition) in conditions(read) {
        if let Some(kind) = of_key(read, condition) {
            sink.warn(&read.condition_spot(place), kind);
        }
    }
    match read.statement.effect {
        Effect::Allow => allow(read, document, catalog, sink),
        Effect::Deny => deny(read, sink),
    }
}

/// The conditions, each with its place.
fn conditions<'a>(
    read: &'a ReadStatement<'_, '_>,
) -> impl Iterator<Item = (usize, &'a Condition)> + Clone {
    read.statement.conditions.iter().enumerate()
}

/// Keys that no request covered by the statement carries.
fn of_key(read: &ReadStatement<'_, '_>, condition: &Condition) -> Option<LintKind> {
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

fn deny(read: &ReadStatement<'_, '_>, sink: &mut Sink<'_>) {
    for (place, _) in conditions(read).filter(|(_, condition)| is_mfa_false(condition)) {
        sink.warn(&read.condition_spot(place), LintKind::MfaDenyWithoutKey);
    }
    let mut negated = conditions(read).filter(|(_, condition)| {
        family(condition) == Some(TagFamily::Request) && is_negated(condition)
    });
    if let (Some(_), Some((second, _))) = (negated.next(), negated.next()) {
        sink.warn(&read.condition_spot(second), LintKind::NegatedTagsTogether);
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
    read: &ReadStatement<'_, '_>,
    document: &[ReadStatement<'_, '_>],
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) {
    if let Actions::AllBut(_) = read.statement.actions {
        sink.warn(&read.actions_spot(), LintKind::NotActionInAllow);
    }
    let every =
        |(_, condition): &(usize, &Condition)| condition.quantifier == Quantifier::ForAllValues;
    for (place, _) in conditions(read).filter(every) {
        sink.warn(&read.condition_spot(place), LintKind::ForAllValuesInAllow);
    }
    if conditions(read).all(|(_, condition)| family(condition).is_none()) {
        return;
    }
    if let Some(listed) = actions::listed(read) {
        tags_unseen(read, &listed, catalog, sink);
        tag_writes(read, &listed, document, catalog, sink);
    }
}

/// Tag conditions on families that these actions never have (ram 5.2, security 3.2 and 3.3).
fn tags_unseen(
    read: &ReadStatement<'_, '_>,
    listed: &[ActionRef<'_>],
    catalog: &Catalog,
    sink: &mut Sink<'_>,
) {
    let reads = |asked| conditions(read).any(|(_, condition)| family(condition) == Some(asked));
    let (mut creates, mut blind) = (reads(TagFamily::Resource), reads(TagFamily::Request));
    for action in listed {
        if !creates && !blind {
            return;
        }
        let facts = catalog.facts(*action);
        creates &= facts.kind == OperationKind::Create;
        blind &= !sees_request_tags(&facts);
    }
    for (place, condition) in conditions(read) {
        let mut warn = |kind| sink.warn(&read.condition_spot(place), kind);
        match family(condition) {
            Some(TagFamily::Resource) if creates && is_negated(condition) => {
                warn(LintKind::NegatedResourceTagOnCreate);
            }
            Some(TagFamily::Resource) if creates => {
                warn(LintKind::ResourceTagOnCreate);
            }
            Some(TagFamily::Request) if blind => warn(LintKind::RequestTagUnseen),
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
    read: &ReadStatement<'_, '_>,
    listed: &[ActionRef<'_>],
    document: &[ReadStatement<'_, '_>],
    catalog: &Catalog,
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
    let writes = listed
        .iter()
        .filter(|action| writes_tags(&catalog.facts(**action)));
    let hopeless = writes
        .take(LOOKED_AT)
        .find(|action| !granted(action.as_str()));
    if let Some(action) = hopeless {
        let action = action.as_str().into();
        sink.warn(
            &read.actions_spot(),
            LintKind::TagWriteByRequestAlone { action },
        );
    }
}

/// Whether a statement is of class Q: it reads request tags and no tags of resources.
fn is_by_request_alone(read: &ReadStatement<'_, '_>) -> bool {
    let mut families = conditions(read).filter_map(|(_, condition)| family(condition));
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
