//! Where a request says what a route needs of it.

use std::fmt;

use super::template::{PathTemplate, Template};
use crate::model::caller::identity::{SpiffeId, SpiffePattern};

/// Where a value stands that makes part of a resource's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// In this header, by its name in lower case.
    Header(Box<str>),
    /// In this parameter of the query.
    Query(Box<str>),
    /// In this parameter of a form body.
    Form(Box<str>),
    /// In this member of a JSON body.
    Json(Pointer),
    /// In each element of this array of a JSON body: as many resources.
    Each(Pointer),
}

/// Where tags stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagSource {
    /// In each header whose name begins so: what follows is the key.
    Headers(Box<str>),
    /// In parameters of the query: `<prefix>.1.Key` and `<prefix>.1.Value`.
    Query(Box<str>),
    /// In such parameters of a form body.
    Form(Box<str>),
    /// In a JSON body.
    Json(Pointer, TagShape),
}

/// How tags stand in a JSON body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagShape {
    /// An array of objects with these two members, and no other.
    Pairs {
        /// The member with the key.
        key: Box<str>,
        /// The member with the value.
        value: Box<str>,
    },
    /// An object: keys and values.
    Map,
}

/// Where keys of tags stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// In parameters of the query: `<prefix>.1`.
    Query(Box<str>),
    /// In such parameters of a form body.
    Form(Box<str>),
    /// In an array of a JSON body.
    Json(Pointer),
}

/// What is told of a request's circumstances: nothing that a client can choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContextSource {
    /// The address that the proxy has of the client.
    SourceAddress,
    /// Whether the scheme is `https`.
    SecureTransport,
    /// A claim: a text or a boolean.
    Claim(Claim),
    /// This text.
    Value(Box<str>),
}

/// A value in the metadata of a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The name of the filter.
    pub filter: Box<str>,
    /// The members that lead to it.
    pub path: Box<[Box<str>]>,
}

/// Who asks, and where a request says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Where it stands.
    pub source: PrincipalSource,
    /// The ARN, with what was found.
    pub arn: Template,
    /// What is said of sessions.
    pub session: StatedSession,
}

/// Where a request says who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PrincipalSource {
    /// In the SPIFFE id that the client proved to the proxy.
    Spiffe(SpiffeTemplate),
    /// In a claim of a token that the proxy verified; the variable is `claim`.
    Claim(Claim),
    /// In a header that a verified client sent; the variable is `header`.
    Header {
        /// The header's name in lower case.
        name: Box<str>,
        /// The clients that may send it.
        behind: Vec<SpiffePattern>,
    },
}

/// What a route says of its principals' session policies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatedSession {
    /// They are no sessions.
    Unstated,
    /// They are sessions without a policy.
    None,
}

/// The variable of a claim.
pub const CLAIM: &str = "claim";
/// The variable of a header.
pub const HEADER: &str = "header";

impl PrincipalSource {
    /// The variables that it gives.
    pub fn variables(&self) -> Vec<&str> {
        match self {
            Self::Spiffe(template) => template.path.variables().collect(),
            Self::Claim(_) => vec![CLAIM],
            Self::Header { .. } => vec![HEADER],
        }
    }
}

/// SPIFFE ids with variables as whole segments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpiffeTemplate {
    /// The trust domain.
    pub trust_domain: Box<str>,
    /// The path.
    pub path: PathTemplate,
}

/// A text is no template of SPIFFE ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected `spiffe://trust-domain/path` with variables as whole segments")]
pub struct InvalidSpiffeTemplate;

impl TryFrom<&str> for SpiffeTemplate {
    type Error = InvalidSpiffeTemplate;

    fn try_from(text: &str) -> Result<Self, InvalidSpiffeTemplate> {
        let rest = text
            .strip_prefix("spiffe://")
            .ok_or(InvalidSpiffeTemplate)?;
        let slash = rest.find('/').ok_or(InvalidSpiffeTemplate)?;
        let (domain, path) = rest.split_at(slash);
        let path = PathTemplate::try_from(path).map_err(|_| InvalidSpiffeTemplate)?;
        // The domain is one if an id of it is one.
        SpiffeId::try_from(&*format!("spiffe://{domain}/x")).map_err(|_| InvalidSpiffeTemplate)?;
        if path.segments().is_empty() {
            return Err(InvalidSpiffeTemplate);
        }
        Ok(Self {
            trust_domain: domain.into(),
            path,
        })
    }
}

/// The most members that a pointer names.
const MAX_DEPTH: usize = 16;

/// A member of a JSON document, by the names that lead to it (RFC 6901): `/Spec/Tags`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pointer(Box<[Box<str>]>);

/// A text is no pointer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a JSON pointer of 1 to {MAX_DEPTH} members, each behind a `/`")]
pub struct InvalidPointer;

impl TryFrom<&str> for Pointer {
    type Error = InvalidPointer;

    fn try_from(text: &str) -> Result<Self, InvalidPointer> {
        let rest = text.strip_prefix('/').ok_or(InvalidPointer)?;
        let names: Result<Vec<Box<str>>, _> = rest.split('/').map(member).collect();
        let names = names?;
        if names.len() > MAX_DEPTH {
            return Err(InvalidPointer);
        }
        Ok(Self(names.into()))
    }
}

fn member(text: &str) -> Result<Box<str>, InvalidPointer> {
    let mut parts = text.split('~');
    let mut name = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (meant, rest) = match (part.strip_prefix('0'), part.strip_prefix('1')) {
            (Some(rest), _) => ('~', rest),
            (None, Some(rest)) => ('/', rest),
            (None, None) => return Err(InvalidPointer),
        };
        name.push(meant);
        name.push_str(rest);
    }
    if name.is_empty() {
        return Err(InvalidPointer);
    }
    Ok(name.into())
}

impl Pointer {
    /// The names.
    pub fn names(&self) -> &[Box<str>] {
        &self.0
    }
}

impl fmt::Display for Pointer {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|name| write!(to, "/{}", name.replace('~', "~0").replace('/', "~1")))
    }
}

/// Whether a text is the name of a header in lower case.
pub fn is_header_name(text: &str) -> bool {
    let is_token = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte)
    };
    (1..=128).contains(&text.len()) && text.bytes().all(is_token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_name_members() {
        let check = |text: &str, expected: Option<&[&str]>| {
            let found = Pointer::try_from(text).ok();
            let names = found
                .as_ref()
                .map(|found| found.names().iter().map(|name| &**name));
            let names: Option<Vec<&str>> = names.map(Iterator::collect);
            assert_eq!(names.as_deref(), expected, "{text}");
            if let Some(found) = found {
                assert_eq!(found.to_string(), text);
            }
        };
        check("/Tags", Some(&["Tags"]));
        check("/a/b~1c/d~0e", Some(&["a", "b/c", "d~e"]));
        for text in ["", "Tags", "/", "/a//b", "/a~2", "/a~"] {
            check(text, None);
        }
        check(&"/a".repeat(17), None);
    }

    #[test]
    fn templates_of_ids_have_a_fixed_domain() {
        let check = |text: &str, expected| {
            let found = SpiffeTemplate::try_from(text).is_ok();
            assert_eq!(found, expected, "{text}");
        };
        check("spiffe://prod.example/ns/{ns}/sa/{sa}", true);
        check("spiffe://prod.example/web", true);
        for text in [
            "spiffe://{domain}/a",
            "spiffe://prod.example",
            "spiffe://prod.example/",
            "spiffe://prod.example/a-{b}",
            "https://prod.example/a",
        ] {
            check(text, false);
        }
    }
}
