//! Compiled conditions: operands parsed, and what an absent key means already decided.

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
