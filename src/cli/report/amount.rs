//! Exact decimal amounts: integers of a smallest part, never a float.

use std::str::FromStr;

/// How many decimal places an amount has at most.
const MAX_PLACES: usize = 12;
/// How many digits stand before the point at most.
const MAX_DIGITS: usize = 18;

/// An amount, in parts of 10^-12.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Amount(i128);

/// An amount with the number of decimal places that it was written with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) amount: Amount,
    pub(super) places: usize,
}

/// A text that is no amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an amount: up to {MAX_DIGITS} digits, and up to {MAX_PLACES} after a point")]
pub(super) struct InvalidAmount;

/// Amounts come to more than can be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amounts come to more than can be counted")]
pub(super) struct Overflow;

impl FromStr for Written {
    type Err = InvalidAmount;

    /// `-?[0-9]{1,18}(\.[0-9]{1,12})?`
    fn from_str(text: &str) -> Result<Self, InvalidAmount> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text),
        };
        let (whole, parts) = digits.split_once('.').unwrap_or((digits, "0"));
        let is_number = |text: &str, most| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !is_number(whole, MAX_DIGITS) || !is_number(parts, MAX_PLACES) {
            return Err(InvalidAmount);
        }
        let joined = format!("{whole}{parts:0<MAX_PLACES$}");
        let units: i128 = joined.parse().map_err(|_| InvalidAmount)?;
        Ok(Self {
            amount: Amount(sign * units),
            places: if digits.contains('.') { parts.len() } else { 0 },
        })
    }
}

impl Amount {
    /// Adds another.
    pub(super) fn plus(self, other: Self) -> Result<Self, Overflow> {
        self.0.checked_add(other.0).map(Self).ok_or(Overflow)
    }

    /// With so many decimal places, at least as many as it was written with.
    pub(super) fn told(self, places: usize) -> String {
        let sign = if self.0 < 0 { "-" } else { "" };
        let digits = format!("{:0>1$}", self.0.unsigned_abs(), MAX_PLACES + 1);
        let (whole, parts) = digits
            .split_at_checked(digits.len() - MAX_PLACES)
            .unwrap_or_default();
        let parts = parts.get(..places).unwrap_or(parts);
        let point = if parts.is_empty() { "" } else { "." };
        format!("{sign}{whole}{point}{parts}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn amounts_are_read_exactly_or_not_at_all() {
        for (text, expected) in [
            ("0", "0"),
            ("12.50", "12.50"),
            ("-0.000000000001", "-0.000000000001"),
            ("007", "7"),
            (
                "999999999999999999.999999999999",
                "999999999999999999.999999999999",
            ),
        ] {
            let Written { amount, places } = text.parse().unwrap();
            assert_eq!(amount.told(places), expected);
        }
        for text in [
            "",
            "-",
            ".",
            "1.",
            ".5",
            "+1",
            "1e3",
            "1,5",
            " 1",
            "0x1",
            "--1",
            "١",
            "NaN",
            "1000000000000000000",
            "0.0000000000001",
        ] {
            assert_eq!(text.parse::<Written>(), Err(InvalidAmount), "{text}");
        }
    }

    #[test]
    fn a_tenth_thrice_is_three_tenths() {
        let tenth = "0.1".parse::<Written>().unwrap().amount;
        let sum = tenth.plus(tenth).unwrap().plus(tenth).unwrap();
        assert_eq!(sum.told(1), "0.3");
        let most = Amount(i128::MAX);
        assert_eq!(most.plus(tenth), Err(Overflow));
    }

    proptest! {
        /// Sums of amounts with two places are sums of integers.
        #[test]
        fn sums_are_exact(cents in proptest::collection::vec(-10_000_000_i64..10_000_000, 0..50)) {
            let mut sum = Amount::default();
            for cents in &cents {
                let sign = if *cents < 0 { "-" } else { "" };
                let text = format!("{sign}{}.{:02}", cents.abs() / 100, cents.abs() % 100);
                sum = sum.plus(text.parse::<Written>().unwrap().amount).unwrap();
            }
            let expected: i64 = cents.iter().sum();
            let sign = if expected < 0 { "-" } else { "" };
            let told = format!("{sign}{}.{:02}", expected.abs() / 100, expected.abs() % 100);
            prop_assert_eq!(sum.told(2), told);
        }
    }
}
