//! Exact decimals: `-?[0-9]{1,18}(\.[0-9]{1,18})?` (security 7.3), so that `1.0` equals `1`.

use std::fmt;

/// A decimal number, scaled by 10^18.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(i128);

/// Why a text is no decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a decimal number of at most 18 digits before and after the point")]
pub struct InvalidDecimal;

const DIGITS: usize = 18;

impl Decimal {
    /// Reads a decimal.
    ///
    /// # Errors
    ///
    /// When the text has another shape or more digits.
    pub fn parse(text: &str) -> Result<Self, InvalidDecimal> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((whole, fraction)) => (number(whole)?, scaled(fraction)?),
            None => (number(digits)?, 0),
        };
        let value = whole * 10_i128.pow(18) + fraction;
        Ok(Self(if negative { -value } else { value }))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = 10_u128.pow(18);
        let (sign, size) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let fraction = format!("{:018}", size % unit);
        let fraction = fraction.trim_end_matches('0');
        let point = if fraction.is_empty() { "" } else { "." };
        write!(formatter, "{sign}{}{point}{fraction}", size / unit)
    }
}

fn number(digits: &str) -> Result<i128, InvalidDecimal> {
    let plain =
        (1..=DIGITS).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain {
        digits.parse().map_err(|_| InvalidDecimal)
    } else {
        Err(InvalidDecimal)
    }
}

fn scaled(fraction: &str) -> Result<i128, InvalidDecimal> {
    let places = u32::try_from(DIGITS - fraction.len().min(DIGITS)).map_err(|_| InvalidDecimal)?;
    Ok(number(fraction)? * 10_i128.pow(places))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_compare_by_value() {
        let read = |text| Decimal::parse(text).unwrap();
        assert_eq!(read("1.0"), read("1"));
        assert_eq!(read("-0"), read("0.000"));
        assert!(read("-1.5") < read("-1.49"));
        assert!(read("999999999999999999.999999999999999999") > read("999999999999999999"));
        assert_eq!(read("-01.50").to_string(), "-1.5");
        assert_eq!(read("7.0").to_string(), "7");
        for text in [
            "",
            "-",
            "1.",
            ".5",
            "+1",
            "1e3",
            "1234567890123456789",
            "0x1",
            " 1",
            "１",
        ] {
            assert_eq!(Decimal::parse(text), Err(InvalidDecimal), "{text:?}");
        }
    }
}
