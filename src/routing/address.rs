//! Host and path: one spelling of each is taken.

use super::{Reason, Refused};
use crate::model::route::template::MAX_SEGMENTS;

/// The longest path with its query that is taken, in bytes.
const MAX_PATH_BYTES: usize = 16 * 1024;

/// A path in parts.
#[derive(Debug)]
pub(super) struct Path<'r> {
    pub(super) segments: Vec<&'r str>,
    pub(super) query: &'r str,
}

/// Encoded bytes that some reader takes as parts of a path: `/`, `\`, `.`, `;`, `%` and NUL.
const HIDDEN: [&[u8; 2]; 6] = [b"2f", b"5c", b"2e", b"3b", b"25", b"00"];

/// Takes a path apart.
///
/// # Errors
///
/// Somebody could read it as another one (security 10: "Encoded slashes, `//`, `/./`, `/../`, `;`,
/// NUL are refused").
pub(super) fn path(text: &str) -> Result<Path<'_>, Refused<'static>> {
    let refused = |what| Err(Refused::new(Reason::PathInvalid, what));
    if text.len() > MAX_PATH_BYTES {
        return refused("the path is too long");
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b';' | b'\\' | b'#');
    if !text.bytes().all(is_plain) {
        return refused("the path holds `;`, `\\`, `#`, or what is no visible character of ASCII");
    }
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let Some(rest) = path.strip_prefix('/') else {
        return refused("the path does not begin with `/`");
    };
    let hides = |pair: &[u8]| {
        let (percent, digits) = pair.split_first().unwrap_or((&0, &[]));
        *percent == b'%' && HIDDEN.iter().any(|one| digits.eq_ignore_ascii_case(*one))
    };
    if path.as_bytes().windows(3).any(hides) {
        return refused("the path hides a separator by encoding it");
    }
    if path.contains("//") {
        return refused("the path has an empty segment");
    }
    if rest.is_empty() {
        let segments = Vec::new();
        return Ok(Path { segments, query });
    }
    let segments: Vec<&str> = rest.split('/').take(MAX_SEGMENTS + 1).collect();
    if segments.len() > MAX_SEGMENTS {
        return refused("the path has too many segments");
    }
    if segments.iter().any(|one| matches!(*one, "." | "..")) {
        return refused("the path has a dotted segment");
    }
    Ok(Path { segments, query })
}

/// A host in lower case, without its port.
///
/// # Errors
///
/// It is none.
pub(super) fn host(text: &str) -> Result<String, Refused<'static>> {
    let refused = || Refused::new(Reason::HostInvalid, "the host is no name and no address");
    let (name, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (_, behind) = rest.split_once(']').ok_or_else(refused)?;
            let name = text.get(..text.len() - behind.len()).unwrap_or_default();
            (name, behind)
        }
        None => match text.find(':') {
            Some(colon) => text.split_at(colon),
            None => (text, ""),
        },
    };
    let is_port = |text: &str| {
        let digits = text.strip_prefix(':');
        digits.is_some_and(|digits| {
            digits.len() <= 5 && digits.bytes().all(|one| one.is_ascii_digit())
        })
    };
    let is_name_byte = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'[' | b']' | b':')
    };
    let is_named = (1..=255).contains(&name.len()) && name.bytes().all(is_name_byte);
    if is_named && (port.is_empty() || is_port(port)) {
        Ok(name.to_ascii_lowercase())
    } else {
        Err(refused())
    }
}
