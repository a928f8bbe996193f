//! Compiled conditions: operands parsed, and what an absent key means already decided.

use std::fmt;

use ipnet::IpNet;
use jiff::Timestamp;

use super::matcher::Matcher;
use super::symbol::Symbol;
use crate::model::condition::{Comparison, Quantifier, TagFamily, ValueType};
use crate::model::decimal::Decimal;

/// One condition of a statement.
#[derive(Debug, Clone)]
pub struct Condition {
    /// What is read.
    pub key: Key,
    /// How several values are taken.
    pub quantifier: Quantifier,
    /// Whether `IfExists` was written.
    pub if_exists: bool,
    /// Whether it holds when its key is absent, for the statement's effect and the switches.
    pub when_absent: bool,
    /// What is asked of the values.
    pub test: Test,
}

/// What a condition reads.
#[derive(Debug, Clone)]
pub enum Key {
    /// `acs:CurrentTime`
    CurrentTime,
    /// `acs:SourceIp`
    SourceIp,
    /// `acs:SecureTransport`
    SecureTransport,
    /// `acs:MFAPresent`
    MfaPresent,
    /// `acs:PrincipalARN`
    PrincipalArn,
    /// `acs:ResourceGroupId`
    ResourceGroupId,
    /// `Action`
    Action,
    /// `Resource`
    Resource,
    /// A key of a tag family.
    Tag(TagKey),
    /// Any other key, in lower case.
    Context(Symbol),
}

/// A tag key of a condition.
#[derive(Debug, Clone)]
pub struct TagKey {
    /// Where the tags come from.
    pub family: TagFamily,
    /// The service whose resources it is for; `None`: any.
    pub service: Option<Symbol>,
    /// The key.
    pub key: Symbol,
    /// How it meets the keys of tags.
    pub reading: KeyReading,
}

/// How a tag key of a condition meets the keys of tags (security 3.9).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyReading {
    /// Byte for byte; keys that collide are never looked for.
    Exact,
    /// Byte for byte; colliding keys decide against the one who asks.
    Guarded,
    /// Without regard to case; colliding keys decide against the one who asks.
    Folded,
}

/// What is asked of a value.
#[derive(Debug, Clone)]
pub enum Test {
    /// `StringEquals`, `StringNotEquals`
    Equals(Polarity, Box<[Symbol]>),
    /// `StringEqualsIgnoreCase`, `StringNotEqualsIgnoreCase`
    EqualsIgnoreCase(Polarity, Box<[Symbol]>),
    /// `StringLike`, `StringNotLike`
    Like(Polarity, Box<[Matcher]>),
    /// `Numeric…`
    Numeric(Comparison, Box<[Decimal]>),
    /// `Date…`
    Date(Comparison, Box<[Timestamp]>),
    /// `Bool`
    Bool(Box<[bool]>),
    /// `IpAddress`, `NotIpAddress`
    Ip(Polarity, Box<[IpNet]>),
    /// `Null`: what counts is whether the key is there at all.
    Null(Presence),
}

/// Whether one operand must match, or none may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polarity {
    /// One must match.
    Positive,
    /// None may match.
    Negated,
}

/// What `Null` asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// `"true"`
    Absent,
    /// `"false"`
    Present,
}

impl Test {
    /// The type that values must have.
    pub fn value_type(&self) -> ValueType {
        match self {
            Self::Equals(..) | Self::EqualsIgnoreCase(..) | Self::Like(..) | Self::Null(_) => {
                ValueType::Text
            }
            Self::Numeric(..) => ValueType::Number,
            Self::Date(..) => ValueType::Date,
            Self::Bool(_) => ValueType::Bool,
            Self::Ip(..) => ValueType::Ip,
        }
    }
}

/// As it would be written: `StringEquals acs:ResourceTag/env ["test"]`.
impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.quantifier {
            Quantifier::Single => {}
            Quantifier::ForAnyValue => formatter.write_str("ForAnyValue:")?,
            Quantifier::ForAllValues => formatter.write_str("ForAllValues:")?,
        }
        let name = self.test.name();
        let suffix = if self.if_exists { "IfExists" } else { "" };
        write!(formatter, "{name}{suffix} {} ", self.key)?;
        match &self.test {
            Test::Equals(_, operands) | Test::EqualsIgnoreCase(_, operands) => {
                write!(formatter, "{operands:?}")
            }
            Test::Like(_, operands) => write!(formatter, "{operands:?}"),
            Test::Numeric(_, operands) => write_list(formatter, operands),
            Test::Date(_, operands) => write_list(formatter, operands),
            Test::Bool(operands) => write!(formatter, "{operands:?}"),
            Test::Ip(_, operands) => write_list(formatter, operands),
            Test::Null(Presence::Absent) => formatter.write_str("true"),
            Test::Null(Presence::Present) => formatter.write_str("false"),
        }
    }
}

fn write_list(formatter: &mut fmt::Formatter<'_>, operands: &[impl fmt::Display]) -> fmt::Result {
    formatter
        .debug_list()
        .entries(operands.iter().map(ToString::to_string))
        .finish()
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CurrentTime => formatter.write_str("acs:CurrentTime"),
            Self::SourceIp => formatter.write_str("acs:SourceIp"),
            Self::SecureTransport => formatter.write_str("acs:SecureTransport"),
            Self::MfaPresent => formatter.write_str("acs:MFAPresent"),
            Self::PrincipalArn => formatter.write_str("acs:PrincipalARN"),
            Self::ResourceGroupId => formatter.write_str("acs:ResourceGroupId"),
            Self::Action => formatter.write_str("Action"),
            Self::Resource => formatter.write_str("Resource"),
            Self::Context(name) => formatter.write_str(name),
            Self::Tag(tag) => {
                let service = tag.service.as_deref().unwrap_or("acs");
                let family = match tag.family {
                    TagFamily::Resource => "ResourceTag",
                    TagFamily::Request => "RequestTag",
                    TagFamily::Either => "tag",
                };
                write!(formatter, "{service}:{family}/{}", tag.key)
            }
        }
    }
}

impl Test {
    fn name(&self) -> &'static str {
        use Polarity::{Negated, Positive};
        match self {
            Self::Equals(Positive, _) => "StringEquals",
            Self::Equals(Negated, _) => "StringNotEquals",
            Self::EqualsIgnoreCase(Positive, _) => "StringEqualsIgnoreCase",
            Self::EqualsIgnoreCase(Negated, _) => "StringNotEqualsIgnoreCase",
            Self::Like(Positive, _) => "StringLike",
            Self::Like(Negated, _) => "StringNotLike",
            Self::Numeric(comparison, _) => match comparison {
                Comparison::Equals => "NumericEquals",
                Comparison::NotEquals => "NumericNotEquals",
                Comparison::LessThan => "NumericLessThan",
                Comparison::LessThanEquals => "NumericLessThanEquals",
                Comparison::GreaterThan => "NumericGreaterThan",
                Comparison::GreaterThanEquals => "NumericGreaterThanEquals",
            },
            Self::Date(comparison, _) => match comparison {
                Comparison::Equals => "DateEquals",
                Comparison::NotEquals => "DateNotEquals",
                Comparison::LessThan => "DateLessThan",
                Comparison::LessThanEquals => "DateLessThanEquals",
                Comparison::GreaterThan => "DateGreaterThan",
                Comparison::GreaterThanEquals => "DateGreaterThanEquals",
            },
            Self::Bool(_) => "Bool",
            Self::Ip(Positive, _) => "IpAddress",
            Self::Ip(Negated, _) => "NotIpAddress",
            Self::Null(_) => "Null",
        }
    }
}
