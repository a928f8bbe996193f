//! Headers that have one value, and no second spelling.

use super::{Attributes, HeaderForm, Reason, Refused};

/// The one value of a header; `None`: it is absent.
///
/// # Errors
///
/// It is given twice, is a list, or is no text.
pub(super) fn one<'r>(
    attributes: &Attributes<'r>,
    name: &str,
) -> Result<Option<&'r str>, Refused<'static>> {
    match single(attributes, name)? {
        None => Ok(None),
        Some(value) => text(attributes, name, value).map(Some),
    }
}

/// The one value of a header, whatever its bytes are.
pub(super) fn single<'r>(
    attributes: &Attributes<'r>,
    name: &str,
) -> Result<Option<&'r [u8]>, Refused<'static>> {
    let mut given = attributes
        .headers
        .iter()
        .filter(|(known, _)| is_alike(known, name));
    match (given.next(), given.next()) {
        (None, _) => Ok(None),
        (Some((known, value)), None) if known.eq_ignore_ascii_case(name) => Ok(Some(*value)),
        // An upstream may read `x_a` as `x-a`.
        (Some(_), None) => Err(refused(name, "is written in two ways")),
        (Some(_), Some(_)) => Err(refused(name, "is given twice")),
    }
}

/// The headers whose names begin so, with what follows.
pub(super) fn beginning<'r>(
    attributes: &Attributes<'r>,
    prefix: &str,
) -> Result<Vec<(&'r str, &'r str)>, Refused<'static>> {
    let mut found: Vec<(&'r str, &'r str)> = Vec::new();
    for (name, value) in &attributes.headers {
        let Some((start, rest)) = name.split_at_checked(prefix.len()) else {
            continue;
        };
        if !is_alike(start, prefix) || rest.is_empty() {
            continue;
        }
        if !start.eq_ignore_ascii_case(prefix) {
            return Err(refused(prefix, "is written in two ways"));
        }
        if found.iter().any(|(known, _)| is_alike(known, rest)) {
            return Err(refused(name, "is given twice"));
        }
        found.push((rest, text(attributes, name, value)?));
    }
    Ok(found)
}

/// Refuses requests that another header gives a second method or path.
pub(super) fn check_overrides(attributes: &Attributes<'_>) -> Result<(), Refused<'static>> {
    let given = |names: &[&str]| {
        let is_named = |known: &str| names.iter().any(|name| is_alike(known, name));
        attributes.headers.iter().any(|(known, _)| is_named(known))
    };
    if given(&[
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ]) {
        let what = "a header names a second method";
        return Err(Refused::new(Reason::MethodInvalid, what));
    }
    if given(&["x-original-url", "x-rewrite-url"]) {
        let what = "a header names a second path";
        return Err(Refused::new(Reason::PathInvalid, what));
    }
    Ok(())
}

fn text<'r>(
    attributes: &Attributes<'r>,
    name: &str,
    value: &'r [u8],
) -> Result<&'r str, Refused<'static>> {
    let text = std::str::from_utf8(value).map_err(|_| refused(name, "is not UTF-8"))?;
    if text.contains(',') {
        return Err(refused(name, "is a list"));
    }
    if attributes.header_form == HeaderForm::Joined && text.contains('!') {
        return Err(refused(name, "holds `!`, or bytes that are no text"));
    }
    if text.chars().any(char::is_control) {
        return Err(refused(name, "holds a control character"));
    }
    Ok(text)
}

/// Whether two names are one to some reader.
fn is_alike(one: &str, other: &str) -> bool {
    let fold = |byte: u8| {
        if byte == b'_' {
            b'-'
        } else {
            byte.to_ascii_lowercase()
        }
    };
    one.len() == other.len() && one.bytes().map(fold).eq(other.bytes().map(fold))
}

fn refused(name: &str, what: &str) -> Refused<'static> {
    Refused::new(Reason::HeaderInvalid, format!("the header `{name}` {what}"))
}
