//! Whether one condition holds, and whether its values can be read.

use crate::model::condition::{
    Comparison, Condition, ConditionKey, Quantifier, TagConditionKey, TagFamily, Test, parse_bool,
    parse_date, parse_ip,
};
use crate::model::decimal::Decimal;
use crate::model::pattern::Pattern;
use crate::model::settings::{AbsentFamily, ForAllAbsent, TagKeyCase};
use crate::model::statement::Effect;
use crate::model::text::{eq_fold, fold};

use super::image::Image;
use super::principal::principal_arn;
use super::subcheck::{Group, Question, SubCheck, Tags};
use super::wildcard;

/// A value that is not of the type that the operator asks for, or more values than it takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

/// Whether a condition holds on one image.
pub(super) fn holds(
    question: &Question<'_>,
    sub: &SubCheck<'_>,
    image: &Image,
    effect: Effect,
    condition: &Condition,
) -> Result<bool, Unreadable> {
    if let Some(key) = condition.key.tag() {
        let mut all = true;
        for tags in family(image, key) {
            all &= holds_on_tags(question, effect, condition, key, tags)?;
        }
        return Ok(all);
    }
    let values = fact_values(question, sub, &condition.key);
    holds_on_values(question, effect, condition, &values)
}

/// The values of a key that is no tag; empty where it is absent.
pub(super) fn fact_values(
    question: &Question<'_>,
    sub: &SubCheck<'_>,
    key: &ConditionKey,
) -> Vec<String> {
    match key {
        ConditionKey::CurrentTime => {
            let sent = question.request.current_time.as_deref();
            let instant = sent.and_then(parse_date);
            instant.iter().map(ToString::to_string).collect()
        }
        ConditionKey::SourceIp => {
            let sent = sent_values(question, "acs:sourceip");
            let read = sent.iter().filter_map(|text| parse_ip(text));
            read.map(|address| address.to_string()).collect()
        }
        ConditionKey::SecureTransport => sent_values(question, "acs:securetransport"),
        ConditionKey::MfaPresent => sent_values(question, "acs:mfapresent"),
        ConditionKey::PrincipalArn => vec![principal_arn(question.principal)],
        ConditionKey::ResourceGroupId => match &sub.group {
            Group::In(group) => vec![group.clone()],
            Group::Outside | Group::Unknown => Vec::new(),
        },
        ConditionKey::Action => vec![question.action.as_str().to_ascii_lowercase()],
        ConditionKey::Resource => vec![sub.name.as_str().to_owned()],
        ConditionKey::Context(key) => sent_values(question, key),
        ConditionKey::Tag(_) => Vec::new(),
    }
}

fn sent_values(question: &Question<'_>, lower_case_key: &str) -> Vec<String> {
    let mut sent = question.request.context.iter();
    sent.find(|(key, _)| fold(key) == lower_case_key)
        .map(|(_, values)| values.clone())
        .unwrap_or_default()
}

/// The tags that a key is looked up in: every one of them must satisfy the condition.
fn family<'a>(image: &'a Image, key: &TagConditionKey) -> Vec<Option<&'a Tags>> {
    // security 3.8, decision 14: a service's own family is absent on resources of another service.
    let foreign = key
        .service
        .as_ref()
        .is_some_and(|service| **service != *image.service);
    if foreign {
        return vec![None];
    }
    match key.family {
        TagFamily::Resource => vec![image.resource.as_ref()],
        TagFamily::Request => vec![image.request.as_ref()],
        TagFamily::Either => image.either.iter().map(Option::as_ref).collect(),
    }
}

fn holds_on_tags(
    question: &Question<'_>,
    effect: Effect,
    condition: &Condition,
    key: &TagConditionKey,
    tags: Option<&Tags>,
) -> Result<bool, Unreadable> {
    let Some(tags) = tags else {
        // security 3.3: an Allow does not hold, whatever the operator. In a Deny: positive false,
        // negated true.
        let fails = match (question.bundle.settings.absent_family, effect) {
            (AbsentFamily::Fail, Effect::Allow) => true,
            (AbsentFamily::Fail, Effect::Deny) | (AbsentFamily::Aws, _) => false,
        };
        return Ok(!fails && holds_absent(question, effect, condition));
    };
    let (folds, sees_collisions) = key_case(question, effect, condition);
    let alike = tags
        .iter()
        .filter(|(other, _)| eq_fold(other, &key.key))
        .count();
    // security 3.9: colliding keys: an Allow that reads the key does not hold, a Deny holds.
    if sees_collisions && alike > 1 {
        return Ok(effect == Effect::Deny);
    }
    let same = |other: &str| other == &*key.key || (folds && eq_fold(other, &key.key));
    let values: Vec<String> = tags
        .iter()
        .filter(|(other, _)| same(other))
        .map(|(_, value)| value.clone())
        .collect();
    holds_on_values(question, effect, condition, &values)
}

/// security 3.9, decision 16: whether the key is read folded, and whether collisions count.
fn key_case(question: &Question<'_>, effect: Effect, condition: &Condition) -> (bool, bool) {
    match question.bundle.settings.tag_key_case {
        TagKeyCase::Exact => (false, false),
        TagKeyCase::Fold => (true, true),
        TagKeyCase::Guarded => {
            let folds = effect == Effect::Deny && !condition.holds_when_absent();
            (folds, true)
        }
    }
}

/// ram 2.2 and 2.3, security 7.1: the key is absent.
fn holds_absent(question: &Question<'_>, effect: Effect, condition: &Condition) -> bool {
    let for_all = condition.quantifier == Quantifier::ForAllValues;
    let closed = question.bundle.settings.forall_absent == ForAllAbsent::False;
    if effect == Effect::Allow && for_all && closed {
        return false;
    }
    condition.holds_when_absent()
}

fn holds_on_values(
    question: &Question<'_>,
    effect: Effect,
    condition: &Condition,
    values: &[String],
) -> Result<bool, Unreadable> {
    if values.is_empty() {
        return Ok(holds_absent(question, effect, condition));
    }
    if let Test::Null { absent } = condition.test {
        return Ok(!absent);
    }
    // Decision 7: several values need a set prefix, `Null` excepted.
    if values.len() > 1 && condition.quantifier == Quantifier::Single {
        return Err(Unreadable);
    }
    let folded = folded(condition);
    let mut results = Vec::new();
    for value in values {
        results.push(passes(&folded, value)?);
    }
    Ok(match condition.quantifier {
        Quantifier::Single | Quantifier::ForAllValues => results.iter().all(|passed| *passed),
        Quantifier::ForAnyValue => results.iter().any(|passed| *passed),
    })
}

/// The test, with its operands in lower case for the key `Action` (decision 36).
fn folded(condition: &Condition) -> Test {
    let mut test = condition.test.clone();
    if condition.key != ConditionKey::Action {
        return test;
    }
    match &mut test {
        Test::Equals { operands, .. } | Test::EqualsIgnoreCase { operands, .. } => {
            for operand in operands {
                *operand = operand.to_ascii_lowercase();
            }
        }
        Test::Like { operands, .. } => {
            for operand in operands {
                let lower = operand.as_str().to_ascii_lowercase();
                *operand = Pattern::parse(&lower, lower.len()).unwrap_or_else(|_| operand.clone());
            }
        }
        Test::Numeric { .. }
        | Test::Date { .. }
        | Test::Bool { .. }
        | Test::Ip { .. }
        | Test::Null { .. } => {}
    }
    test
}

/// Whether one value passes the test. ram 2.2: several operands of a positive test are
/// alternatives; of a negated test none may match.
fn passes(test: &Test, value: &str) -> Result<bool, Unreadable> {
    match test {
        Test::Equals { negated, operands } => {
            Ok(operands.iter().any(|operand| operand == value) != *negated)
        }
        Test::EqualsIgnoreCase { negated, operands } => {
            Ok(operands.iter().any(|operand| eq_fold(operand, value)) != *negated)
        }
        Test::Like { negated, operands } => {
            let like = |operand: &Pattern| wildcard::matches(operand.as_str(), value);
            Ok(operands.iter().any(like) != *negated)
        }
        Test::Numeric {
            comparison,
            operands,
        } => {
            let value = Decimal::parse(value).map_err(|_| Unreadable)?;
            Ok(compares(*comparison, &value, operands))
        }
        Test::Date {
            comparison,
            operands,
        } => {
            let value = parse_date(value).ok_or(Unreadable)?;
            Ok(compares(*comparison, &value, operands))
        }
        Test::Bool { operands } => {
            let value = parse_bool(value).ok_or(Unreadable)?;
            Ok(operands.contains(&value))
        }
        Test::Ip { negated, operands } => {
            let value = parse_ip(value).ok_or(Unreadable)?;
            Ok(operands.iter().any(|network| network.contains(&value)) != *negated)
        }
        Test::Null { absent } => Ok(!absent),
    }
}

fn compares<T: Ord>(comparison: Comparison, value: &T, operands: &[T]) -> bool {
    let mut operands = operands.iter();
    match comparison {
        Comparison::Equals => operands.any(|operand| value == operand),
        Comparison::NotEquals => operands.all(|operand| value != operand),
        Comparison::LessThan => operands.any(|operand| value < operand),
        Comparison::LessThanEquals => operands.any(|operand| value <= operand),
        Comparison::GreaterThan => operands.any(|operand| value > operand),
        Comparison::GreaterThanEquals => operands.any(|operand| value >= operand),
    }
}
