//! Values of conditions: their text, and the text as the type that an operator asks for (ram 2.6).

use std::borrow::Cow;
use std::net::IpAddr;

use ipnet::IpNet;
use jiff::Timestamp;

use crate::document::cursor::{Cursor, Sink, Told, all};
use crate::document::json::Node;
use crate::document::lint::LintKind;
use crate::model::condition::{self, Test};
use crate::model::decimal::Decimal;
use crate::model::pattern::{Pattern, has_wildcard};

use super::operator::Base;
use super::{MAX_VALUE_BYTES, PolicyErrorKind, VALUES};

/// Reads the values of one condition as operands of an operator.
pub(super) fn read_test(
    base: Base,
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
) -> Result<Test, Told> {
    Ok(match base {
        Base::Equals { negated } => Test::Equals {
            negated,
            operands: operands(at, sink, exact)?,
        },
        Base::EqualsIgnoreCase { negated } => Test::EqualsIgnoreCase {
            negated,
            operands: operands(at, sink, exact)?,
        },
        Base::Like { negated } => Test::Like {
            negated,
            operands: operands(at, sink, pattern)?,
        },
        Base::Numeric(comparison) => Test::Numeric {
            comparison,
            operands: operands(at, sink, number)?,
        },
        Base::Date(comparison) => Test::Date {
            comparison,
            operands: operands(at, sink, date)?,
        },
        Base::Bool => Test::Bool {
            operands: operands(at, sink, boolean)?,
        },
        Base::Ip { negated } => Test::Ip {
            negated,
            operands: operands(at, sink, network)?,
        },
        Base::Null => Test::Null {
            absent: single(at, sink)?,
        },
    })
}

fn operands<T>(
    at: &Cursor<'_, '_>,
    sink: &mut Sink<'_>,
    read: fn(&Cursor<'_, '_>, &mut Sink<'_>) -> Result<T, Told>,
) -> Result<Vec<T>, Told> {
    let items = at.one_or_some(VALUES, sink)?;
    all(items, |at| read(&at, sink))
}

/// `Null` takes one value.
fn single(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<bool, Told> {
    let read = operands(at, sink, boolean)?;
    match *read.as_slice() {
        [absent] => Ok(absent),
        _ => Err(at.refuse(PolicyErrorKind::NullValues, sink)),
    }
}

/// Which texts of unquoted numbers are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fractions {
    /// Any: the number counts.
    Taken,
    /// Whole ones alone: the text counts, and that of others is lost (`1.10`).
    Refused,
}

/// The text of a value. Ram 9: numbers and booleans without quotes are taken with a warning.
fn text<'n>(
    at: &Cursor<'_, 'n>,
    fractions: Fractions,
    sink: &mut Sink<'_>,
) -> Result<Cow<'n, str>, Told> {
    let text = match at.node() {
        Node::String(text) => Cow::Borrowed(*text),
        Node::Bool(value) => unquoted(at, value, sink),
        Node::Number(number) if fractions == Fractions::Refused && number.is_f64() => {
            return Err(at.refuse(PolicyErrorKind::UnquotedFraction, sink));
        }
        Node::Number(number) => unquoted(at, number, sink),
        Node::Null | Node::Array(_) | Node::Object(_) => {
            return Err(at.unexpected("a string", sink));
        }
    };
    if text.len() > MAX_VALUE_BYTES {
        return Err(at.refuse(PolicyErrorKind::ValueTooLong, sink));
    }
    Ok(text)
}

fn unquoted<'n>(at: &Cursor<'_, 'n>, value: &impl ToString, sink: &mut Sink<'_>) -> Cow<'n, str> {
    sink.warn(&at.spot(), LintKind::UnquotedValue);
    Cow::Owned(value.to_string())
}

/// `StringEquals…` takes no wildcards (ram 1.4): they count as characters.
fn exact(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<String, Told> {
    let text = text(at, Fractions::Refused, sink)?;
    if has_wildcard(&text) {
        let value = (&*text).into();
        sink.warn(&at.spot(), LintKind::WildcardInExactValue { value });
    }
    Ok(text.into_owned())
}

fn pattern(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Pattern, Told> {
    let text = text(at, Fractions::Refused, sink)?;
    Pattern::parse(&text, MAX_VALUE_BYTES).map_err(|cause| {
        let text = (&*text).into();
        at.refuse(PolicyErrorKind::InvalidOperandPattern { text, cause }, sink)
    })
}

fn number(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Decimal, Told> {
    let expected = "a decimal number of at most 18 digits before and after the point";
    let text = text(at, Fractions::Taken, sink)?;
    Decimal::parse(&text).map_err(|_| invalid(at, &text, expected, sink))
}

fn date(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<Timestamp, Told> {
    let expected = "a date and time of RFC 3339 with a zone";
    let text = text(at, Fractions::Refused, sink)?;
    condition::parse_date(&text).ok_or_else(|| invalid(at, &text, expected, sink))
}

fn boolean(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<bool, Told> {
    let text = text(at, Fractions::Refused, sink)?;
    condition::parse_bool(&text).ok_or_else(|| invalid(at, &text, "`true` or `false`", sink))
}

fn network(at: &Cursor<'_, '_>, sink: &mut Sink<'_>) -> Result<IpNet, Told> {
    let text = text(at, Fractions::Refused, sink)?;
    let read = match parse_network(&text) {
        Ok(read) => read,
        Err(InvalidNetwork::Shape) => {
            return Err(invalid(at, &text, "an address or a network", sink));
        }
        Err(InvalidNetwork::MappedTooWide) => {
            let text = (&*text).into();
            return Err(at.refuse(PolicyErrorKind::MappedNetworkTooWide { text }, sink));
        }
    };
    let network = read.trunc();
    if network != read {
        let network = network.to_string();
        sink.warn(&at.spot(), LintKind::HostBits { network });
    }
    Ok(network)
}

fn invalid(at: &Cursor<'_, '_>, text: &str, expected: &'static str, sink: &mut Sink<'_>) -> Told {
    let text = text.into();
    at.refuse(PolicyErrorKind::InvalidOperand { text, expected }, sink)
}

/// Why a text is no network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum InvalidNetwork {
    /// Neither an address nor a CIDR.
    Shape,
    /// IPv4-mapped, with a prefix shorter than 96.
    MappedTooWide,
}

/// Reads a network, host bits and all. IPv4-mapped ones are normalised (security 7.3).
fn parse_network(text: &str) -> Result<IpNet, InvalidNetwork> {
    let Some((address, prefix)) = text.split_once('/') else {
        let address = condition::parse_ip(text).ok_or(InvalidNetwork::Shape)?;
        return Ok(IpNet::from(address));
    };
    let address: IpAddr = address.parse().map_err(|_| InvalidNetwork::Shape)?;
    let prefix = parse_prefix(prefix).ok_or(InvalidNetwork::Shape)?;
    let canonical = address.to_canonical();
    let prefix = if canonical == address {
        prefix
    } else {
        prefix
            .checked_sub(96)
            .ok_or(InvalidNetwork::MappedTooWide)?
    };
    IpNet::new(canonical, prefix).map_err(|_| InvalidNetwork::Shape)
}

fn parse_prefix(digits: &str) -> Option<u8> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    let padded = digits.len() > 1 && digits.starts_with('0');
    (plain && !padded).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_normalised_and_never_widened() {
        let check = |text: &str, expected: Result<&str, InvalidNetwork>| {
            let found = parse_network(text).map(|network| network.to_string());
            assert_eq!(found.as_deref().map_err(|error| *error), expected, "{text}");
        };
        check("10.0.0.1", Ok("10.0.0.1/32"));
        check("2001:db8::1", Ok("2001:db8::1/128"));
        check("10.0.0.1/8", Ok("10.0.0.1/8"));
        check("::ffff:10.0.0.1", Ok("10.0.0.1/32"));
        check("::ffff:10.0.0.0/104", Ok("10.0.0.0/8"));
        check("::ffff:0:0/96", Ok("0.0.0.0/0"));
        check("::ffff:10.0.0.0/95", Err(InvalidNetwork::MappedTooWide));
        check("::/0", Ok("::/0"));
        for text in [
            "",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0/8",
            "10.0.0.0/8/8",
            "fe80::1%eth0",
            " 10.0.0.1",
            "*",
            "10.0.0.0/256",
            "::ffff:10.0.0.0/129",
        ] {
            check(text, Err(InvalidNetwork::Shape));
        }
    }
}
