//! Conditions as written: a key, and a test with its operands parsed (ram 2 and 3, security 3.8).

use ipnet::IpNet;
use jiff::Timestamp;

use super::decimal::Decimal;
use super::pattern::Pattern;

/// The most values that one condition may hold.
pub const MAX_VALUES: usize = 512;

/// One condition: `{operator: {key: values}}`. All conditions of a statement must hold.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Condition {
    /// What is read.
    pub key: ConditionKey,
    /// How the values of a request are taken.
    pub quantifier: Quantifier,
    /// Whether `IfExists` was written: an absent key holds.
    pub if_exists: bool,
    /// What is asked of them.
    pub test: Test,
}

impl Condition {
    /// Whether the condition holds when its key is absent, by the meaning of ram 2.2 and 2.3.
    ///
    /// The switches `absent_family` and `forall_absent` can make an Allow fail all the same.
    pub fn holds_when_absent(&self) -> bool {
        match (&self.test, self.quantifier) {
            (Test::Null { absent }, _) => *absent,
            (_, _) if self.if_exists => true,
            (_, Quantifier::ForAllValues) => true,
            (_, Quantifier::ForAnyValue) => false,
            (test, Quantifier::Single) => test.is_negated(),
        }
    }
}

/// How the values of a request are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantifier {
    /// No set prefix: the key has exactly one value.
    Single,
    /// `ForAnyValue:`: some value passes the test.
    ForAnyValue,
    /// `ForAllValues:`: every value passes the test; also when there is none.
    ForAllValues,
}

/// What is asked of a value. Several operands of a positive test are alternatives; of a negated
/// test none may match.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// `StringEquals`, `StringNotEquals`: byte for byte.
    Equals {
        /// `Not`.
        negated: bool,
        /// The operands; at least one.
        operands: Vec<String>,
    },
    /// `StringEqualsIgnoreCase`, `StringNotEqualsIgnoreCase`.
    EqualsIgnoreCase {
        /// `Not`.
        negated: bool,
        /// The operands; at least one.
        operands: Vec<String>,
    },
    /// `StringLike`, `StringNotLike`: case matters.
    Like {
        /// `Not`.
        negated: bool,
        /// The operands; at least one.
        operands: Vec<Pattern>,
    },
    /// The `Numeric…` operators.
    Numeric {
        /// How the request's number is compared with an operand.
        comparison: Comparison,
        /// The operands; at least one.
        operands: Vec<Decimal>,
    },
    /// The `Date…` operators: compared as instants.
    Date {
        /// How the request's instant is compared with an operand.
        comparison: Comparison,
        /// The operands; at least one.
        operands: Vec<Timestamp>,
    },
    /// `Bool`.
    Bool {
        /// The operands; at least one.
        operands: Vec<bool>,
    },
    /// `IpAddress`, `NotIpAddress`: membership.
    Ip {
        /// `Not`.
        negated: bool,
        /// The networks; at least one. IPv4-mapped networks are written as IPv4.
        operands: Vec<IpNet>,
    },
    /// `Null`: presence.
    Null {
        /// `"true"`: holds when the key is absent.
        absent: bool,
    },
}

impl Test {
    /// Whether the test is one of the `Not…` operators.
    pub fn is_negated(&self) -> bool {
        match self {
            Self::Equals { negated, .. }
            | Self::EqualsIgnoreCase { negated, .. }
            | Self::Like { negated, .. }
            | Self::Ip { negated, .. } => *negated,
            Self::Numeric { comparison, .. } | Self::Date { comparison, .. } => {
                *comparison == Comparison::NotEquals
            }
            Self::Bool { .. } | Self::Null { .. } => false,
        }
    }

    /// The type that the values of a request must have.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Equals { .. }
            | Self::EqualsIgnoreCase { .. }
            | Self::Like { .. }
            | Self::Null { .. } => ValueType::Text,
            Self::Numeric { .. } => ValueType::Number,
            Self::Date { .. } => ValueType::Date,
            Self::Bool { .. } => ValueType::Bool,
            Self::Ip { .. } => ValueType::Ip,
        }
    }
}

/// The types that a value of a request may be read as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Anything.
    Text,
    /// A [`Decimal`].
    Number,
    /// RFC 3339 with a zone.
    Date,
    /// `true` or `false`.
    Bool,
    /// An address; IPv4-mapped IPv6 is read as IPv4.
    Ip,
}

/// Orders of numbers and dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// `=`
    Equals,
    /// `≠`: a negated operator, so that no operand may be equal.
    NotEquals,
    /// `<`
    LessThan,
    /// `≤`
    LessThanEquals,
    /// `>`
    GreaterThan,
    /// `≥`
    GreaterThanEquals,
}

impl Comparison {
    /// Whether `value` stands in this order to one `operand`. `NotEquals` is for each operand.
    pub fn holds<T: Ord>(self, value: &T, operand: &T) -> bool {
        match self {
            Self::Equals => value == operand,
            Self::NotEquals => value != operand,
            Self::LessThan => value < operand,
            Self::LessThanEquals => value <= operand,
            Self::GreaterThan => value > operand,
            Self::GreaterThanEquals => value >= operand,
        }
    }
}

/// What a condition reads. The fixed part of a key is read without regard to case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ConditionKey {
    /// `acs:CurrentTime`: the server's clock.
    CurrentTime,
    /// `acs:SourceIp`: always present.
    SourceIp,
    /// `acs:SecureTransport`: always present.
    SecureTransport,
    /// `acs:MFAPresent`: absent for calls with an access key.
    MfaPresent,
    /// `acs:PrincipalARN`: derived; for a session the role's ARN.
    PrincipalArn,
    /// `acs:ResourceGroupId`: the group of the sub-check's resource.
    ResourceGroupId,
    /// `Action` without a prefix: the requested action.
    Action,
    /// `Resource` without a prefix: the requested ARN.
    Resource,
    /// A key of a tag family.
    Tag(TagConditionKey),
    /// Any other key, read from the context: `acs:SourceVpc`, `oss:Prefix`. In lower case.
    Context(Box<str>),
}

impl ConditionKey {
    /// The tag that is read, where one is.
    pub fn tag(&self) -> Option<&TagConditionKey> {
        match self {
            Self::Tag(tag) => Some(tag),
            Self::CurrentTime
            | Self::SourceIp
            | Self::SecureTransport
            | Self::MfaPresent
            | Self::PrincipalArn
            | Self::ResourceGroupId
            | Self::Action
            | Self::Resource
            | Self::Context(_) => None,
        }
    }
}

/// A tag key of a condition, with the family that is read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TagConditionKey {
    /// Where the tags come from.
    pub family: TagFamily,
    /// The service whose resources the key is for, in lower case; `None` for `acs:`.
    pub service: Option<Box<str>>,
    /// The tag key: everything after the first `/`. Never empty.
    pub key: Box<str>,
}

/// The tag families (security 3.8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TagFamily {
    /// R: the tags of an existing resource.
    Resource,
    /// Q: the tags of the request.
    Request,
    /// `<svc>:tag`: R on an existing resource, Q on the one being made.
    Either,
}

/// The `acs:` keys that are known and read from the context as sent, in lower case (ram 3).
pub const CONTEXT_KEYS: [&str; 9] = [
    "acs:sourcevpc",
    "acs:principalrdid",
    "acs:principalrdpath",
    "acs:targetrdid",
    "acs:targetrdpath",
    "acs:service",
    "acs:useragent",
    "acs:referer",
    "acs:accessid",
];

/// Reads an instant: RFC 3339 with a zone; a fraction of a second may stand.
///
/// Returns `None` for any other shape.
pub fn parse_date(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && bytes
            .iter()
            .take(19)
            .enumerate()
            .all(|(place, byte)| match place {
                4 | 7 => *byte == b'-',
                10 => matches!(byte, b'T' | b't'),
                13 | 16 => *byte == b':',
                _ => byte.is_ascii_digit(),
            });
    let rest = text.get(19..)?;
    let fraction = rest
        .strip_prefix('.')
        .map(|rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
    let empty_fraction = fraction.is_some_and(|zone| zone.len() + 1 == rest.len());
    let zone = fraction.unwrap_or(rest).as_bytes();
    let zoned = match zone {
        [b'Z' | b'z'] => true,
        [b'+' | b'-', hour_tens, hour, b':', minute_tens, minute] => {
            [hour_tens, hour, minute_tens, minute]
                .iter()
                .all(|byte| byte.is_ascii_digit())
        }
        _ => false,
    };
    if shaped && zoned && !empty_fraction {
        text.parse().ok()
    } else {
        None
    }
}

/// Reads a boolean: `true` or `false`.
pub fn parse_bool(text: &str) -> Option<bool> {
    match text {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Reads an address; IPv4-mapped IPv6 is read as IPv4.
pub fn parse_ip(text: &str) -> Option<std::net::IpAddr> {
    text.parse::<std::net::IpAddr>()
        .ok()
        .map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_need_a_zone_and_compare_as_instants() {
        assert_eq!(
            parse_date("2019-08-12T17:00:00+08:00"),
            parse_date("2019-08-12T09:00:00Z")
        );
        assert!(parse_date("2019-08-12T09:00:00.25Z").is_some());
        for text in [
            "2019-08-12",
            "2019-08-12T09:00:00",
            "2019-08-12 09:00:00Z",
            "2019-08-12T09:00Z",
            "2019-08-12T09:00:00.Z",
            "2019-13-12T09:00:00Z",
            "2019-08-12T09:00:00+0800",
            "2019-08-12T09:00:00Z[UTC]",
            "",
        ] {
            assert_eq!(parse_date(text), None, "{text:?}");
        }
    }

    #[test]
    fn mapped_addresses_are_ipv4() {
        assert_eq!(parse_ip("::ffff:10.0.0.1"), parse_ip("10.0.0.1"));
        assert_eq!(parse_ip("10.0.0.01"), None);
    }
}
