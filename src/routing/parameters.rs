//! Parameters of a query or a form: decoded, and each that is read given once.

use std::borrow::Cow;

use super::{Reason, Refused};

/// The most parameters that are taken.
const MAX_PARAMETERS: usize = 1_000;

/// Names and values, decoded, in the order sent.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Parameters<'r>(Vec<(Cow<'r, str>, Cow<'r, str>)>);

impl<'r> Parameters<'r> {
    /// Reads `name=value` pairs with `&` between them.
    ///
    /// # Errors
    ///
    /// One cannot be decoded, or there are too many.
    pub(super) fn read(text: &'r str) -> Result<Self, Refused<'static>> {
        let mut read = Vec::new();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if read.len() == MAX_PARAMETERS {
                return Err(refused("there are too many parameters"));
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            read.push((decode(name)?, decode(value)?));
        }
        Ok(Self(read))
    }

    /// The value of a parameter; `None`: it is absent.
    ///
    /// # Errors
    ///
    /// It is given twice, or in another case.
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, Refused<'static>> {
        let mut given = self
            .0
            .iter()
            .filter(|(known, _)| known.eq_ignore_ascii_case(name));
        match (given.next(), given.next()) {
            (None, _) => Ok(None),
            (Some((known, value)), None) if known == name => Ok(Some(value)),
            (Some(_), None) => Err(named(name, "is written in another case")),
            (Some(_), Some(_)) => Err(named(name, "is given twice")),
        }
    }

    /// The parameters `<prefix>.<rest>`: the rests with their values.
    ///
    /// # Errors
    ///
    /// One is written in another case.
    pub(super) fn below(&self, prefix: &str) -> Result<Below<'_, 'r>, Refused<'static>> {
        let mut found = Vec::new();
        for (name, value) in &self.0 {
            let Some((start, rest)) = name.split_at_checked(prefix.len()) else {
                continue;
            };
            if !start.eq_ignore_ascii_case(prefix) {
                continue;
            }
            match rest.strip_prefix('.') {
                Some(rest) if start == prefix => found.push((rest, value)),
                Some(_) => return Err(named(prefix, "is written in another case")),
                // `Tag=…` and `Tag[0]=…` are other ways to say the same to some reader.
                None if rest.is_empty() || rest.starts_with('[') => {
                    return Err(named(prefix, "is written in another form"));
                }
                None => {}
            }
        }
        Ok(found)
    }
}

/// What follows a prefix, with the values.
pub(super) type Below<'p, 'r> = Vec<(&'p str, &'p Cow<'r, str>)>;

/// `%41` and `+`, as forms write them.
fn decode(text: &str) -> Result<Cow<'_, str>, Refused<'static>> {
    let decoded = if text.bytes().any(|byte| matches!(byte, b'%' | b'+')) {
        Cow::Owned(unescaped(text)?)
    } else {
        Cow::Borrowed(text)
    };
    if decoded.chars().any(char::is_control) {
        return Err(refused("a parameter holds a control character"));
    }
    Ok(decoded)
}

fn unescaped(text: &str) -> Result<String, Refused<'static>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (high, low) = (rest.next().and_then(digit), rest.next().and_then(digit));
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(refused("a parameter is not encoded as parameters are"));
                };
                high << 4 | low
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).map_err(|_| refused("a parameter is not UTF-8"))
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte)
        .to_digit(16)
        .and_then(|digit| u8::try_from(digit).ok())
}

fn refused(what: &str) -> Refused<'static> {
    Refused::new(Reason::ParameterInvalid, what)
}

fn named(name: &str, what: &str) -> Refused<'static> {
    Refused::new(
        Reason::ParameterInvalid,
        format!("the parameter `{name}` {what}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_one_value_and_one_spelling() {
        let check = |text: &str, expected: Result<Option<&str>, ()>| {
            let read = Parameters::read(text);
            let found = read
                .as_ref()
                .map_err(|_| ())
                .and_then(|read| read.one("Id").map_err(|_| ()));
            assert_eq!(found, expected, "{text}");
        };
        check("", Ok(None));
        check("a=b&&Id=x%20y+z&c", Ok(Some("x y z")));
        check("%49d=1", Ok(Some("1")));
        check("Id", Ok(Some("")));
        check("Id=1=2", Ok(Some("1=2")));
        check("Id=%E4%BD%A0", Ok(Some("你")));
        for text in [
            "Id=1&Id=1",
            "Id=1&%49d=2",
            "Id=1&id=2",
            "id=1",
            "a=%",
            "a=%4",
            "a=%zz",
            "a=%ff",
            "a=%00",
        ] {
            check(text, Err(()));
        }
        check(&"a&".repeat(1_001), Err(()));
    }
}
