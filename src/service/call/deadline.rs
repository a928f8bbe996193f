//! The header `grpc-timeout`: 1 to 8 digits and a unit.

use std::time::Duration;

use http::HeaderMap;
use tokio::time::Instant;

use crate::wire::status::CallError;

/// The deadline that a call's headers tell.
pub(in crate::service) fn of(headers: &HeaderMap) -> Result<Option<Instant>, CallError> {
    let Some(value) = headers.get("grpc-timeout") else {
        return Ok(None);
    };
    let left = value
        .to_str()
        .ok()
        .and_then(parse)
        .ok_or(CallError::TimeoutInvalid)?;
    // A time that is out of reach is no deadline.
    Ok(Instant::now().checked_add(left))
}

fn parse(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if !(1..=8).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3_600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_outs_are_digits_and_a_unit() {
        let check = |text: &str, expected| assert_eq!(parse(text), expected, "{text}");
        check("3H", Some(Duration::from_hours(3)));
        check("42S", Some(Duration::from_secs(42)));
        check("13m", Some(Duration::from_millis(13)));
        check("2u", Some(Duration::from_micros(2)));
        check("99999999n", Some(Duration::from_nanos(99_999_999)));
        for text in [
            "",
            "m",
            "1",
            "1x",
            "123456789S",
            "-1S",
            "+1S",
            " 1S",
            "1.5S",
            "1é",
        ] {
            check(text, None);
        }
    }
}
