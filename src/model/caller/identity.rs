//! What a peer proves to be: the name of its certificate, or the name of its token.
//!
//! A SPIFFE id is `spiffe://trust-domain/path`, as its standard spells it: no port, no query, no
//! empty or dotted segment, at most 2,048 bytes. A DNS name is compared in lower case; a wildcard
//! names nobody.
//!
//! Not here: which certificate proves what (`tls`), and who is which caller (`snapshot::caller`).

use std::fmt;

use crate::model::account::Name;

const SCHEME: &str = "spiffe://";
/// The most bytes of a SPIFFE id.
const MAX_SPIFFE: usize = 2_048;
/// The most bytes of a trust domain.
const MAX_TRUST_DOMAIN: usize = 255;
/// The most bytes of a DNS name.
const MAX_DNS: usize = 253;
/// The most bytes of another URI.
const MAX_URI: usize = 2_048;

/// What a peer proved to be.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// The SPIFFE id of its certificate.
    Spiffe(SpiffeId),
    /// The only name of its certificate, a DNS name.
    Dns(DnsName),
    /// The only name of its certificate, another URI.
    Uri(Uri),
    /// The name of the token that it holds.
    Token(Name),
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Spiffe(id) => write!(formatter, "spiffe {id}"),
            Self::Dns(name) => write!(formatter, "dns {name}"),
            Self::Uri(uri) => write!(formatter, "uri {uri}"),
            Self::Token(name) => write!(formatter, "token {}", name.as_str()),
        }
    }
}

/// A text names no peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidIdentity {
    /// It is no SPIFFE id.
    #[error("expected `spiffe://trust-domain/path`")]
    SpiffeId,
    /// It is no pattern of SPIFFE ids.
    #[error("expected `spiffe://trust-domain/path`, with `/*` as the end or without")]
    SpiffePattern,
    /// It is no DNS name.
    #[error("expected a DNS name without a wildcard")]
    DnsName,
    /// It is no URI, or one that claims to be a SPIFFE id.
    #[error("expected a URI with a scheme other than `spiffe`")]
    Uri,
}

/// A SPIFFE id with a path.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SpiffeId(Box<str>);

impl TryFrom<&str> for SpiffeId {
    type Error = InvalidIdentity;

    fn try_from(text: &str) -> Result<Self, InvalidIdentity> {
        let rest = text.strip_prefix(SCHEME).ok_or(InvalidIdentity::SpiffeId)?;
        let (domain, path) = rest.split_once('/').ok_or(InvalidIdentity::SpiffeId)?;
        let is_valid =
            text.len() <= MAX_SPIFFE && is_trust_domain(domain) && path.split('/').all(is_segment);
        if is_valid {
            Ok(Self(text.into()))
        } else {
            Err(InvalidIdentity::SpiffeId)
        }
    }
}

impl SpiffeId {
    /// Whether a URI claims to be a SPIFFE id, in any case of its scheme.
    pub fn is_claimed_by(uri: &str) -> bool {
        uri.get(..SCHEME.len() - 2)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case("spiffe:"))
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// All that it stands below, the closest first: of `spiffe://d/a/b` it is `spiffe://d/a` and
    /// `spiffe://d`.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        let ends = self.0.rmatch_indices('/').map(|(end, _)| end);
        ends.filter(|end| *end >= SCHEME.len())
            .filter_map(|end| self.0.get(..end))
    }
}

impl fmt::Display for SpiffeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_trust_domain(text: &str) -> bool {
    let allowed = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'_')
    };
    (1..=MAX_TRUST_DOMAIN).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_segment(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    !matches!(text, "" | "." | "..") && text.bytes().all(allowed)
}

/// One SPIFFE id, or all below a folder: `spiffe://d/a/*`, or `spiffe://d/*` for a trust domain.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SpiffePattern {
    /// This one.
    Exact(SpiffeId),
    /// Every one below; the text ends before `/*`.
    Below(Box<str>),
}

impl TryFrom<&str> for SpiffePattern {
    type Error = InvalidIdentity;

    fn try_from(text: &str) -> Result<Self, InvalidIdentity> {
        let Some(folder) = text.strip_suffix("/*") else {
            let id = SpiffeId::try_from(text).map_err(|_| InvalidIdentity::SpiffePattern)?;
            return Ok(Self::Exact(id));
        };
        let domain = folder
            .strip_prefix(SCHEME)
            .ok_or(InvalidIdentity::SpiffePattern)?;
        if is_trust_domain(domain) || SpiffeId::try_from(folder).is_ok() {
            Ok(Self::Below(folder.into()))
        } else {
            Err(InvalidIdentity::SpiffePattern)
        }
    }
}

impl std::str::FromStr for SpiffePattern {
    type Err = InvalidIdentity;

    fn from_str(text: &str) -> Result<Self, InvalidIdentity> {
        Self::try_from(text)
    }
}

impl SpiffePattern {
    /// Whether an id is the one, or below the folder.
    pub fn matches(&self, id: &SpiffeId) -> bool {
        match self {
            Self::Exact(exact) => exact == id,
            Self::Below(folder) => id.folders().any(|above| above == &**folder),
        }
    }
}

impl fmt::Display for SpiffePattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(id) => id.fmt(formatter),
            Self::Below(folder) => write!(formatter, "{folder}/*"),
        }
    }
}

/// A DNS name in lower case, without a wildcard.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DnsName(Box<str>);

impl TryFrom<&str> for DnsName {
    type Error = InvalidIdentity;

    fn try_from(text: &str) -> Result<Self, InvalidIdentity> {
        let is_label = |label: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            (1..=63).contains(&label.len())
                && label.bytes().all(allowed)
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        if text.len() <= MAX_DNS && text.split('.').all(is_label) {
            Ok(Self(text.to_ascii_lowercase().into()))
        } else {
            Err(InvalidIdentity::DnsName)
        }
    }
}

impl fmt::Display for DnsName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A URI that is no SPIFFE id, compared byte by byte.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uri(Box<str>);

impl TryFrom<&str> for Uri {
    type Error = InvalidIdentity;

    fn try_from(text: &str) -> Result<Self, InvalidIdentity> {
        let (scheme, rest) = text.split_once(':').ok_or(InvalidIdentity::Uri)?;
        let in_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
        let is_valid = text.len() <= MAX_URI
            && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.bytes().all(in_scheme)
            && !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_graphic());
        if is_valid && !SpiffeId::is_claimed_by(text) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidIdentity::Uri)
        }
    }
}

impl fmt::Display for Uri {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spiffe_ids_have_a_trust_domain_and_a_path() {
        for text in ["spiffe://d/a", "spiffe://a.b-c_1/ns/x/sa/Y.z_0-"] {
            assert_eq!(SpiffeId::try_from(text).unwrap().as_str(), text);
        }
        let long = format!("spiffe://d/{}", "a".repeat(MAX_SPIFFE));
        let domain = format!("spiffe://{}/a", "d".repeat(256));
        for text in [
            "",
            "spiffe://d",
            "spiffe://d/",
            "spiffe:///a",
            "spiffe://d//a",
            "spiffe://d/a/",
            "spiffe://d/./a",
            "spiffe://d/a/..",
            "spiffe://D/a",
            "SPIFFE://d/a",
            "spiffe://d:1/a",
            "spiffe://u@d/a",
            "spiffe://d/a?b",
            "spiffe://d/a#b",
            "spiffe://d/%61",
            "spiffe://d/*",
            "https://d/a",
            &long,
            &domain,
        ] {
            assert_eq!(
                SpiffeId::try_from(text),
                Err(InvalidIdentity::SpiffeId),
                "{text}"
            );
        }
    }

    #[test]
    fn a_pattern_is_one_id_or_all_below_a_folder() {
        let check = |pattern: &str, id: &str, expected| {
            let pattern = SpiffePattern::try_from(pattern).unwrap();
            let id = SpiffeId::try_from(id).unwrap();
            assert_eq!(pattern.matches(&id), expected, "{pattern} {id}");
        };
        check("spiffe://d/a", "spiffe://d/a", true);
        check("spiffe://d/a", "spiffe://d/a/b", false);
        check("spiffe://d/a/*", "spiffe://d/a", false);
        check("spiffe://d/a/*", "spiffe://d/a/b", true);
        check("spiffe://d/a/*", "spiffe://d/a/b/c", true);
        check("spiffe://d/a/*", "spiffe://d/ab/c", false);
        check("spiffe://d/*", "spiffe://d/a", true);
        check("spiffe://d/*", "spiffe://d.e/a", false);
        for text in [
            "*",
            "spiffe://*",
            "spiffe:///*",
            "spiffe://d/a*",
            "spiffe://d/*/a",
            "spiffe://d//*",
            "spiffe://*/a",
        ] {
            let refused = SpiffePattern::try_from(text);
            assert_eq!(refused, Err(InvalidIdentity::SpiffePattern), "{text}");
        }
    }

    #[test]
    fn dns_names_are_folded_and_uris_are_not() {
        let dns = |text: &str| DnsName::try_from(text).map(|name| name.to_string());
        assert_eq!(dns("Gateway.Example").unwrap(), "gateway.example");
        for text in ["", "*.example", "a..b", "a.", "-a", "a b", "é.example"] {
            assert_eq!(dns(text), Err(InvalidIdentity::DnsName), "{text}");
        }
        assert_eq!(Uri::try_from("urn:a:B").unwrap().to_string(), "urn:a:B");
        for text in [
            "",
            "a",
            ":a",
            "1a:b",
            "a:",
            "a: b",
            "Spiffe:x",
            "spiffe://d/a",
        ] {
            assert_eq!(Uri::try_from(text), Err(InvalidIdentity::Uri), "{text}");
        }
    }
}
