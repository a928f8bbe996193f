//! Whether one condition holds: one function for each family of operators.

use std::fmt::Write;
use std::net::IpAddr;

use arrayvec::ArrayString;
use ipnet::IpNet;
use jiff::Timestamp;

use super::principal::IdentityArn;
use super::request::KnownGroup;
use super::subcheck::{EitherTags, Image, Images, ResourceTags, SubCheck};
use super::tags::{Found, Tags};
use crate::model::arn::MAX_ARN_BYTES;
use crate::model::condition::{
    Comparison, Quantifier, TagFamily, ValueType, parse_bool, parse_date, parse_ip,
};
use crate::model::decimal::Decimal;
use crate::model::settings::AbsentFamily;
use crate::model::statement::Effect;
use crate::model::text::eq_fold;
use crate::snapshot::condition::{Condition, Key, Polarity, Presence, TagKey, Test};

/// A value of a request.
#[derive(Debug, Clone, Copy)]
enum Value<'a> {
    Text(&'a str),
    Instant(Timestamp),
    Address(IpAddr),
    Flag(bool),
}

/// What a key came to.
#[derive(Debug, Clone, Copy)]
enum Read<'a> {
    Absent,
    One(Value<'a>),
    Many(&'a [&'a str]),
    /// The whole family is not there (security 3.3).
    NoFamily,
    /// Colliding keys (security 3.9).
    Collision,
}

/// Whether a condition holds on an image. A T that is read as both must hold on both.
pub(super) fn holds(
    check: &SubCheck<'_>,
    effect: Effect,
    condition: &Condition,
    image: Image,
) -> bool {
    every(check, condition, image, |read| {
        decide(check, effect, condition, read)
    })
}

/// Whether a condition reads the same on both images, so that it need not be read twice: tags of the
/// resource alone differ between them, and not those that the call leaves alone.
pub(super) fn reads_alike(check: &SubCheck<'_>, condition: &Condition, images: Images) -> bool {
    let Key::Tag(tag) = &condition.key else {
        return true;
    };
    match (tag.family, images.first.either) {
        (TagFamily::Resource, _) | (TagFamily::Either, EitherTags::Resource) => {
            check.leaves(&tag.key)
        }
        (TagFamily::Request, _) | (TagFamily::Either, EitherTags::Request | EitherTags::Both) => {
            true
        }
    }
}

/// Whether every value that a condition puts a typed operator to can be read, on an image.
pub(super) fn is_readable(check: &SubCheck<'_>, condition: &Condition, image: Image) -> bool {
    every(check, condition, image, |read| readable(condition, read))
}

/// What a condition found on an image, for people.
pub(super) fn found(check: &SubCheck<'_>, condition: &Condition, image: Image) -> String {
    let mut found = String::new();
    every(check, condition, image, |read| {
        let separator = if found.is_empty() {
            ""
        } else {
            " now, after the call "
        };
        let _ = write!(found, "{separator}{}", Shown(read));
        true
    });
    found
}

/// Whether something is so of every value that a condition reads on an image.
fn every(
    check: &SubCheck<'_>,
    condition: &Condition,
    image: Image,
    mut is_so: impl FnMut(Read<'_>) -> bool,
) -> bool {
    let Key::Tag(tag) = &condition.key else {
        return with_key(check, condition, is_so);
    };
    let source = match (tag.family, image.either) {
        (TagFamily::Resource, _) | (TagFamily::Either, EitherTags::Resource) => {
            check.resource_tags(image.resource)
        }
        (TagFamily::Request, _) | (TagFamily::Either, EitherTags::Request) => {
            check.request_tags(image.request)
        }
        (TagFamily::Either, EitherTags::Both) => {
            let mut both = [ResourceTags::Current, ResourceTags::Post].into_iter();
            return both.all(|tags| is_so(tag_value(check, tag, check.resource_tags(tags))));
        }
    };
    is_so(tag_value(check, tag, source))
}

fn tag_value<'a>(check: &SubCheck<'a>, tag: &TagKey, source: Option<Tags<'a>>) -> Read<'a> {
    let foreign = tag
        .service
        .as_deref()
        .is_some_and(|service| service != check.service());
    match source {
        _ if foreign => Read::NoFamily,
        None => Read::NoFamily,
        Some(tags) => match tags.find(&tag.key, tag.reading) {
            Found::Absent => Read::Absent,
            Found::Value(value) => Read::One(Value::Text(value)),
            Found::Collision => Read::Collision,
        },
    }
}

/// Reads a key that is no tag; derived texts live for the call of `then`.
fn with_key<'a, T>(
    check: &SubCheck<'a>,
    condition: &Condition,
    then: impl FnOnce(Read<'_>) -> T,
) -> T {
    let context = &check.request.context;
    let one = |value: Option<Value<'a>>| value.map_or(Read::Absent, Read::One);
    match &condition.key {
        Key::CurrentTime => then(Read::One(Value::Instant(context.current_time))),
        Key::SourceIp => then(one(context.source_ip.map(Value::Address))),
        Key::SecureTransport => then(one(context.secure_transport.map(Value::Flag))),
        Key::MfaPresent => then(one(context.mfa_present.map(Value::Flag))),
        Key::PrincipalArn => {
            let mut arn = ArrayString::<MAX_ARN_BYTES>::new();
            IdentityArn::new(check.request.principal).write(&mut arn);
            then(Read::One(Value::Text(&arn)))
        }
        Key::ResourceGroupId => then(match check.resource.group {
            KnownGroup::Some(group) => Read::One(Value::Text(group)),
            KnownGroup::None | KnownGroup::Unknown => Read::Absent,
        }),
        Key::Action => then(Read::One(Value::Text(check.action.name.as_str()))),
        Key::Resource => then(Read::One(Value::Text(check.resource.name.as_str()))),
        Key::Context(name) => then(context_value(check, name)),
        Key::Tag(_) => then(Read::Absent),
    }
}

fn context_value<'a>(check: &SubCheck<'a>, name: &str) -> Read<'a> {
    let entry = check
        .request
        .context
        .entries
        .iter()
        .find(|entry| entry.key.eq_ignore_ascii_case(name));
    match entry.map(|entry| entry.values) {
        None | Some([]) => Read::Absent,
        Some([value]) => Read::One(Value::Text(value)),
        Some(values) => Read::Many(values),
    }
}

fn decide(check: &SubCheck<'_>, effect: Effect, condition: &Condition, read: Read<'_>) -> bool {
    let fails = check.snapshot.settings.absent_family == AbsentFamily::Fail;
    match (read, &condition.test) {
        // security 3.3: "an Allow with any Q condition does not hold", R likewise
        (Read::NoFamily, _) if effect == Effect::Allow && fails => false,
        (Read::NoFamily | Read::Absent, _) => condition.when_absent,
        // security 3.9: "an Allow that reads the key does not hold, a Deny holds"
        (Read::Collision, _) => effect == Effect::Deny,
        (Read::One(_) | Read::Many(_), Test::Null(presence)) => *presence == Presence::Present,
        (Read::One(value), test) => passes(test, value).unwrap_or(false),
        (Read::Many(values), test) => {
            let mut each = values
                .iter()
                .map(|value| passes(test, Value::Text(value)).unwrap_or(false));
            match condition.quantifier {
                Quantifier::ForAllValues => each.all(|passed| passed),
                Quantifier::ForAnyValue => each.any(|passed| passed),
                // INVARIANT: refused by `readable` before.
                Quantifier::Single => false,
            }
        }
    }
}

fn readable(condition: &Condition, read: Read<'_>) -> bool {
    let kind = condition.test.value_type();
    match read {
        Read::Absent | Read::NoFamily | Read::Collision => true,
        Read::One(value) => is_of_type(value, kind),
        Read::Many(_) if matches!(condition.test, Test::Null(_)) => true,
        Read::Many(_) if condition.quantifier == Quantifier::Single => false,
        Read::Many(values) => values
            .iter()
            .all(|value| is_of_type(Value::Text(value), kind)),
    }
}

fn is_of_type(value: Value<'_>, kind: ValueType) -> bool {
    match kind {
        ValueType::Text => true,
        ValueType::Number => number(value).is_some(),
        ValueType::Date => instant(value).is_some(),
        ValueType::Bool => flag(value).is_some(),
        ValueType::Ip => address(value).is_some(),
    }
}

/// Whether a value passes a test; `None`: it cannot be read as what the test asks for.
fn passes(test: &Test, value: Value<'_>) -> Option<bool> {
    match test {
        Test::Equals(polarity, operands) => text(value, |text| {
            signed(*polarity, operands.iter().any(|operand| **operand == *text))
        }),
        Test::EqualsIgnoreCase(polarity, operands) => text(value, |text| {
            signed(
                *polarity,
                operands.iter().any(|operand| eq_fold(operand, text)),
            )
        }),
        Test::Like(polarity, operands) => text(value, |text| {
            signed(
                *polarity,
                operands.iter().any(|operand| operand.matches(text)),
            )
        }),
        Test::Numeric(comparison, operands) => {
            Some(ordered(*comparison, &number(value)?, operands))
        }
        Test::Date(comparison, operands) => Some(ordered(*comparison, &instant(value)?, operands)),
        Test::Bool(operands) => Some(operands.contains(&flag(value)?)),
        Test::Ip(polarity, operands) => Some(member(*polarity, address(value)?, operands)),
        Test::Null(presence) => Some(*presence == Presence::Present),
    }
}

fn signed(polarity: Polarity, matched: bool) -> bool {
    match polarity {
        Polarity::Positive => matched,
        Polarity::Negated => !matched,
    }
}

/// ram 2.2: several operands of a positive operator are alternatives, of a negated one none may match.
fn ordered<T: Ord>(comparison: Comparison, value: &T, operands: &[T]) -> bool {
    let mut each = operands
        .iter()
        .map(|operand| comparison.holds(value, operand));
    match comparison {
        Comparison::NotEquals => each.all(|held| held),
        Comparison::Equals
        | Comparison::LessThan
        | Comparison::LessThanEquals
        | Comparison::GreaterThan
        | Comparison::GreaterThanEquals => each.any(|held| held),
    }
}

fn member(polarity: Polarity, address: IpAddr, networks: &[IpNet]) -> bool {
    signed(
        polarity,
        networks.iter().any(|network| network.contains(&address)),
    )
}

fn number(value: Value<'_>) -> Option<Decimal> {
    match value {
        Value::Text(text) => Decimal::parse(text).ok(),
        Value::Instant(_) | Value::Address(_) | Value::Flag(_) => None,
    }
}

fn instant(value: Value<'_>) -> Option<Timestamp> {
    match value {
        Value::Instant(instant) => Some(instant),
        Value::Text(text) => parse_date(text),
        Value::Address(_) | Value::Flag(_) => None,
    }
}

fn flag(value: Value<'_>) -> Option<bool> {
    match value {
        Value::Flag(flag) => Some(flag),
        Value::Text(text) => parse_bool(text),
        Value::Instant(_) | Value::Address(_) => None,
    }
}

fn address(value: Value<'_>) -> Option<IpAddr> {
    match value {
        Value::Address(address) => Some(address),
        Value::Text(text) => parse_ip(text),
        Value::Instant(_) | Value::Flag(_) => None,
    }
}

/// The canonical text of a value (docs/semantics.md 34); it lives for the call of `then`.
fn text(value: Value<'_>, then: impl FnOnce(&str) -> bool) -> Option<bool> {
    let mut buffer = ArrayString::<64>::new();
    match value {
        Value::Text(text) => return Some(then(text)),
        Value::Flag(flag) => return Some(then(if flag { "true" } else { "false" })),
        Value::Instant(instant) => write!(buffer, "{instant}").ok()?,
        Value::Address(address) => write!(buffer, "{address}").ok()?,
    }
    Some(then(&buffer))
}

/// A value for people.
struct Shown<'a>(Read<'a>);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Read::Absent => formatter.write_str("absent"),
            Read::NoFamily => formatter.write_str("absent, with all tags of its family"),
            Read::Collision => formatter.write_str("several keys that differ only in case"),
            Read::One(Value::Text(text)) => write!(formatter, "{text:?}"),
            Read::One(Value::Instant(instant)) => write!(formatter, "{instant}"),
            Read::One(Value::Address(address)) => write!(formatter, "{address}"),
            Read::One(Value::Flag(flag)) => write!(formatter, "{flag}"),
            Read::Many(values) => write!(formatter, "{values:?}"),
        }
    }
}
