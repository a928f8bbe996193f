//! Lowers conditions: what an absent key and the case of tag keys mean is decided here, once.

use super::intern::Interner;
use super::matcher;
use crate::model::condition::{self as written, ConditionKey, Quantifier, ValueType};
use crate::model::pattern::Pattern;
use crate::model::settings::{ForAllAbsent, Settings, TagKeyCase};
use crate::model::statement::Effect;
use crate::snapshot::condition::{Condition, Key, KeyReading, Polarity, Presence, TagKey, Test};
use crate::snapshot::policy::Conditions;

/// The conditions of a statement with this effect.
pub(super) fn list<'b>(
    interner: &mut Interner<'b>,
    settings: &Settings,
    effect: Effect,
    conditions: &'b [written::Condition],
) -> Conditions {
    let hash = match interner.conditions.get(effect, conditions) {
        Ok(known) => return known,
        Err(hash) => hash,
    };
    let each = conditions.iter();
    let lowered: Vec<Condition> = each
        .map(|condition| lower(interner, settings, effect, condition))
        .collect();
    let lowered = Conditions::from(lowered);
    interner
        .conditions
        .insert(hash, effect, conditions, lowered.clone());
    lowered
}

fn lower(
    interner: &mut Interner<'_>,
    settings: &Settings,
    effect: Effect,
    condition: &written::Condition,
) -> Condition {
    let when_absent = when_absent(settings, effect, condition);
    let folded = fold_action(condition);
    Condition {
        key: key(
            interner,
            reading(settings, effect, when_absent),
            &condition.key,
        ),
        quantifier: condition.quantifier,
        if_exists: condition.if_exists,
        when_absent,
        test: test(interner, folded.as_ref().unwrap_or(&condition.test)),
    }
}

/// security 7.3: actions are "folded alike everywhere", so the operands of the key `Action` too.
fn fold_action(condition: &written::Condition) -> Option<written::Test> {
    let lower = |operands: &[String]| {
        operands
            .iter()
            .map(|text| text.to_ascii_lowercase())
            .collect()
    };
    match (&condition.key, &condition.test) {
        (ConditionKey::Action, written::Test::Equals { negated, operands }) => {
            Some(written::Test::Equals {
                negated: *negated,
                operands: lower(operands),
            })
        }
        (ConditionKey::Action, written::Test::Like { negated, operands }) => {
            let operands = operands.iter().map(Pattern::to_ascii_lowercase).collect();
            Some(written::Test::Like {
                negated: *negated,
                operands,
            })
        }
        _ => None,
    }
}

/// security 7.1: "`ForAllValues` in an Allow is false when the key is absent or empty".
fn when_absent(settings: &Settings, effect: Effect, condition: &written::Condition) -> bool {
    let for_all = condition.quantifier == Quantifier::ForAllValues;
    let closed = settings.forall_absent == ForAllAbsent::False && effect == Effect::Allow;
    condition.holds_when_absent() && !(for_all && closed)
}

/// security 3.9: "exact in an Allow, folded in a positive Deny".
fn reading(settings: &Settings, effect: Effect, when_absent: bool) -> KeyReading {
    match (settings.tag_key_case, effect) {
        (TagKeyCase::Exact, _) => KeyReading::Exact,
        (TagKeyCase::Fold, _) => KeyReading::Folded,
        (TagKeyCase::Guarded, Effect::Deny) if !when_absent => KeyReading::Folded,
        (TagKeyCase::Guarded, _) => KeyReading::Guarded,
    }
}

fn key(interner: &mut Interner<'_>, reading: KeyReading, key: &ConditionKey) -> Key {
    match key {
        ConditionKey::CurrentTime => Key::CurrentTime,
        ConditionKey::SourceIp => Key::SourceIp,
        ConditionKey::SecureTransport => Key::SecureTransport,
        ConditionKey::MfaPresent => Key::MfaPresent,
        ConditionKey::PrincipalArn => Key::PrincipalArn,
        ConditionKey::ResourceGroupId => Key::ResourceGroupId,
        ConditionKey::Action => Key::Action,
        ConditionKey::Resource => Key::Resource,
        ConditionKey::Tag(tag) => Key::Tag(TagKey {
            family: tag.family,
            service: tag
                .service
                .as_deref()
                .map(|service| interner.symbol(service)),
            key: interner.symbol(&tag.key),
            reading,
        }),
        ConditionKey::Context(name) => Key::Context(interner.symbol(name)),
    }
}

fn test(interner: &mut Interner<'_>, test: &written::Test) -> Test {
    match test {
        written::Test::Equals { negated, operands } => {
            Test::Equals(polarity(*negated), interner.symbols(operands))
        }
        written::Test::EqualsIgnoreCase { negated, operands } => {
            Test::EqualsIgnoreCase(polarity(*negated), interner.symbols(operands))
        }
        written::Test::Like { negated, operands } => Test::Like(
            polarity(*negated),
            operands
                .iter()
                .map(|operand| matcher::pattern(interner, operand))
                .collect(),
        ),
        written::Test::Numeric {
            comparison,
            operands,
        } => Test::Numeric(*comparison, operands.as_slice().into()),
        written::Test::Date {
            comparison,
            operands,
        } => Test::Date(*comparison, operands.as_slice().into()),
        written::Test::Bool { operands } => Test::Bool(operands.as_slice().into()),
        written::Test::Ip { negated, operands } => {
            Test::Ip(polarity(*negated), operands.as_slice().into())
        }
        written::Test::Null { absent: true } => Test::Null(Presence::Absent),
        written::Test::Null { absent: false } => Test::Null(Presence::Present),
    }
}

fn polarity(negated: bool) -> Polarity {
    if negated {
        Polarity::Negated
    } else {
        Polarity::Positive
    }
}

/// Whether values may turn out unreadable when a statement asks: those of the four typed keys were
/// read at the edge; a key of the context may have several values where one is asked for.
pub(super) fn is_read_late(condition: &Condition) -> bool {
    let typed = condition.test.value_type() != ValueType::Text;
    match condition.key {
        Key::CurrentTime | Key::SourceIp | Key::SecureTransport | Key::MfaPresent => false,
        Key::PrincipalArn | Key::ResourceGroupId | Key::Action | Key::Resource | Key::Tag(_) => {
            typed
        }
        Key::Context(_) => typed || condition.quantifier == Quantifier::Single,
    }
}
