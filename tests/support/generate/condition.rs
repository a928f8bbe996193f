//! Random conditions: every operator, quantifier and key.

use tagwarden::model::condition::{
    Comparison, Condition, ConditionKey, Quantifier, TagConditionKey, TagFamily, Test, parse_date,
};
use tagwarden::model::decimal::Decimal;
use tagwarden::model::pattern::Pattern;
use tagwarden::model::settings::{Operators, Settings};

use super::Tape;
use super::request::{KEYS, VALUES};

const COMPARISONS: [Comparison; 6] = [
    Comparison::Equals,
    Comparison::NotEquals,
    Comparison::LessThan,
    Comparison::LessThanEquals,
    Comparison::GreaterThan,
    Comparison::GreaterThanEquals,
];

pub(super) fn condition(tape: &mut Tape<'_>) -> Condition {
    let key = key(tape);
    let test = if tape.percent(8) {
        Test::Null {
            absent: tape.percent(50),
        }
    } else {
        test(tape, &key)
    };
    let takes_more = !matches!(test, Test::Null { .. });
    let several = matches!(&key, ConditionKey::Context(key) if !key.starts_with("acs:"));
    let chance = if several { 60 } else { 10 };
    let quantifier = if takes_more && tape.percent(chance) {
        tape.pick(&[Quantifier::ForAnyValue, Quantifier::ForAllValues])
    } else {
        Quantifier::Single
    };
    Condition {
        key,
        quantifier,
        if_exists: takes_more && tape.percent(12),
        test,
    }
}

/// What the switch `operators` leaves of a condition: documents are refused before they get here.
pub(super) fn documented(settings: &Settings, condition: &Condition) -> bool {
    match settings.operators {
        Operators::Extended => true,
        Operators::Documented => {
            condition.quantifier == Quantifier::Single
                && !condition.if_exists
                && !matches!(condition.test, Test::Null { .. })
        }
    }
}

fn key(tape: &mut Tape<'_>) -> ConditionKey {
    match tape.below(24) {
        0..=4 => tag(TagFamily::Resource, None, tape),
        5..=8 => tag(TagFamily::Request, None, tape),
        9 | 10 => tag(TagFamily::Either, Some(tape.pick(&["ecs", "oss"])), tape),
        11 => tag(TagFamily::Resource, Some(tape.pick(&["ecs", "oss"])), tape),
        12 => tag(TagFamily::Request, Some(tape.pick(&["ecs", "oss"])), tape),
        13 => ConditionKey::CurrentTime,
        14 => ConditionKey::SourceIp,
        15 => ConditionKey::SecureTransport,
        16 => ConditionKey::MfaPresent,
        17 => ConditionKey::PrincipalArn,
        18 => ConditionKey::ResourceGroupId,
        19 => tape.pick(&[ConditionKey::Action, ConditionKey::Resource]),
        20 => ConditionKey::Context("acs:sourcevpc".into()),
        21 | 22 => ConditionKey::Context("oss:prefix".into()),
        _ => ConditionKey::Context("ecs:size".into()),
    }
}

fn tag(family: TagFamily, service: Option<&str>, tape: &mut Tape<'_>) -> ConditionKey {
    ConditionKey::Tag(TagConditionKey {
        family,
        service: service.map(Into::into),
        key: tape.pick(&[KEYS[0], KEYS[0], KEYS[1], KEYS[2]]).into(),
    })
}

fn test(tape: &mut Tape<'_>, key: &ConditionKey) -> Test {
    let negated = tape.percent(35);
    match key {
        ConditionKey::CurrentTime => date(tape),
        ConditionKey::SourceIp if !tape.percent(15) => Test::Ip {
            negated,
            operands: vec![
                tape.pick(&["10.0.0.0/8", "10.0.0.1/32"])
                    .parse()
                    .expect("a network"),
            ],
        },
        ConditionKey::SecureTransport | ConditionKey::MfaPresent if !tape.percent(15) => {
            Test::Bool {
                operands: vec![!tape.percent(50)],
            }
        }
        ConditionKey::Context(key) if **key == *"ecs:size" => numeric(tape),
        ConditionKey::PrincipalArn | ConditionKey::Action | ConditionKey::Resource => {
            let all = [
                "*",
                "acs:ram::1:*",
                "*:role/ops",
                "ecs:*",
                "*/i-1",
                "ecs.aliyuncs.com",
            ];
            Test::Like {
                negated,
                operands: vec![pattern(tape.pick(&all))],
            }
        }
        ConditionKey::ResourceGroupId => Test::Equals {
            negated,
            operands: vec![tape.pick(&["rg-1", "rg-2"]).to_owned()],
        },
        ConditionKey::Tag(_) if tape.percent(4) => numeric(tape),
        ConditionKey::Tag(_)
        | ConditionKey::Context(_)
        | ConditionKey::SourceIp
        | ConditionKey::SecureTransport
        | ConditionKey::MfaPresent => string(tape, negated),
    }
}

fn string(tape: &mut Tape<'_>, negated: bool) -> Test {
    let mut operands = vec![tape.pick(&VALUES).to_owned()];
    if tape.percent(25) {
        operands.push(tape.pick(&VALUES).to_owned());
    }
    match tape.below(6) {
        0..=2 => Test::Equals { negated, operands },
        3 => Test::EqualsIgnoreCase { negated, operands },
        _ => Test::Like {
            negated,
            operands: vec![pattern(tape.pick(&["a*", "*", "?", "?*", "b", "*.*"]))],
        },
    }
}

fn pattern(text: &str) -> Pattern {
    Pattern::parse(text, 2_048).expect("a pattern")
}

fn numeric(tape: &mut Tape<'_>) -> Test {
    Test::Numeric {
        comparison: tape.pick(&COMPARISONS),
        operands: vec![Decimal::parse(tape.pick(&["1", "2", "1.0"])).expect("a number")],
    }
}

fn date(tape: &mut Tape<'_>) -> Test {
    let all = [
        "2026-01-01T08:00:00+08:00",
        "2025-01-01T00:00:00Z",
        "2027-01-01T00:00:00Z",
    ];
    Test::Date {
        comparison: tape.pick(&COMPARISONS),
        operands: vec![parse_date(tape.pick(&all)).expect("a date")],
    }
}
